// Transmission through disordered conductors by recursive Green's functions, every recorded length on one pass.
//
// One block (host: one call of the body) is one group of LANES realizations at a time; on CUDA, LANES is 1.
//
// Layer by layer (layers.cuh), g = A^-1 with A = (E - h - V g V^dagger) / t and lead 0's self-energy on the first; the
// waves that lead 0 sends in are carried along as psi <- g V psi. At a recorded length lead 1 makes an end of it: with
// G = (A - Sigma_1)^-1 and W the leads' couplings,
//     t = i W_1^dagger G V psi,     r' = -1 + i W_1^dagger G W_1.
// Nothing is asked of the bonds: sites and bonds may be missing, and slices need not be bound site by site.
#include "amplitudes.cuh"
#include "coefficients.cuh"
#include "inverse.cuh"
#include "layers.cuh"

#define MOST_THREADS 256      // of a block
#define RESCALE_INTERVAL 8    // slices between two extractions of the power of two: none decays by 1e-37 in one

// Where the pieces of a group's workspace lie: the near part is what every layer is worked out in.
struct GreensWorkspace {
  int m, row;          // orbitals of the largest layer; length of a matrix's row
  int channels_row;    // length of a row of waves
  cplx* before;        // (padded m, row), g of the layer before; in the end A and g of this one
  cplx* between;       // (padded m, row), V g; while a length is recorded, what was with lead 1
  InverseScratch inverse;
  cplx* hops;          // (most, BONDS_BACK, spins, spins)
  real* sums;          // (padded m), of rows
  real* records;       // (slots, sites, record)
  cplx* wave;          // (padded m, channels_row), waves of the layer before; while a length is recorded, W_1^dagger G
  cplx* arriving;      // (padded m, channels_row), V psi
};

// Odd in units of TILE on the host and odd on CUDA: rows below one another lie in different places of a cache, and in
// different banks.
DEVICE int greens_row(int columns) {
  if (LANES == 1) return columns + 1;
  return columns / TILE % 2 ? columns : columns + TILE;
}

DEVICE int64 even(int64 reals) { return (reals + 1) / 2 * 2; }

// Numbers (reals) of the near and of the far part; even.
DEVICE int64 greens_near_reals(const Conductor& s, const LayerInputs& f) {
  const int64 m = f.most * s.spins, rows = padded(m), hops = m * BONDS_BACK * s.spins;
  return 4 * rows * greens_row(rows) + inverse_reals(rows) + 2 * hops + even(rows) + even(record_reals(s));
}

DEVICE int64 greens_far_reals(const Conductor& s, const LayerInputs& f) {
  const int64 rows = padded(f.most * s.spins);
  return 4 * rows * greens_row(padded(s.channels));
}

DEVICE GreensWorkspace greens_lay_out(const Conductor& s, const LayerInputs& f, real* near, real* far) {
  GreensWorkspace w;
  w.m = f.most * s.spins;
  const int rows = padded(w.m);
  w.row = greens_row(rows);
  w.channels_row = greens_row(padded(s.channels));
  w.before = (cplx*)near;
  w.between = w.before + rows * w.row;
  real* after = (real*)(w.between + rows * w.row);
  w.inverse = inverse_scratch(rows, after);
  w.hops = (cplx*)(after + inverse_reals(rows));
  w.sums = (real*)(w.hops + w.m * BONDS_BACK * s.spins);
  w.records = w.sums + even(rows);
  w.wave = (cplx*)far;
  w.arriving = w.wave + rows * w.channels_row;
  return w;
}

// target (rows, columns) = left (rows, inner) times right (inner, columns); columns a multiple of TILE.
DEVICE void multiply(const cplx* RESTRICT left, int left_row, const cplx* RESTRICT right, int right_row, int rows,
                     int inner, int columns, cplx* RESTRICT target, int target_row) {
  const int half = (rows + 1) / TILE_ROWS;
  for (int task = threadIdx.x; task < half * (columns / TILE); task += blockDim.x) {
    const int i = task % half, j0 = TILE * (task / half), below = i + half < rows ? half : 0;
    cplx sum[TILE_ROWS][TILE];
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) sum[r][c] = {in_all_lanes(0.0), in_all_lanes(0.0)};
    for (int k = 0; k < inner; k++) {
      const cplx* row = right + k * right_row + j0;
      cplx a[TILE_ROWS];
UNROLL
      for (int r = 0; r < TILE_ROWS; r++) a[r] = left[(i + r * below) * left_row + k];
UNROLL
      for (int c = 0; c < TILE; c++) {
        const cplx b = row[c];
UNROLL
        for (int r = 0; r < TILE_ROWS; r++) add_product(sum[r][c], a[r], b);
      }
    }
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) target[(i + r * below) * target_row + j0 + c] = sum[r][c];
  }
  __syncthreads();
}

