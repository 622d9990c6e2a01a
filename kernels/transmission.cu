// Transmission through disordered conductors: complex frames from the modes of lead 0, every length on one pass.
//
// One block (host: one call of the body) is one group of LANES realizations at a time; on CUDA, LANES is 1.
//
// The frame starts as lead 0's outgoing waves on slices -1 and 0 and is stepped through the sample (steps.cuh); every
// `interval` slices X^dagger X = R^dagger R, X <- X R^-1, P <- P R^-1. At a recorded length lead 1 turns the frame into
// incoming amplitudes A = incoming X; with A = Q R, the amplitudes from lead 1 to lead 0 are t' = P R^-1 Q^dagger.
// Columns: padding, evanescent modes, then the N propagating ones, so that only the last N rows and columns of P matter.
#include "amplitudes.cuh"
#include "coefficients.cuh"
#include "workspace.cuh"

#define MOST_THREADS 256  // of a block

// Makes the frame orthonormal and carries the change in P, whose largest diagonal entry becomes 1 to within a factor 2.
DEVICE void stabilise(const Conductor& s, const Workspace& w, real& conditioning, real& exponent) {
  gram(w.frame, 2 * w.orbitals, w.columns, w.row, w.padding, w.gram);
  cholesky(w.gram, w.columns, w.inverses);
  conditioning = larger(conditioning, diagonal_spread(w.gram, w.columns, w.padding));
  solve_rows(w.frame, 2 * w.orbitals, w.row, w.gram, w.columns, w.inverses, 0, false, 0);
  const int ld = w.history_row, shift = w.history_columns - s.channels;
  solve_rows(w.history, s.channels, ld, w.gram, w.columns, w.inverses, w.history_first, true, shift);
  real largest = w.history[shift].re;
  for (int i = 1; i < s.channels; i++) largest = larger(largest, w.history[i * ld + shift + i].re);
  const lane_bits power = exponent_of(largest);
  const real scale = inverse_power_of_two(power);
  exponent += number_of(power);
  __syncthreads();
  for (int t = threadIdx.x; t < s.channels * ld; t += blockDim.x) {
    w.history[t].re *= scale;
    w.history[t].im *= scale;
  }
}

// target (rows, columns) = matrix (D, 2 D) times the frame, whose slices are `behind` and `here`.
DEVICE void project(const Workspace& w, const double* RESTRICT matrix, const cplx* behind,
                    const cplx* here, cplx* RESTRICT target) {
  const int blocks = w.columns / TILE, pairs = (w.orbitals + TILE_ROWS - 1) / TILE_ROWS;
  for (int task = threadIdx.x; task < pairs * blocks; task += blockDim.x) {
    const int i0 = TILE_ROWS * (task / blocks), j0 = TILE * (task % blocks);
    const int i1 = i0 + 1 < w.orbitals ? i0 + 1 : i0;
    const double* coefficients[TILE_ROWS] = {matrix + 4 * w.orbitals * i0, matrix + 4 * w.orbitals * i1};
    cplx sum[TILE_ROWS][TILE];
    for (int r = 0; r < TILE_ROWS; r++)
      for (int c = 0; c < TILE; c++) sum[r][c] = {here[0].re * 0.0, here[0].re * 0.0};
    for (int side = 0; side < 2; side++) {
      const cplx* slice = side ? here : behind;
      for (int k = 0; k < w.orbitals; k++) {
        const cplx* row = slice + k * w.row + j0;
        const int at = 2 * (side * w.orbitals + k);
UNROLL
        for (int c = 0; c < TILE; c++) {
          const cplx b = row[c];
UNROLL
          for (int r = 0; r < TILE_ROWS; r++) {
            const double re = coefficients[r][at], im = coefficients[r][at + 1];
            sum[r][c].re += re * b.re;
            sum[r][c].re -= im * b.im;
            sum[r][c].im += re * b.im;
            sum[r][c].im += im * b.re;
          }
        }
      }
    }
    for (int c = 0; c < TILE; c++) {
      target[i1 * w.row + j0 + c] = sum[1][c];
      target[i0 * w.row + j0 + c] = sum[0][c];
    }
  }
  __syncthreads();
}

// t' = (P R^-1) Q^dagger on the propagating modes, (channels, channels), in the place of R.
DEVICE void combine(const Conductor& s, const Workspace& w, const cplx* incoming_rows) {
  const int N = s.channels, shift = w.history_columns - N, target = padded(N);
  for (int task = threadIdx.x; task < N * target; task += blockDim.x) {
    const int i = task / target, j = task % target;
    cplx sum = {incoming_rows[0].re * 0.0, incoming_rows[0].re * 0.0};
    if (j < N) {
      const cplx* p = w.history_here + i * w.history_row + shift;
      const cplx* q = incoming_rows + j * w.row + w.columns - N;
      for (int k = i; k < N; k++) add_conjugate_product(sum, q[k], p[k]);
    }
    w.gram[i * target + j] = sum;
  }
  __syncthreads();
}

