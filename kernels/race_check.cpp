// The race check: the transmission kernel with a thread of this process for each thread of a block, under
// ThreadSanitizer.
//
//     c++ -std=c++17 -O1 -g -fsanitize=thread -I kernels kernels/race_check.cpp -o race_check -pthread
//     race_check ENTRY THREADS BLOCKS [FILE:LINE] < case > results
//
// Arguments, case and results: thread_block.hpp; ENTRY is shared, split or global. A number that two threads touch with
// no barrier in between is a race in whatever order they came, so a few threads and small sizes show what many would. As
// a shared library, without the sanitizer, it is a slow GPU.
#ifndef MESOGPU_RACE_CHECK
#define MESOGPU_RACE_CHECK
#endif
#include "transmission.cu"
#include "thread_block.hpp"

extern "C" {

// Doubles of the near and of the far part of a workspace.
void transmission_workspace_parts(const Conductor* s, const FrameInputs*, int64 parts[2]) {
  parts[0] = near_reals(*s);
  parts[1] = far_reals(*s);
}

// One launch; pointers are to this process's memory. Returns 0, or 1 for an unknown entry.
int transmission_launch(const char* name, int blocks, int threads, int64 shared_doubles, const Conductor* conductor,
                        const FrameInputs* inputs, int64 count, const uint32* realizations, const double* given,
                        double* workspace, double* fields, double* values) {
  const std::string entry = name;
  const Conductor s = *conductor;
  const FrameInputs f = *inputs;
  const auto run = [=](auto kernel) {
    run_blocks(blocks, threads, shared_doubles,
               [=] { kernel(s, f, count, realizations, given, workspace, fields, values); });
    return 0;
  };
  if (entry == "shared") return run(transmission_shared);
  if (entry == "split") return run(transmission_split);
  if (entry == "global") return run(transmission_global);
  return 1;
}
}

int main(int count_of_arguments, char** arguments) {
  const auto parts = [](const Conductor& s, const FrameInputs& f, int64* sizes) {
    transmission_workspace_parts(&s, &f, sizes);
  };
  return check<FrameInputs>(count_of_arguments, arguments, parts, transmission_launch);
}
