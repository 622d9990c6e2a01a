// Inverse of a complex matrix in every lane: Gauss-Jordan elimination in place, PANEL columns at a time.
//
// A panel of columns is eliminated on a copy, TILE of them at a time and with the diagonal for pivots; the rest of the
// matrix follows in one product. A lane in which a multiplier came out too large gets pivots of its own: its rows are
// swapped in place, and the panel is eliminated again. Matrices are (n, ld) of cplx, row-major, n a multiple of TILE.
#pragma once
#include "frames.cuh"

#define PANEL (2 * TILE)
#define PANEL_ROW (PANEL + (LANES == 1))  // odd on CUDA: the rows of neighbouring threads lie in different banks
#define LARGEST_MULTIPLIER 10.0
#define BAND 8    // pairs of rows whose part of the panel stays in the host's nearest cache
#define PARTS 16  // of the rows, looked through by as many threads

// What the inverse of n rows is worked out in.
struct InverseScratch {
  cplx* panel;    // (n, PANEL_ROW)
  cplx* rows;     // (n / TILE, PANEL, TILE), the matrix's rows at the panel, tile by tile
  cplx* inverse;  // (TILE, TILE), of the diagonal tile
  cplx* beside;   // (TILE, TILE), the rows of the diagonal tile in the panel's other tile
  real* steep;    // (n + PARTS), 1 where a multiplier is too large
  int* pivots;    // (LANES, n), which row came into the place of this one
};

// Numbers (reals) of the scratch; even.
DEVICE int64 inverse_reals(int n) {
  return 2 * ((int64)n * (PANEL_ROW + PANEL) + 2 * TILE * TILE) + (2 * n + PARTS + 1) / 2 * 2;
}

DEVICE InverseScratch inverse_scratch(int n, real* memory) {
  InverseScratch w;
  w.panel = (cplx*)memory;
  w.rows = w.panel + n * PANEL_ROW;
  w.inverse = w.rows + n * PANEL;
  w.beside = w.inverse + TILE * TILE;
  w.steep = (real*)(w.beside + TILE * TILE);
  w.pivots = (int*)(w.steep + n + PARTS);
  return w;
}

// Swaps a and b in the lanes that `condition` names.
DEVICE void swap_where(lane_mask condition, cplx& a, cplx& b) {
  const cplx old = a;
  a = {select(condition, b.re, a.re), select(condition, b.im, a.im)};
  b = {select(condition, old.re, b.re), select(condition, old.im, b.im)};
}

// The inverse of the (TILE, TILE) tile at P, with pivots for every lane.
DEVICE void invert_tile(const cplx* RESTRICT P, int ld, cplx* RESTRICT inverse) {
  cplx a[TILE][TILE];
  lane_mask swapped[TILE][TILE];
UNROLL
  for (int r = 0; r < TILE; r++)
UNROLL
    for (int c = 0; c < TILE; c++) a[r][c] = P[r * ld + c];
UNROLL
  for (int k = 0; k < TILE; k++) {
UNROLL
    for (int i = k + 1; i < TILE; i++) {
      swapped[k][i] = modulus_squared(a[i][k]) > modulus_squared(a[k][k]);
UNROLL
      for (int j = 0; j < TILE; j++) swap_where(swapped[k][i], a[k][j], a[i][j]);
    }
    const real scale = 1.0 / modulus_squared(a[k][k]);
    const cplx pivot = {a[k][k].re * scale, -a[k][k].im * scale};
UNROLL
    for (int j = 0; j < TILE; j++) a[k][j] = j == k ? pivot : product(a[k][j], pivot);
UNROLL
    for (int i = 0; i < TILE; i++) {
      if (i == k) continue;
      const cplx factor = a[i][k];
      a[i][k] = {in_all_lanes(0.0), in_all_lanes(0.0)};
UNROLL
      for (int j = 0; j < TILE; j++) subtract_product(a[i][j], factor, a[k][j]);
    }
  }
UNROLL
  for (int k = TILE - 1; k >= 0; k--)
UNROLL
    for (int i = TILE - 1; i > k; i--)
UNROLL
      for (int r = 0; r < TILE; r++) swap_where(swapped[k][i], a[r][k], a[r][i]);
UNROLL
  for (int r = 0; r < TILE; r++)
UNROLL
    for (int c = 0; c < TILE; c++) inverse[r * TILE + c] = a[r][c];
}

