// Lyapunov exponents of disordered bars: frames stepped on and on, kept orthonormal, the growth of each column added up.
//
// One block (host: one call of the body) is one group of LANES bars at a time; on CUDA, LANES is 1.
//
// The frame starts as psi_{-1} = 0, psi_0 = 1 and is stepped along the bar (steps.cuh); every `interval` slices X^dagger X =
// R^dagger R, X <- X R^-1. The sums of ln R_ii over the slices, largest first but for noise, become the exponents.
// A factor whose diagonal spreads over kappa is off by eps kappa^2, and the next one finds what it has missed: X R^-1 spans
// what X spans, up to eps kappa, which is what a sum of logarithms loses. The kernel tells the sum of kappa and the largest;
// beyond 1 / sqrt(eps) there is no factor. A single enormous energy spreads a slice that far: an interval of 0 factorises
// the growth of every slice in two halves.
#include "bars.cuh"
#include "coefficients.cuh"

#define MOST_THREADS 256  // of a block
#define CERTIFICATE 2     // numbers a bar: sum of kappa over all factorisations, and the largest

// psi_{-1} = 0 and psi_0 = 1.
template <typename NUMBER>
DEVICE void begin(const BarWorkspace<NUMBER>& w) {
  for (int t = threadIdx.x; t < 2 * w.orbitals * w.row; t += blockDim.x) {
    const int i = t / w.row - w.orbitals, j = t % w.row - w.padding;
    w.frame[t] = number_from<NUMBER>(in_all_lanes(i >= 0 && i == j ? 1.0 : 0.0));
  }
}

// Makes the frame orthonormal and adds the growth of its columns to `sums` (D).
template <typename NUMBER>
DEVICE void stabilise(const BarWorkspace<NUMBER>& w, real* RESTRICT sums, real& spread_sum, real& largest) {
  gram(w.frame, 2 * w.orbitals, w.columns, w.row, w.padding, w.gram);
  cholesky(w.gram, w.columns, w.inverses);
  const real spread = diagonal_spread(w.gram, w.columns, w.padding);
  spread_sum += spread;
  largest = larger(largest, spread);
  for (int i = threadIdx.x; i < w.orbitals; i += blockDim.x)
    sums[i] += natural_logarithm(real_part(w.gram[(w.padding + i) * (w.columns + 1)]));
  solve_rows(w.frame, 2 * w.orbitals, w.row, w.gram, w.columns, w.inverses, 0, false, 0);
}

DEVICE real magnitude(const cplx& a) { return larger(absolute(a.re), absolute(a.im)); }
DEVICE real magnitude(real a) { return absolute(a); }

// Divides each row of the newest slice by the square root of its size, a power of two, where that is above 1.
template <typename NUMBER>
DEVICE void halve_growth(const BarWorkspace<NUMBER>& w, NUMBER* here) {
  for (int i = threadIdx.x; i < w.orbitals; i += blockDim.x) {
    NUMBER* row = here + i * w.row;
    real largest_of_row = in_all_lanes(1.0);
    for (int j = w.padding; j < w.columns; j++) largest_of_row = larger(largest_of_row, magnitude(row[j]));
    w.scales[i] = inverse_power_of_two(exponent_of(largest_of_row) >> 1);
    for (int j = w.padding; j < w.columns; j++) row[j] = scaled(row[j], w.scales[i]);
  }
  __syncthreads();
}

// Multiplies the rows by what they were divided by.
template <typename NUMBER>
DEVICE void complete_growth(const BarWorkspace<NUMBER>& w, NUMBER* here) {
  for (int i = threadIdx.x; i < w.orbitals; i += blockDim.x) {
    const real scale = 1.0 / w.scales[i];
    for (int j = w.padding; j < w.columns; j++) here[i * w.row + j] = scaled(here[i * w.row + j], scale);
  }
  __syncthreads();
}