// Sum of the squared moduli of X (rows, columns). A barrier before `sums` is written again is the caller's.
DEVICE real square_sum(const cplx* RESTRICT X, int rows, int columns, int row, real* RESTRICT sums) {
  for (int i = threadIdx.x; i < rows; i += blockDim.x) {
    real sum = in_all_lanes(0.0);
    for (int j = 0; j < columns; j++) sum += modulus_squared(X[i * row + j]);
    sums[i] = sum;
  }
  __syncthreads();
  real total = in_all_lanes(0.0);
  for (int i = 0; i < rows; i++) total += sums[i];
  return total;
}

// A <- A^-1; returns the square of its Frobenius condition number.
DEVICE real invert_layer(const GreensWorkspace& w, const Layer& layer, cplx* A) {
  const int n = layer.orbitals;
  const real before = square_sum(A, n, n, w.row, w.sums);
  invert(A, padded(n), w.row, w.inverse);
  return before * square_sum(A, n, n, w.row, w.sums);
}

// A of a layer, in the place of g of the one before; and V psi, for the first layer what lead 0 sends in.
template <int SPINS>
DEVICE void enter_layer(const Conductor& s, const LayerInputs& f, const GreensWorkspace& w, const Layer& layer,
                        bool first) {
  const int columns = padded(s.channels);
  draw_hops<SPINS>(s, layer, w.hops);
  hop_rows<SPINS>(layer, w.hops, w.before, w.m, w.row, w.between);
  if (first) {
    const Share mine = share_of(columns, layer.orbitals);
    for (int i = mine.row; i < layer.orbitals; i += mine.rows)
      for (int j = mine.column; j < columns; j += mine.columns)
        w.arriving[i * w.channels_row + j] = coupling_of(s, layer, f.couplings, i, j);
  } else {
    hop_rows<SPINS>(layer, w.hops, w.wave, columns, w.channels_row, w.arriving);
  }
  hop_columns<SPINS>(layer, w.hops, w.between, w.row, w.before);
  if (first) subtract_lead(s, layer, w.before, f.self_energies, w.m, w.row, w.before);
  add_layer<SPINS>(s, layer, w.row, w.before);
}

// psi <- g V psi; now and then its power of two goes to the exponent, and the barrier after that is the next layer's.
DEVICE void leave_layer(const Conductor& s, const GreensWorkspace& w, const Layer& layer, bool rescale,
                        real& exponent) {
  const int n = layer.orbitals;
  multiply(w.before, w.row, w.arriving, w.channels_row, n, n, padded(s.channels), w.wave, w.channels_row);
  if (!rescale) return;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    real largest = in_all_lanes(0.0);
    for (int j = 0; j < s.channels; j++) {
      const cplx number = w.wave[i * w.channels_row + j];
      largest = larger(largest, larger(absolute(number.re), absolute(number.im)));
    }
    w.sums[i] = largest;
  }
  __syncthreads();
  real largest = in_all_lanes(0.0);
  for (int i = 0; i < n; i++) largest = larger(largest, w.sums[i]);
  const lane_bits power = exponent_of(largest);
  const real scale = inverse_power_of_two(power);
  exponent += number_of(power);
  const Share mine = share_of(s.channels, n);
  for (int i = mine.row; i < n; i += mine.rows)
    for (int j = mine.column; j < s.channels; j += mine.columns) {
      cplx& number = w.wave[i * w.channels_row + j];
      number = {number.re * scale, number.im * scale};
    }
}