// Eliminates the columns of one tile of the panel, which is `tiles` wide and begins at row and column `first`: rows C
// of the tile become -C P^-1, with P the diagonal tile, whose own rows become P^-1; the other tile follows.
DEVICE void eliminate_tile(const InverseScratch& w, int n, int first, int tile, int tiles) {
  const int p0 = first + TILE * tile;
  cplx *own = w.panel + TILE * tile, *other = w.panel + TILE * (1 - tile);
  if (threadIdx.x == 0) {
    invert_tile(own + p0 * PANEL_ROW, PANEL_ROW, w.inverse);
    for (int t = 0; t < TILE * TILE; t++) w.beside[t] = other[(p0 + t / TILE) * PANEL_ROW + t % TILE];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    cplx *row = own + i * PANEL_ROW, *rest = other + i * PANEL_ROW;
    const bool diagonal = i >= p0 && i < p0 + TILE;
    cplx y[TILE];
UNROLL
    for (int c = 0; c < TILE; c++) {
      y[c] = {in_all_lanes(0.0), in_all_lanes(0.0)};
UNROLL
      for (int k = 0; k < TILE; k++) subtract_product(y[c], row[k], w.inverse[k * TILE + c]);
      if (diagonal) y[c] = w.inverse[(i - p0) * TILE + c];
    }
    real steep = tile && i >= first ? w.steep[i] : in_all_lanes(0.0);
UNROLL
    for (int c = 0; c < TILE; c++) {
      const lane_mask small = modulus_squared(y[c]) <= LARGEST_MULTIPLIER * LARGEST_MULTIPLIER;
      if (i >= p0 + TILE) steep = select(small, steep, in_all_lanes(1.0));
      row[c] = y[c];
    }
    w.steep[i] = steep;
    if (tiles == 1) continue;
UNROLL
    for (int c = 0; c < TILE; c++) {
      cplx sum = diagonal ? cplx{in_all_lanes(0.0), in_all_lanes(0.0)} : rest[c];
UNROLL
      for (int k = 0; k < TILE; k++) add_product(sum, y[k], w.beside[k * TILE + c]);
      rest[c] = sum;
    }
  }
  __syncthreads();
}

// Eliminates the panel on its copy and says, lane by lane, whether a multiplier came out too large: 1, else 0.
DEVICE real eliminate_panel(const cplx* RESTRICT A, int n, int ld, int first, int tiles, const InverseScratch& w) {
  for (int t = threadIdx.x; t < n * PANEL; t += blockDim.x) {
    const int i = t / PANEL, c = t % PANEL;
    if (c < TILE * tiles) w.panel[i * PANEL_ROW + c] = A[i * ld + first + c];
  }
  for (int k = 0; k < TILE * tiles; k++)
    for (int j = threadIdx.x; j < n; j += blockDim.x)
      w.rows[(j / TILE * PANEL + k) * TILE + j % TILE] = A[(first + k) * ld + j];
  __syncthreads();
  for (int tile = 0; tile < tiles; tile++) eliminate_tile(w, n, first, tile, tiles);
  for (int part = threadIdx.x; part < PARTS; part += blockDim.x) {
    real steep{};
    for (int i = first + part; i < n; i += PARTS) steep = larger(steep, w.steep[i]);
    w.steep[n + part] = steep;
  }
  __syncthreads();
  real steep = w.steep[n];
  for (int part = 1; part < PARTS; part++) steep = larger(steep, w.steep[n + part]);
  return steep;
}

// One lane's part of a number.
DEVICE double& in_lane(real& number, int lane) { return ((double*)&number)[lane]; }

DEVICE void swap_in_lane(cplx& a, cplx& b, int lane) {
  const double re = in_lane(a.re, lane), im = in_lane(a.im, lane);
  in_lane(a.re, lane) = in_lane(b.re, lane);
  in_lane(a.im, lane) = in_lane(b.im, lane);
  in_lane(b.re, lane) = re;
  in_lane(b.im, lane) = im;
}

// The row from p on that is to be the pivot of a column, its number; p itself where that is at least half the largest,
// and in lanes that are not `steep`.
DEVICE real pivot_row(const cplx* column, int n, int ld, int p, real steep) {
  real most = 4.0 * modulus_squared(column[p * ld]), found = in_all_lanes(p);
  for (int i = p + 1; i < n; i++) {
    const real squared = modulus_squared(column[i * ld]);
    const lane_mask better = squared > most;
    most = select(better, squared, most);
    found = select(better, in_all_lanes(i), found);
  }
  return select(steep > 0.0, found, in_all_lanes(p));
}