// |R + T - N| for one incoming wave, all propagating modes with amplitude 1: A c = b gives T = |P c|^2, R = |outgoing X c|^2.
// outgoing : (N, 2 D) complex, of lead 1 as it begins here
DEVICE real flux_defect(const Conductor& s, const Workspace& w, const double* outgoing, const cplx* incoming_rows,
                        const cplx* behind, const cplx* here, real exponent) {
  const int N = s.channels, columns = w.columns, shift = w.history_columns - N;
  cplx *c = w.vector, *wave = w.vector + columns;
  real *forward = (real*)(w.vector + 3 * columns), *back = forward + columns;
  const real zero = exponent * 0.0;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) {
    c[k] = {zero, zero};
    for (int i = 0; i < N; i++) {
      c[k].re += incoming_rows[i * w.row + k].re;
      c[k].im -= incoming_rows[i * w.row + k].im;
    }
  }
  __syncthreads();
  if (threadIdx.x == 0)
    for (int k = columns - 1; k >= w.padding; k--) {
      const real scale = 1.0 / w.gram[k * columns + k].re;
      for (int j = k + 1; j < columns; j++) subtract_product(c[k], w.gram[k * columns + j], c[j]);
      c[k].re *= scale;
      c[k].im *= scale;
    }
  __syncthreads();
  for (int i = threadIdx.x; i < 2 * w.orbitals; i += blockDim.x) {
    const cplx* row = i < w.orbitals ? behind + i * w.row : here + (i - w.orbitals) * w.row;
    wave[i] = {zero, zero};
    for (int k = w.padding; k < columns; k++) add_product(wave[i], row[k], c[k]);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += blockDim.x) {
    cplx out = {zero, zero}, mirrored = {zero, zero};
    for (int k = i; k < N; k++) add_product(out, w.history[i * w.history_row + shift + k], c[columns - N + k]);
    for (int k = 0; k < 2 * w.orbitals; k++) {
      const double re = outgoing[2 * (2 * w.orbitals * i + k)], im = outgoing[2 * (2 * w.orbitals * i + k) + 1];
      mirrored.re += re * wave[k].re - im * wave[k].im;
      mirrored.im += re * wave[k].im + im * wave[k].re;
    }
    forward[i] = modulus_squared(out);
    back[i] = modulus_squared(mirrored);
  }
  __syncthreads();
  real transmitted = zero, reflected = zero;
  for (int i = 0; i < N; i++) {
    transmitted += forward[i];
    reflected += back[i];
  }
  // 2^(2 exponent) in two exact factors of 2^exponent; far below the smallest number it is 0.
  const real power = power_of_two(exponent);
  const real defect = transmitted * power * power + reflected - (double)N;
  return larger(defect, -defect);
}

// Lead 1 at length L, whose frame ends with chi_L: writes FIELDS numbers a lane, and T_n / 4^e where `values` is given.
DEVICE void attach(const Conductor& s, const FrameInputs& f, const Workspace& w, int length, const cplx* behind,
                   const cplx* here, real conditioning, real exponent, real* RESTRICT fields, real* RESTRICT values) {
  const int N = s.channels, ahead = parity_of(s, length - 1);
  project(w, f.incoming + 4 * (int64)ahead * w.orbitals * w.orbitals, behind, here, w.projected);
  gram(w.projected, w.orbitals, w.columns, w.row, w.padding, w.gram);
  cholesky(w.gram, w.columns, w.inverses);
  cplx* incoming_rows = w.projected + (w.orbitals - N) * w.row;
  solve_rows(incoming_rows, N, w.row, w.gram, w.columns, w.inverses, 0, false, 0);
  for (int t = threadIdx.x; t < N * w.history_row; t += blockDim.x) w.history_here[t] = w.history[t];
  __syncthreads();
  solve_rows(w.history_here, N, w.history_row, w.gram, w.columns, w.inverses, w.history_first, true,
             w.history_columns - N);
  const double* outgoing = f.outgoing + 4 * (int64)ahead * N * w.orbitals;
  const real defect = flux_defect(s, w, outgoing, incoming_rows, behind, here, exponent);
  const real spread = diagonal_spread(w.gram, w.columns, w.padding);
  __syncthreads();
  combine(s, w, incoming_rows);
  record_amplitudes(w.gram, w.projected, w.vector, N, exponent, defect, larger(conditioning, spread), fields, values);
}