// Y (N, n) = W^dagger G, rows of length n; 0 in the columns of missing orbitals.
DEVICE void project(const Conductor& s, const Layer& layer, const double* RESTRICT coupling, const cplx* RESTRICT G,
                    int row, int n, cplx* RESTRICT Y) {
  const int N = s.channels, half = (N + 1) / TILE_ROWS;
  for (int task = threadIdx.x; task < half * (n / TILE); task += blockDim.x) {
    const int i[TILE_ROWS] = {task % half, task % half + half < N ? task % half + half : task % half};
    const int j0 = TILE * (task / half);
    cplx sum[TILE_ROWS][TILE];
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) sum[r][c] = {in_all_lanes(0.0), in_all_lanes(0.0)};
    for (int k = 0; k < layer.orbitals; k++) {
      const double* numbers = coupling + 2 * k * N;
UNROLL
      for (int c = 0; c < TILE; c++) {
        const cplx b = G[k * row + j0 + c];
UNROLL
        for (int r = 0; r < TILE_ROWS; r++) {
          const double re = numbers[2 * i[r]], im = numbers[2 * i[r] + 1];
          sum[r][c].re += re * b.re;
          sum[r][c].re += im * b.im;
          sum[r][c].im += re * b.im;
          sum[r][c].im -= im * b.re;
        }
      }
    }
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) {
        const int j = j0 + c;
        Y[i[r] * n + j] = j < layer.orbitals ? where(has_orbital(s, layer, j), sum[r][c]) : sum[r][c];
      }
  }
  __syncthreads();
}

// reflected (N, ld) = -1 + i Y W.
DEVICE void reflect(const double* RESTRICT coupling, const cplx* RESTRICT Y, int n, int inner, int N, int ld,
                    cplx* RESTRICT reflected) {
  const int half = (N + 1) / TILE_ROWS;
  for (int task = threadIdx.x; task < half * (ld / TILE); task += blockDim.x) {
    const int i[TILE_ROWS] = {task % half, task % half + half < N ? task % half + half : task % half};
    const int j0 = TILE * (task / half);
    cplx sum[TILE_ROWS][TILE];
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) sum[r][c] = {in_all_lanes(0.0), in_all_lanes(i[r] == j0 + c ? 1.0 : 0.0)};
    for (int k = 0; k < inner; k++) {
UNROLL
      for (int c = 0; c < TILE; c++) {
        const int j = j0 + c < N ? j0 + c : N - 1;
        const double re = coupling[2 * (k * N + j)], im = coupling[2 * (k * N + j) + 1];
UNROLL
        for (int r = 0; r < TILE_ROWS; r++) {
          const cplx a = Y[i[r] * n + k];
          sum[r][c].re += re * a.re;
          sum[r][c].re -= im * a.im;
          sum[r][c].im += re * a.im;
          sum[r][c].im += im * a.re;
        }
      }
    }
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) reflected[i[r] * ld + j0 + c] = {-sum[r][c].im, sum[r][c].re};
  }
  __syncthreads();
}

// Lead 1 on the layer, whose G with it is in w.between: writes FIELDS numbers a lane, and T_n / 4^e where asked for.
DEVICE void attach(const Conductor& s, const LayerInputs& f, const GreensWorkspace& w, const Layer& layer, int length,
                   real conditioning, real exponent, real* RESTRICT fields, real* RESTRICT values) {
  const int N = s.channels, n = padded(layer.orbitals), ld = padded(N);
  const double* coupling = f.couplings + 2 * (int64)(1 + (length - 1) % s.period) * w.m * N;
  cplx *Y = w.wave, *amplitudes = w.between;
  project(s, layer, coupling, w.between, w.row, n, Y);
  reflect(coupling, Y, n, layer.orbitals, N, ld, amplitudes);
  const real reflected = square_sum(amplitudes, N, N, ld, w.sums);
  multiply(Y, n, w.arriving, w.channels_row, N, layer.orbitals, ld, amplitudes, ld);
  const real transmitted = square_sum(amplitudes, N, N, ld, w.sums);
  // 4^exponent in two exact factors; far below the smallest number it is 0.
  const real power = power_of_two(exponent), defect = transmitted * power * power + reflected - (double)N;
  record_amplitudes(amplitudes, w.wave, w.inverse.panel, N, exponent, absolute(defect), conditioning, fields, values);
}

