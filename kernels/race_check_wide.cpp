// The race check of the steps of wide frames: see race_check.cpp and thread_block.hpp.
//
// ENTRY is complex or real. The program takes the start frame, which is of such numbers, through all intervals, with nothing
// in between, and writes (count, 2, D, D) of them.
#ifndef MESOGPU_RACE_CHECK
#define MESOGPU_RACE_CHECK
#endif
#include "amplitudes.cuh"
#include "wide.cu"
#include "workspace.cuh"
#include "thread_block.hpp"

// One launch; pointers are to this process's memory. Returns 0, or 1 for an unknown entry.
extern "C" int wide_launch(const char* name, int blocks, int threads, const Conductor* conductor, const StepOrder* order,
                           const Stretch* stretch, int64 count, const uint32* realizations, const double* given,
                           double* records, double* frames) {
  const std::string entry = name;
  const Conductor s = *conductor;
  const StepOrder steps = *order;
  const Stretch x = *stretch;
  const auto run = [=](auto kernel) {
    run_blocks(blocks, threads, 0, [=] { kernel(s, steps, x, count, realizations, given, records, frames); });
    return 0;
  };
  if (entry == "complex") return run(wide_complex);
  if (entry == "real") return run(wide_real);
  return 1;
}

int main(int count_of_arguments, char** arguments) {
  if (count_of_arguments < 4) fail("usage: PROGRAM ENTRY THREADS BLOCKS [FILE:LINE] < case > results");
  const int threads = std::atoi(arguments[2]), blocks = std::atoi(arguments[3]);
  if (count_of_arguments > 4) left_out = arguments[4];
  const Case<FrameInputs> c = read_case<FrameInputs>();
  const int64 parts = std::string(arguments[1]) == "real" ? 1 : 2, orbitals = c.s.sites * c.s.spins;
  const int64 frame = 2 * parts * orbitals * orbitals;
  std::vector<double> records = unwritten(c.count * record_reals(c.s)), frames = unwritten(c.count * frame);
  for (int64 i = 0; i < c.count; i++) std::memcpy(aligned(frames) + i * frame, c.f.start, frame * sizeof(double));
  Stretch x = {0, 0, 0, 1, 0};
  for (int record = 0; record < c.s.recorded; record++) {
    x.length = c.s.lengths[record];
    for (x.leaves = record > 0; x.first < x.length; x.leaves = 0) {
      x.count = x.length - x.first < c.f.interval ? x.length - x.first : c.f.interval;
      if (wide_launch(arguments[1], blocks, threads, &c.s, &c.f.steps, &x, c.count, c.realizations.data(),
                      c.given.empty() ? nullptr : c.given.data(), records.data(), aligned(frames)))
        fail("ENTRY is complex or real");
      x.first += x.count;
      x.here = (x.here + x.count) % 2;
    }
  }
  std::fwrite(aligned(frames), sizeof(double), c.count * frame, stdout);
  return 0;
}
