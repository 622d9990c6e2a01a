// The race check of the recursive Green's-function kernel: see race_check.cpp and thread_block.hpp.
#ifndef MESOGPU_RACE_CHECK
#define MESOGPU_RACE_CHECK
#endif
#include "greens_function.cu"
#include "thread_block.hpp"

extern "C" {

// Doubles of the near and of the far part of a workspace.
void greens_workspace_parts(const Conductor* s, const LayerInputs* f, int64 parts[2]) {
  parts[0] = greens_near_reals(*s, *f);
  parts[1] = greens_far_reals(*s, *f);
}

// One launch; pointers are to this process's memory. Returns 0, or 1 for an unknown entry.
int greens_launch(const char* name, int blocks, int threads, int64 shared_doubles, const Conductor* conductor,
                  const LayerInputs* inputs, int64 count, const uint32* realizations, const double* given,
                  double* workspace, double* fields, double* values) {
  const std::string entry = name;
  const Conductor s = *conductor;
  const LayerInputs f = *inputs;
  const auto run = [=](auto kernel) {
    run_blocks(blocks, threads, shared_doubles,
               [=] { kernel(s, f, count, realizations, given, workspace, fields, values); });
    return 0;
  };
  if (entry == "shared") return run(greens_function_shared);
  if (entry == "split") return run(greens_function_split);
  if (entry == "global") return run(greens_function_global);
  return 1;
}
}

int main(int count_of_arguments, char** arguments) {
  const auto parts = [](const Conductor& s, const LayerInputs& f, int64* sizes) {
    greens_workspace_parts(&s, &f, sizes);
  };
  return check<LayerInputs>(count_of_arguments, arguments, parts, greens_launch);
}