// A group of bars.
//
// realizations : (LANES) uint32, Philox key word 1
// given        : (slices, sites) reals, onsite energies from the host; or null
// memory       : workspace, bar_reals
// sums         : (marks, D) reals, of ln R_ii from one mark to the next
// certificate  : (CERTIFICATE) reals
template <typename NUMBER>
DEVICE void bar_group(const Conductor& s, const BarInputs& f, const uint32* realizations, const real* given,
                      real* memory, real* sums, real* certificate) {
  const BarWorkspace<NUMBER> w = lay_out_bar<NUMBER>(s, memory);
  const lane_bits realization = load_lanes(realizations);
  NUMBER *behind = w.frame, *here = w.frame + w.orbitals * w.row;
  begin(w);
  real spread_sum = in_all_lanes(0.0), largest = in_all_lanes(1.0);
  const int most = f.interval > 0 ? f.interval : 1;
  int x = 0;
  for (int mark = 0; mark < f.marks; mark++) {
    real* sum = sums + mark * w.orbitals;
    for (int i = threadIdx.x; i < w.orbitals; i += blockDim.x) sum[i] = in_all_lanes(0.0);
    while (x < f.ends[mark]) {
      const int left = f.ends[mark] - x, count = left < most ? left : most;
      draw_slices(s, x, count, realization, given, w.records);
      advance(s, f.steps, w, x, count, -1, behind, here);
      x += count;
      // A second factor at a mark, so that what the first has missed counts on this side of it.
      const int halved = f.interval == 0, factors = 1 + halved + (x == f.ends[mark]);
      for (int factor = 0; factor < factors; factor++) {
        if (factor < halved) halve_growth(w, here);
        stabilise(w, sum, spread_sum, largest);
        if (factor < halved) complete_growth(w, here);
      }
    }
  }
  if (threadIdx.x == 0) {
    certificate[0] = spread_sum;
    certificate[1] = largest + 0.0 * spread_sum;  // NaN where any was
  }
}

DEVICE void bars(const Conductor& s, const BarInputs& f, const uint32* realizations, const real* given, real* memory,
                 real* sums, real* certificate) {
  if (has_real_frames(s))
    bar_group<real>(s, f, realizations, given, memory, sums, certificate);
  else
    bar_group<cplx>(s, f, realizations, given, memory, sums, certificate);
}

#if LANES == 1

// Bars blockIdx.x, blockIdx.x + gridDim.x, ... of `count`, one after the other in the same workspace.
DEVICE void bar_block(const Conductor& s, const BarInputs& f, int64 count, const uint32* realizations,
                      const double* given, real* memory, double* sums, double* certificates) {
  for (int64 i = blockIdx.x; i < count; i += gridDim.x)
    bars(s, f, realizations + i, given ? given + i * s.slices * s.sites : nullptr, memory,
         sums + i * f.marks * s.sites * s.spins, certificates + i * CERTIFICATE);
}

// Two entries, by where the workspace fits: see transmission.cu.
//
// workspace : `gridDim.x` times bar_reals, 16-byte aligned; unused by the first
extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    lyapunov_shared(Conductor s, BarInputs f, int64 count, const uint32* realizations, const double* given, double*,
                    double* sums, double* certificates) {
  SHARED_MEMORY(memory);
  bar_block(s, f, count, realizations, given, memory, sums, certificates);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    lyapunov_global(Conductor s, BarInputs f, int64 count, const uint32* realizations, const double* given,
                    double* workspace, double* sums, double* certificates) {
  bar_block(s, f, count, realizations, given, workspace + blockIdx.x * bar_reals(s), sums, certificates);
}

#else

extern "C" {
int lyapunov_lanes() { return LANES; }

// Doubles that `memory` must hold, 64-byte aligned.
int64 lyapunov_workspace(const Conductor* s) { return LANES * bar_reals(*s); }

// groups * LANES bars, one group after the other on the calling thread.
//
// given : (groups, slices, sites, LANES), 64-byte aligned, onsite energies from the host; or null
void lyapunov(const Conductor* s, const BarInputs* f, int64 groups, const uint32* realizations, const double* given,
              double* memory, double* sums, double* certificates) {
  for (int64 group = 0; group < groups; group++)
    bars(*s, *f, realizations + group * LANES,
         given ? (const real*)(given + group * s->slices * s->sites * LANES) : nullptr, (real*)memory,
         (real*)(sums + group * f->marks * s->sites * s->spins * LANES),
         (real*)(certificates + group * CERTIFICATE * LANES));
}
}

#endif