// All recorded lengths of one group.
//
// realizations : (LANES) uint32, Philox key word 1
// given        : (slices, sites) reals, onsite energies from the host, NaN where a site is missing; or null
// near, far    : workspace, greens_near_reals and greens_far_reals
// fields       : (recorded, FIELDS) reals, see `record_amplitudes`
// values       : (recorded, channels) reals, T_n / 4^e, descending; or null
DEVICE void greens_group(const Conductor& s, const LayerInputs& f, const uint32* realizations, const real* given,
                         real* near, real* far, real* fields, real* values) {
  const GreensWorkspace w = greens_lay_out(s, f, near, far);
  const lane_bits realization = load_lanes(realizations);
  const int layers = s.slices * f.layers;
  real worst = in_all_lanes(1.0), exponent = in_all_lanes(0.0);
  int record = 0;
  for (int at = 0; at < layers; at++) {
    const int x = at / f.layers, index = at % f.layers;
    if (index == 0) draw_slices(s, x, 1, realization, given, w.records);
    const Layer layer = layer_of(s, f, w.records, x, index);
    if (s.spins == 2)
      enter_layer<2>(s, f, w, layer, at == 0);
    else
      enter_layer<1>(s, f, w, layer, at == 0);
    const bool ended = index + 1 == f.layers && x + 1 == s.lengths[record];
    if (ended) {
      const double* self_energy = f.self_energies + 2 * (int64)(1 + x % s.period) * w.m * w.m;
      subtract_lead(s, layer, w.before, self_energy, w.m, w.row, w.between);
    }
    // The same inversion twice where a length is recorded: with lead 1, then without it.
    for (int without = !ended; without < 2 && !(without && at + 1 == layers); without++) {
      const real squared = invert_layer(w, layer, without ? w.before : w.between);
      if (without) {
        worst = larger(worst, squared);
        leave_layer(s, w, layer, index + 1 == f.layers && (x + 1) % RESCALE_INTERVAL == 0, exponent);
      } else {
        attach(s, f, w, layer, x + 1, square_root(larger(worst, squared)), exponent, fields + record * FIELDS,
               values ? values + record * s.channels : nullptr);
        record++;
      }
    }
  }
}

#if LANES == 1

// Realizations blockIdx.x, blockIdx.x + gridDim.x, ... of `count`, one after the other in the same workspace.
DEVICE void greens_block(const Conductor& s, const LayerInputs& f, int64 count, const uint32* realizations,
                         const double* given, real* near, real* far, double* fields, double* values) {
  for (int64 i = blockIdx.x; i < count; i += gridDim.x)
    greens_group(s, f, realizations + i, given ? given + i * s.slices * s.sites : nullptr, near, far,
                 fields + i * s.recorded * FIELDS, values ? values + i * s.recorded * s.channels : nullptr);
}

// Three entries, by where the workspace fits: see transmission.cu.
//
// workspace : `gridDim.x` times what is not in shared memory, reals, 16-byte aligned; unused by the first
extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    greens_function_shared(Conductor s, LayerInputs f, int64 count, const uint32* realizations, const double* given,
                           double*, double* fields, double* values) {
  SHARED_MEMORY(memory);
  greens_block(s, f, count, realizations, given, memory, memory + greens_near_reals(s, f), fields, values);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    greens_function_split(Conductor s, LayerInputs f, int64 count, const uint32* realizations, const double* given,
                          double* workspace, double* fields, double* values) {
  SHARED_MEMORY(memory);
  greens_block(s, f, count, realizations, given, memory, workspace + blockIdx.x * greens_far_reals(s, f), fields,
               values);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    greens_function_global(Conductor s, LayerInputs f, int64 count, const uint32* realizations, const double* given,
                           double* workspace, double* fields, double* values) {
  double* memory = workspace + blockIdx.x * (greens_near_reals(s, f) + greens_far_reals(s, f));
  greens_block(s, f, count, realizations, given, memory, memory + greens_near_reals(s, f), fields, values);
}

#else

extern "C" {
int greens_function_lanes() { return LANES; }

// Doubles that `memory` must hold, 64-byte aligned.
int64 greens_function_workspace(const Conductor* s, const LayerInputs* f) {
  return LANES * (greens_near_reals(*s, *f) + greens_far_reals(*s, *f));
}

// groups * LANES realizations, one group after the other on the calling thread.
//
// given : (groups, slices, sites, LANES), 64-byte aligned, onsite energies from the host; or null
void greens_function(const Conductor* s, const LayerInputs* f, int64 groups, const uint32* realizations,
                     const double* given, double* memory, double* fields, double* values) {
  real *near = (real*)memory, *far = near + greens_near_reals(*s, *f);
  for (int64 group = 0; group < groups; group++)
    greens_group(*s, *f, realizations + group * LANES,
                 given ? (const real*)(given + group * s->slices * s->sites * LANES) : nullptr, near, far,
                 (real*)(fields + group * s->recorded * FIELDS * LANES),
                 values ? (real*)(values + group * s->recorded * s->channels * LANES) : nullptr);
}
}

#endif
