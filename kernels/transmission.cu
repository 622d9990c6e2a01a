// Transmission through disordered strips: complex frames from the modes of lead 0, every length on one pass.
//
// One block (host: one call of the body) is one group of LANES realizations at a time; on CUDA, LANES is 1.
//
// The frame starts as lead 0's outgoing waves on slices -1 and 0 and is stepped through the sample,
//     psi_{x+1} = w [ e psi_x - (neighbours of psi_x) - w psi_{x-1} ],   e = -(E - V) / t,   w = exp(2 pi i flux y);
// every `interval` slices X^dagger X = R^dagger R, X <- X R^-1, P <- P R^-1. At a recorded length lead 1 turns the frame
// into incoming amplitudes A = incoming X; with A = Q R, the amplitudes from lead 1 to lead 0 are t' = P R^-1 Q^dagger.
// Columns: padding, evanescent modes, then the N propagating ones, so that only the last N rows and columns of P matter.
#include "disorder.cuh"
#include "eigenvalues.cuh"
#include "frames.cuh"
#include "strip.cuh"

#define SITES_PER_CELL 4
#define MOST_THREADS 256  // of a block
#define FIELDS 5          // exponent, trace, square_trace, defect, conditioning: see `transmission_group`

// e = -(E - V) / t on `count` slices from `first` on, (count, width). Its barrier also ends whatever phase came before.
DEVICE void onsite_energies(const Strip& s, int first, int count, lane_bits realization, real* RESTRICT e) {
  const int cells = (s.width + SITES_PER_CELL - 1) / SITES_PER_CELL;
  const double scale = 1.0 / s.hopping;
  for (int task = threadIdx.x; task < count * cells; task += blockDim.x) {
    const int slice = task / cells, cell = task % cells;
    real value[SITES_PER_CELL];
    for (int site = 0; site < SITES_PER_CELL; site++) value[site] = number_of(realization) * 0.0 - s.energy * scale;
    for (int law = 0; law < s.laws; law++)
      add_law(s.law_kinds[law], s.law_parameters + LAW_PARAMETERS * law, scale, cell, first + slice, STREAMS_PER_LAW * law,
              s.point, s.seed, realization, value);
    for (int site = 0; site < SITES_PER_CELL; site++)
      if (SITES_PER_CELL * cell + site < s.width) e[slice * s.width + SITES_PER_CELL * cell + site] = value[site];
  }
  __syncthreads();
}

// Row i of `behind` <- that of the slice after `here`; e: (width) of that slice. The thread's share of columns.
DEVICE void step_row(const Strip& s, const Workspace& w, cplx* RESTRICT behind, const cplx* RESTRICT here,
                     const real* RESTRICT e, int i, const Share& mine) {
  const int ld = w.row, last = s.width - 1;
  const cplx* row = here + i * ld;
  const cplx* below = i > 0 ? row - ld : (s.periodic ? here + last * ld : nullptr);
  const cplx* above = i < last ? row + ld : (s.periodic ? here : nullptr);
  cplx* target = behind + i * ld;
  const real onsite = e[i];
  const double wr = s.twisted ? s.twist[2 * i] : 1.0, wi = s.twisted ? s.twist[2 * i + 1] : 0.0;
  for (int j = w.padding + mine.column; j < w.columns; j += mine.columns) {
    real re = onsite * row[j].re, im = onsite * row[j].im;
    if (below) {
      re -= below[j].re;
      im -= below[j].im;
    }
    if (above) {
      re -= above[j].re;
      im -= above[j].im;
    }
    if (s.twisted) {
      const cplx old = target[j];
      re -= wr * old.re - wi * old.im;
      im -= wr * old.im + wi * old.re;
      target[j] = {wr * re - wi * im, wr * im + wi * re};
    } else {
      target[j] = {re - target[j].re, im - target[j].im};
    }
  }
}

// behind <- the slice after `here`. Each number of `behind` is one thread's alone.
DEVICE void step(const Strip& s, const Workspace& w, cplx* behind, const cplx* here, const real* e) {
  const Share mine = share_of(w.columns, s.width);
  for (int i = mine.row; i < s.width; i += mine.rows) step_row(s, w, behind, here, e, i, mine);
}