// Pivots for the panel in the lanes that are `steep`: swaps rows of A there, and notes which. The panel's copy is lost.
DEVICE void choose_pivots(cplx* RESTRICT A, int n, int ld, int first, int columns, real steep,
                          const InverseScratch& w) {
  for (int t = threadIdx.x; t < n * columns; t += blockDim.x)
    w.panel[t / columns * PANEL_ROW + t % columns] = A[t / columns * ld + first + t % columns];
  __syncthreads();
  for (int c = 0; c < columns; c++) {
    const int p = first + c;
    cplx* pivot = w.panel + p * PANEL_ROW;
    if (threadIdx.x == 0) {
      real found = pivot_row(w.panel + c, n, PANEL_ROW, p, steep);
      for (int lane = 0; lane < LANES; lane++) w.pivots[lane * n + p] = (int)in_lane(found, lane);
    }
    __syncthreads();
    for (int lane = 0; lane < LANES; lane++) {
      const int q = w.pivots[lane * n + p];
      if (q == p) continue;
      for (int j = threadIdx.x; j < n; j += blockDim.x) swap_in_lane(A[p * ld + j], A[q * ld + j], lane);
      for (int j = threadIdx.x; j < columns; j += blockDim.x) swap_in_lane(pivot[j], w.panel[q * PANEL_ROW + j], lane);
    }
    __syncthreads();
    for (int i = p + 1 + threadIdx.x; i < n; i += blockDim.x) {
      cplx* row = w.panel + i * PANEL_ROW;
      const real scale = 1.0 / modulus_squared(pivot[c]);
      const cplx factor = product(row[c], {pivot[c].re * scale, -pivot[c].im * scale});
      for (int j = c + 1; j < columns; j++) subtract_product(row[j], factor, pivot[j]);
    }
    __syncthreads();
  }
}

// Everything outside the panel's columns: A <- A + C' R with the panel C' and the old rows R at it, whose own place in
// A starts from zero; and the panel's columns themselves.
DEVICE void update(cplx* RESTRICT A, int n, int ld, int first, int tiles, const InverseScratch& w) {
  const int half = n / TILE_ROWS, end = first + TILE * tiles;
  for (int band = 0; band < half; band += BAND) {
    const int pairs = LANES == 1 ? half : (half - band < BAND ? half - band : BAND);
    for (int task = threadIdx.x; task < pairs * (n / TILE); task += blockDim.x) {
      const int i = band + task % pairs, j0 = TILE * (task / pairs);
      cplx sum[TILE_ROWS][TILE];
      const bool inside = j0 >= first && j0 < end;
UNROLL
      for (int r = 0; r < TILE_ROWS; r++) {
        const int row = i + r * half;
        const cplx* source = inside ? w.panel + row * PANEL_ROW + j0 - first : A + row * ld + j0;
        const double kept = !inside && row >= first && row < end ? 0.0 : 1.0;
UNROLL
        for (int c = 0; c < TILE; c++) sum[r][c] = {source[c].re * kept, source[c].im * kept};
      }
      const cplx *left = w.panel + i * PANEL_ROW, *right = w.rows + j0 * PANEL;
      for (int k = 0; !inside && k < TILE * tiles; k++) {
        cplx a[TILE_ROWS];
UNROLL
        for (int r = 0; r < TILE_ROWS; r++) a[r] = left[r * half * PANEL_ROW + k];
UNROLL
        for (int c = 0; c < TILE; c++) {
          const cplx b = right[k * TILE + c];
UNROLL
          for (int r = 0; r < TILE_ROWS; r++) add_product(sum[r][c], a[r], b);
        }
      }
UNROLL
      for (int r = 0; r < TILE_ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) A[(i + r * half) * ld + j0 + c] = sum[r][c];
    }
    if (LANES == 1) break;
  }
  __syncthreads();
}

// Columns back to their places: what was swapped last comes first. A row is one thread's alone.
DEVICE void restore_columns(cplx* RESTRICT A, int n, int ld, const InverseScratch& w) {
  for (int lane = 0; lane < LANES; lane++)
    for (int p = n - 1; p >= 0; p--) {
      const int q = w.pivots[lane * n + p];
      if (q == p) continue;
      for (int i = threadIdx.x; i < n; i += blockDim.x) swap_in_lane(A[i * ld + p], A[i * ld + q], lane);
    }
}

// A <- A^-1; numbers that are not finite where there is none. A barrier before a thread reads rows that are not its own
// in `restore_columns` is the caller's.
DEVICE void invert(cplx* RESTRICT A, int n, int ld, const InverseScratch& w) {
  for (int p = threadIdx.x; p < n; p += blockDim.x)
    for (int lane = 0; lane < LANES; lane++) w.pivots[lane * n + p] = p;
  for (int first = 0; first < n; first += PANEL) {
    const int tiles = n - first < PANEL ? 1 : PANEL / TILE;
    for (bool pivoted = false;; pivoted = true) {
      const real steep = eliminate_panel(A, n, ld, first, tiles, w);
      if (pivoted || !any(steep > 0.0)) break;
      choose_pivots(A, n, ld, first, TILE * tiles, steep, w);
    }
    update(A, n, ld, first, tiles, w);
  }
  restore_columns(A, n, ld, w);
}