// The frame at lead 0, and its P.
DEVICE void begin(const Conductor& s, const FrameInputs& f, const Workspace& w) {
  const int N = s.channels, D = w.orbitals;
  for (int t = threadIdx.x; t < 2 * D * w.row; t += blockDim.x) {
    const int i = t / w.row, j = t % w.row - w.padding;
    const bool inside = j >= 0 && j < D;
    const double* start = f.start + (inside ? 2 * (i * D + j) : 0);
    w.frame[t] = {in_all_lanes(inside ? start[0] : 0.0), in_all_lanes(inside ? start[1] : 0.0)};
  }
  for (int t = threadIdx.x; t < N * w.history_row; t += blockDim.x) {
    const int i = t / w.history_row, j = t % w.history_row - (w.history_columns - N);
    const bool inside = j >= 0 && j < N;
    const double* start = f.start_history + (inside ? 2 * (i * N + j) : 0);
    w.history[t] = {in_all_lanes(inside ? start[0] : 0.0), in_all_lanes(inside ? start[1] : 0.0)};
  }
}

// All recorded lengths of one group.
//
// realizations : (LANES) uint32, Philox key word 1
// given        : (slices, sites) reals, onsite energies from the host; or null
// near, far    : workspace, near_reals and far_reals
// fields       : (recorded, FIELDS) reals, see `record_amplitudes`
// values       : (recorded, channels) reals, T_n / 4^e, descending; or null
DEVICE void transmission_group(const Conductor& s, const FrameInputs& f, const uint32* realizations,
                               const real* given, real* near, real* far, real* fields, real* values) {
  const Workspace w = lay_out(s, near, far);
  const lane_bits realization = load_lanes(realizations);
  cplx *behind = w.frame, *here = w.frame + w.orbitals * w.row;
  begin(s, f, w);
  real conditioning = in_all_lanes(1.0), exponent = in_all_lanes(0.0);
  int x = 0;
  for (int record = 0; record < s.recorded; record++) {
    const int length = s.lengths[record];
    while (x < length) {
      const int count = length - x < f.interval ? length - x : f.interval;
      draw_slices(s, x, count, realization, given, w.records);
      advance(s, f.steps, w, x, count, length, behind, here);
      stabilise(s, w, conditioning, exponent);
      x += count;
    }
    attach(s, f, w, length, behind, here, conditioning, exponent, fields + record * FIELDS,
           values ? values + record * s.channels : nullptr);
    if (record + 1 < s.recorded) leave_lead(s, w, length, here);
  }
}

#if LANES == 1

// Realizations blockIdx.x, blockIdx.x + gridDim.x, ... of `count`, one after the other in the same workspace.
DEVICE void transmission_block(const Conductor& s, const FrameInputs& f, int64 count, const uint32* realizations,
                               const double* given, real* near, real* far, double* fields, double* values) {
  for (int64 i = blockIdx.x; i < count; i += gridDim.x)
    transmission_group(s, f, realizations + i, given ? given + i * s.slices * s.sites : nullptr, near, far,
                       fields + i * s.recorded * FIELDS, values ? values + i * s.recorded * s.channels : nullptr);
}

// Three entries, by where the workspace fits: in shared memory, its near part alone, or not at all. They differ in nothing
// else; three, because the compiler must know a pointer's memory to use the instructions of that memory.
//
// workspace : `gridDim.x` times what is not in shared memory, reals, 16-byte aligned; unused by the first
extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    transmission_shared(Conductor s, FrameInputs f, int64 count, const uint32* realizations, const double* given,
                        double*, double* fields, double* values) {
  SHARED_MEMORY(memory);
  transmission_block(s, f, count, realizations, given, memory, memory + near_reals(s), fields, values);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    transmission_split(Conductor s, FrameInputs f, int64 count, const uint32* realizations, const double* given,
                       double* workspace, double* fields, double* values) {
  SHARED_MEMORY(memory);
  transmission_block(s, f, count, realizations, given, memory, workspace + blockIdx.x * far_reals(s), fields, values);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    transmission_global(Conductor s, FrameInputs f, int64 count, const uint32* realizations, const double* given,
                        double* workspace, double* fields, double* values) {
  double* memory = workspace + blockIdx.x * (near_reals(s) + far_reals(s));
  transmission_block(s, f, count, realizations, given, memory, memory + near_reals(s), fields, values);
}

#else

extern "C" {
int transmission_lanes() { return LANES; }

// Doubles that `memory` must hold, 64-byte aligned.
int64 transmission_workspace(const Conductor* s) { return LANES * (near_reals(*s) + far_reals(*s)); }

// groups * LANES realizations, one group after the other on the calling thread.
//
// given : (groups, slices, sites, LANES), 64-byte aligned, onsite energies from the host; or null
void transmission(const Conductor* s, const FrameInputs* f, int64 groups, const uint32* realizations,
                  const double* given, double* memory, double* fields, double* values) {
  real *near = (real*)memory, *far = near + near_reals(*s);
  for (int64 group = 0; group < groups; group++)
    transmission_group(*s, *f, realizations + group * LANES,
                       given ? (const real*)(given + group * s->slices * s->sites * LANES) : nullptr, near, far,
                       (real*)(fields + group * s->recorded * FIELDS * LANES),
                       values ? (real*)(values + group * s->recorded * s->channels * LANES) : nullptr);
}
}

#endif
