// The race check of the steps of wide frames: see race_check.cpp and thread_block.hpp.
//
// The program takes the start frame through all intervals, with nothing in between, and writes (count, 2, D, D) complex.
#ifndef MESOGPU_RACE_CHECK
#define MESOGPU_RACE_CHECK
#endif
#include "amplitudes.cuh"
#include "wide.cu"
#include "thread_block.hpp"

// One launch; pointers are to this process's memory.
extern "C" void wide_launch(int blocks, int threads, const Conductor* conductor, const FrameInputs* inputs,
                            const Stretch* stretch, int64 count, const uint32* realizations, const double* given,
                            double* records, double* frames) {
  const Conductor s = *conductor;
  const FrameInputs f = *inputs;
  const Stretch x = *stretch;
  run_blocks(blocks, threads, 0, [=] { wide_steps(s, f, x, count, realizations, given, records, frames); });
}

int main(int count_of_arguments, char** arguments) {
  if (count_of_arguments < 4) fail("usage: PROGRAM ENTRY THREADS BLOCKS [FILE:LINE] < case > results");
  const int threads = std::atoi(arguments[2]), blocks = std::atoi(arguments[3]);
  if (count_of_arguments > 4) left_out = arguments[4];
  const Case<FrameInputs> c = read_case<FrameInputs>();
  const int64 frame = 4 * (int64)(c.s.sites * c.s.spins) * (c.s.sites * c.s.spins);
  std::vector<double> records = unwritten(c.count * record_reals(c.s)), frames = unwritten(c.count * frame);
  for (int64 i = 0; i < c.count; i++) std::memcpy(aligned(frames) + i * frame, c.f.start, frame * sizeof(double));
  Stretch x = {0, 0, 0, 1, 0};
  for (int record = 0; record < c.s.recorded; record++) {
    x.length = c.s.lengths[record];
    for (x.leaves = record > 0; x.first < x.length; x.leaves = 0) {
      x.count = x.length - x.first < c.f.interval ? x.length - x.first : c.f.interval;
      wide_launch(blocks, threads, &c.s, &c.f, &x, c.count, c.realizations.data(),
                  c.given.empty() ? nullptr : c.given.data(), records.data(), aligned(frames));
      x.first += x.count;
      x.here = (x.here + x.count) % 2;
    }
  }
  std::fwrite(aligned(frames), sizeof(double), c.count * frame, stdout);
  return 0;
}