// The same twice, `behind` and then `here`, for a single thread: a row of the second slice follows as soon as its
// neighbours in the first are there, while they are still in the nearest cache. Energies of both in e (2, width).
DEVICE void two_steps(const Strip& s, const Workspace& w, cplx* behind, cplx* here, const real* e) {
  const Share all = {0, 1, 0, 1};
  const int last = s.width - 1, first = s.periodic ? 1 : 0;  // around a ring, row 0 waits for the last row
  for (int i = 0; i <= last; i++) {
    step_row(s, w, behind, here, e, i, all);
    if (i > first) step_row(s, w, here, behind, e + s.width, i - 1, all);
  }
  step_row(s, w, here, behind, e + s.width, last, all);
  if (s.periodic) step_row(s, w, here, behind, e + s.width, 0, all);
}

// Largest over smallest diagonal entry of R: what the Gram product squared.
DEVICE real diagonal_spread(const Workspace& w) {
  real most = w.gram[w.padding * w.columns + w.padding].re, least = most;
  for (int i = w.padding + 1; i < w.columns; i++) {
    const real d = w.gram[i * w.columns + i].re;
    most = larger(most, d);
    least = smaller(least, d);
  }
  return most / least;
}

// Makes the frame orthonormal and carries the change in P, whose largest diagonal entry becomes 1 to within a factor 2.
DEVICE void stabilise(const Strip& s, const Workspace& w, real& conditioning, real& exponent) {
  gram(w.frame, 2 * s.width, w.columns, w.row, w.padding, w.gram);
  cholesky(w.gram, w.columns, w.inverses);
  conditioning = larger(conditioning, diagonal_spread(w));
  solve_rows(w.frame, 2 * s.width, w.row, w.gram, w.columns, w.inverses, 0, false, 0);
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

// target (rows, columns) = matrix (rows, 2 width) times the frame, whose slices are `behind` and `here`.
DEVICE void project(const Strip& s, const Workspace& w, const double* RESTRICT matrix, const cplx* behind,
                    const cplx* here, cplx* RESTRICT target) {
  const int blocks = w.columns / TILE, pairs = (s.width + TILE_ROWS - 1) / TILE_ROWS;
  for (int task = threadIdx.x; task < pairs * blocks; task += blockDim.x) {
    const int i0 = TILE_ROWS * (task / blocks), j0 = TILE * (task % blocks);
    const int i1 = i0 + 1 < s.width ? i0 + 1 : i0;
    const double* coefficients[TILE_ROWS] = {matrix + 4 * s.width * i0, matrix + 4 * s.width * i1};
    cplx sum[TILE_ROWS][TILE];
    for (int r = 0; r < TILE_ROWS; r++)
      for (int c = 0; c < TILE; c++) sum[r][c] = {here[0].re * 0.0, here[0].re * 0.0};
    for (int side = 0; side < 2; side++) {
      const cplx* slice = side ? here : behind;
      for (int k = 0; k < s.width; k++) {
        const cplx* row = slice + k * w.row + j0;
        const int at = 2 * (side * s.width + k);
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
DEVICE void combine(const Strip& s, const Workspace& w, const cplx* incoming_rows) {
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
DEVICE real flux_defect(const Strip& s, const Workspace& w, const cplx* incoming_rows, const cplx* behind,
                        const cplx* here, real exponent) {
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
  for (int i = threadIdx.x; i < 2 * s.width; i += blockDim.x) {
    const cplx* row = i < s.width ? behind + i * w.row : here + (i - s.width) * w.row;
    wave[i] = {zero, zero};
    for (int k = w.padding; k < columns; k++) add_product(wave[i], row[k], c[k]);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += blockDim.x) {
    cplx out = {zero, zero}, mirrored = {zero, zero};
    for (int k = i; k < N; k++) add_product(out, w.history[i * w.history_row + shift + k], c[columns - N + k]);
    for (int k = 0; k < 2 * s.width; k++) {
      const double re = s.outgoing[2 * (2 * s.width * i + k)], im = s.outgoing[2 * (2 * s.width * i + k) + 1];
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

// Tr H and Tr H^2 of the Hermitian H = t'^dagger t' by its upper tiles (N, ld).
DEVICE void traces(const cplx* H, int N, int ld, real& trace, real& square) {
  trace = H[0].re * 0.0;
  square = trace;
  for (int i = 0; i < N; i++) {
    const real d = H[i * ld + i].re;
    trace += d;
    square += d * d;
    for (int j = i + 1; j < N; j++) square += 2.0 * modulus_squared(H[i * ld + j]);
  }
}

// Eigenvalues, descending, of the Hermitian H by its upper tiles (N, ld); w.gram is the place of work.
DEVICE void eigenvalues(const Workspace& w, const cplx* H, int N, int ld, real* RESTRICT values) {
  for (int t = threadIdx.x; t < N * N; t += blockDim.x) {
    const int i = t / N, j = t % N;
    const cplx upper = H[i < j ? i * ld + j : j * ld + i];
    w.gram[i * ld + j] = {upper.re, i > j ? -upper.im : upper.im};
  }
  __syncthreads();
  real *diagonal = (real*)(w.vector + 2 * w.columns), *off_diagonal = diagonal + w.columns;
  tridiagonal_form(w.gram, N, ld, diagonal, off_diagonal, w.vector, w.vector + w.columns);
  if (threadIdx.x == 0) tridiagonal_eigenvalues(diagonal, off_diagonal, N);
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += blockDim.x) values[i] = diagonal[i];
}

// Lead 1 at the present length: writes FIELDS numbers a lane, and T_n / 4^e where `values` is given.
DEVICE void attach(const Strip& s, const Workspace& w, const cplx* behind, const cplx* here, real conditioning,
                   real exponent, real* RESTRICT fields, real* RESTRICT values) {
  const int N = s.channels;
  project(s, w, s.incoming, behind, here, w.projected);
  gram(w.projected, s.width, w.columns, w.row, w.padding, w.gram);
  cholesky(w.gram, w.columns, w.inverses);
  cplx* incoming_rows = w.projected + (s.width - N) * w.row;
  solve_rows(incoming_rows, N, w.row, w.gram, w.columns, w.inverses, 0, false, 0);
  for (int t = threadIdx.x; t < N * w.history_row; t += blockDim.x) w.history_here[t] = w.history[t];
  __syncthreads();
  solve_rows(w.history_here, N, w.history_row, w.gram, w.columns, w.inverses, w.history_first, true,
             w.history_columns - N);
  const real defect = flux_defect(s, w, incoming_rows, behind, here, exponent);
  const real spread = diagonal_spread(w);
  __syncthreads();
  combine(s, w, incoming_rows);
  const int ld = padded(N);
  cplx* H = w.projected;
  gram(w.gram, N, ld, ld, 0, H);
  if (threadIdx.x == 0) {
    real trace, square;
    traces(H, N, ld, trace, square);
    fields[0] = exponent;
    fields[1] = trace;
    fields[2] = square;
    fields[3] = defect;
    fields[4] = larger(conditioning, spread);
  }
  if (values) eigenvalues(w, H, N, ld, values);
}

// All recorded lengths of one group.
//
// realizations : (LANES) uint32, Philox key word 1
// near, far    : workspace, near_reals and far_reals
// fields       : (recorded, FIELDS) reals: e, Tr t t^dagger / 4^e, Tr (t t^dagger)^2 / 16^e, |R + T - N|, conditioning
// values       : (recorded, channels) reals, T_n / 4^e, descending; or null
DEVICE void transmission_group(const Strip& s, const uint32* realizations, real* near, real* far, real* fields,
                               real* values) {
  const Workspace w = lay_out(s, near, far);
  const lane_bits realization = load_lanes(realizations);
  const real zero = number_of(realization) * 0.0;
  const int N = s.channels;
  cplx *behind = w.frame, *here = w.frame + s.width * w.row;
  for (int t = threadIdx.x; t < 2 * s.width * w.row; t += blockDim.x) {
    const int i = t / w.row, j = t % w.row - w.padding;
    w.frame[t] = {zero, zero};
    if (j >= 0 && j < s.width)
      w.frame[t] = {zero + s.start[2 * (i * s.width + j)], zero + s.start[2 * (i * s.width + j) + 1]};
  }
  for (int t = threadIdx.x; t < N * w.history_row; t += blockDim.x) {
    const int i = t / w.history_row, j = t % w.history_row - (w.history_columns - N);
    w.history[t] = {zero, zero};
    if (j >= 0 && j < N)
      w.history[t] = {zero + s.start_history[2 * (i * N + j)], zero + s.start_history[2 * (i * N + j) + 1]};
  }
  real conditioning = zero + 1.0, exponent = zero;
  int x = 0;
  for (int record = 0; record < s.recorded; record++) {
    while (x < s.lengths[record]) {
      const int left = s.lengths[record] - x, count = left < s.interval ? left : s.interval;
      onsite_energies(s, x, count, realization, w.onsite);
      for (int k = 0; k < count; k++) {
        const real* energies = w.onsite + k * s.width;
        if (LANES > 1 && k + 1 < count) {
          two_steps(s, w, behind, here, energies);
          k++;
          continue;
        }
        step(s, w, behind, here, energies);
        cplx* swap = behind;
        behind = here;
        here = swap;
        __syncthreads();
      }
      stabilise(s, w, conditioning, exponent);
      x += count;
    }
    attach(s, w, behind, here, conditioning, exponent, fields + record * FIELDS,
           values ? values + record * N : nullptr);
  }
}

#if LANES == 1

// Realizations blockIdx.x, blockIdx.x + gridDim.x, ... of `count`, one after the other in the same workspace.
DEVICE void transmission_block(const Strip& s, int64 count, const uint32* realizations, real* near, real* far,
                               double* fields, double* values) {
  for (int64 i = blockIdx.x; i < count; i += gridDim.x)
    transmission_group(s, realizations + i, near, far, fields + i * s.recorded * FIELDS,
                       values ? values + i * s.recorded * s.channels : nullptr);
}

// Three entries, by where the workspace fits: in shared memory, its near part alone, or not at all. They differ in nothing
// else; three, because the compiler must know a pointer's memory to use the instructions of that memory.
//
// workspace : `gridDim.x` times what is not in shared memory, reals, 16-byte aligned; unused by the first
extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    transmission_shared(Strip s, int64 count, const uint32* realizations, double*, double* fields, double* values) {
  SHARED_MEMORY(memory);
  transmission_block(s, count, realizations, memory, memory + near_reals(s), fields, values);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    transmission_split(Strip s, int64 count, const uint32* realizations, double* workspace, double* fields,
                       double* values) {
  SHARED_MEMORY(memory);
  transmission_block(s, count, realizations, memory, workspace + blockIdx.x * far_reals(s), fields, values);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    transmission_global(Strip s, int64 count, const uint32* realizations, double* workspace, double* fields,
                        double* values) {
  double* memory = workspace + blockIdx.x * (near_reals(s) + far_reals(s));
  transmission_block(s, count, realizations, memory, memory + near_reals(s), fields, values);
}

#else

extern "C" {
int transmission_lanes() { return LANES; }

// Doubles that `memory` must hold, 64-byte aligned.
int64 transmission_workspace(const Strip* s) { return LANES * (near_reals(*s) + far_reals(*s)); }

// groups * LANES realizations, one group after the other on the calling thread.
void transmission(const Strip* s, int64 groups, const uint32* realizations, double* memory, double* fields,
                  double* values) {
  real *near = (real*)memory, *far = near + near_reals(*s);
  for (int64 group = 0; group < groups; group++)
    transmission_group(*s, realizations + group * LANES, near, far,
                       (real*)(fields + group * s->recorded * FIELDS * LANES),
                       values ? (real*)(values + group * s->recorded * s->channels * LANES) : nullptr);
}
}

#endif
