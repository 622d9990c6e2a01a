// The race check of the Lyapunov kernel: see race_check.cpp and thread_block.hpp. ENTRY is shared or global.
//
// The program writes (count, marks, D) sums of ln R_ii, and then (count, CERTIFICATE).
#ifndef MESOGPU_RACE_CHECK
#define MESOGPU_RACE_CHECK
#endif
#include "amplitudes.cuh"
#include "lyapunov.cu"
#include "thread_block.hpp"

extern "C" {

// Doubles of the near and of the far part of a workspace.
void bars_workspace_parts(const Conductor* s, const BarInputs*, int64 parts[2]) {
  parts[0] = bar_reals(*s);
  parts[1] = 0;
}

// One launch; pointers are to this process's memory. Returns 0, or 1 for an unknown entry.
int bars_launch(const char* name, int blocks, int threads, int64 shared_doubles, const Conductor* conductor,
                const BarInputs* inputs, int64 count, const uint32* realizations, const double* given,
                double* workspace, double* sums, double* certificates) {
  const std::string entry = name;
  const Conductor s = *conductor;
  const BarInputs f = *inputs;
  const auto run = [=](auto kernel) {
    run_blocks(blocks, threads, shared_doubles,
               [=] { kernel(s, f, count, realizations, given, workspace, sums, certificates); });
    return 0;
  };
  if (entry == "shared") return run(lyapunov_shared);
  if (entry == "global") return run(lyapunov_global);
  return 1;
}
}

int main(int count_of_arguments, char** arguments) {
  if (count_of_arguments < 4) fail("usage: PROGRAM ENTRY THREADS BLOCKS [FILE:LINE] < case > results");
  const int threads = std::atoi(arguments[2]), blocks = std::atoi(arguments[3]);
  if (count_of_arguments > 4) left_out = arguments[4];
  const Case<BarInputs> c = read_case<BarInputs>();
  const int64 size = bar_reals(c.s);
  std::vector<double> workspace = unwritten(blocks * size);
  std::vector<double> sums(c.count * c.f.marks * c.s.sites * c.s.spins, NAN), certificates(c.count * CERTIFICATE, NAN);
  if (bars_launch(arguments[1], blocks, threads, std::string(arguments[1]) == "shared" ? size : 0, &c.s, &c.f, c.count,
                  c.realizations.data(), c.given.empty() ? nullptr : c.given.data(), aligned(workspace), sums.data(),
                  certificates.data()))
    fail("ENTRY is shared or global");
  std::fwrite(sums.data(), sizeof(double), sums.size(), stdout);
  std::fwrite(certificates.data(), sizeof(double), certificates.size(), stdout);
  return 0;
}
