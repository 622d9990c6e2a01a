// Frames: M columns of wave amplitudes on two neighbouring slices, stepped through the sample and kept orthonormal.
//
// A frame is (2M rows, columns), row-major with leading dimension `ld`: rows 0..M-1 are one slice, M..2M-1 the other.
// NUMBER is cplx, or real where every bond is. Columns are padded to a multiple of TILE with zero columns in front.
#pragma once
#include "numbers.cuh"

#define TILE 4       // columns a tile, and the block of the Cholesky factorisation
#define TILE_ROWS NumberOf<cplx>::ROWS

DEVICE int padded(int n) { return (n + TILE - 1) / TILE * TILE; }

// G = X^dagger X, upper tiles of a (columns, columns) matrix with leading dimension `columns`.
// The first `padding` diagonal entries become 1: their columns of X are zero.
template <typename NUMBER>
DEVICE void gram(const NUMBER* RESTRICT X, int rows, int columns, int ld, int padding, NUMBER* RESTRICT G) {
  constexpr int ROWS = NumberOf<NUMBER>::ROWS;
  const int blocks = columns / TILE;
  for (int task = threadIdx.x; task < blocks * blocks * (TILE / ROWS); task += blockDim.x) {
    const int half = task % (TILE / ROWS), pair = task / (TILE / ROWS);
    const int left = pair / blocks, right = pair % blocks;
    if (left > right) continue;
    const int i0 = TILE * left + ROWS * half, j0 = TILE * right;
    NUMBER sum[ROWS][TILE];
UNROLL
    for (int r = 0; r < ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) sum[r][c] = zero_of<NUMBER>();
    for (int k = 0; k < rows; k++) {
      const NUMBER* row = X + k * ld;
      NUMBER a[ROWS];
UNROLL
      for (int r = 0; r < ROWS; r++) a[r] = row[i0 + r];
UNROLL
      for (int c = 0; c < TILE; c++) {
        const NUMBER b = row[j0 + c];
UNROLL
        for (int r = 0; r < ROWS; r++) add_conjugate_product(sum[r][c], a[r], b);
      }
    }
UNROLL
    for (int r = 0; r < ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) {
        if (i0 + r == j0 + c && i0 + r < padding) sum[r][c] = number_from<NUMBER>(in_all_lanes(1.0));
        G[(i0 + r) * columns + j0 + c] = sum[r][c];
      }
  }
  __syncthreads();
}

// Upper 4x4 factor of a diagonal block in place, G = R^dagger R, and its inverse (upper, row-major 4x4).
template <typename NUMBER>
DEVICE void factor_diagonal_block(NUMBER* RESTRICT G, int ld, NUMBER* RESTRICT inverse) {
  NUMBER a[TILE][TILE], t[TILE][TILE];
UNROLL
  for (int r = 0; r < TILE; r++)
UNROLL
    for (int c = r; c < TILE; c++) a[r][c] = G[r * ld + c];
UNROLL
  for (int r = 0; r < TILE; r++) {
    const real scale = inverse_square_root(real_part(a[r][r]));
    t[r][r] = number_from<NUMBER>(scale);
UNROLL
    for (int c = r; c < TILE; c++) a[r][c] = scaled(a[r][c], scale);
UNROLL
    for (int i = r + 1; i < TILE; i++)
UNROLL
      for (int c = i; c < TILE; c++) subtract_conjugate_product(a[i][c], a[r][i], a[r][c]);
  }
UNROLL
  for (int c = 1; c < TILE; c++)
UNROLL
    for (int r = c - 1; r >= 0; r--) {
      NUMBER sum = zero_of<NUMBER>();
UNROLL
      for (int k = r + 1; k <= c; k++) subtract_product(sum, a[r][k], t[k][c]);
      t[r][c] = scaled(sum, real_part(t[r][r]));
    }
UNROLL
  for (int r = 0; r < TILE; r++)
UNROLL
    for (int c = r; c < TILE; c++) {
      G[r * ld + c] = a[r][c];
      inverse[r * TILE + c] = t[r][c];
    }
}

// G = R^dagger R in place (upper tiles); inverses[block] is the inverse of R's diagonal block.
template <typename NUMBER>
DEVICE void cholesky(NUMBER* RESTRICT G, int columns, NUMBER* RESTRICT inverses) {
  constexpr int ROWS = NumberOf<NUMBER>::ROWS;
  const int blocks = columns / TILE;
  for (int block = 0; block < blocks; block++) {
    const int k0 = TILE * block;
    for (int task = threadIdx.x; task < (blocks - block) * (TILE / ROWS); task += blockDim.x) {
      const int i0 = k0 + ROWS * (task % (TILE / ROWS)), j0 = k0 + TILE * (task / (TILE / ROWS));
      NUMBER sum[ROWS][TILE];
UNROLL
      for (int r = 0; r < ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) sum[r][c] = G[(i0 + r) * columns + j0 + c];
      for (int k = 0; k < k0; k++) {
        const NUMBER* row = G + k * columns;
        NUMBER a[ROWS];
UNROLL
        for (int r = 0; r < ROWS; r++) a[r] = row[i0 + r];
UNROLL
        for (int c = 0; c < TILE; c++) {
          const NUMBER b = row[j0 + c];
UNROLL
          for (int r = 0; r < ROWS; r++) subtract_conjugate_product(sum[r][c], a[r], b);
        }
      }
UNROLL
      for (int r = 0; r < ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) G[(i0 + r) * columns + j0 + c] = sum[r][c];
    }
    __syncthreads();
    if (threadIdx.x == 0) factor_diagonal_block(G + k0 * columns + k0, columns, inverses + block * TILE * TILE);
    __syncthreads();
    const NUMBER* t = inverses + block * TILE * TILE;
    for (int j = k0 + TILE + threadIdx.x; j < columns; j += blockDim.x) {
      NUMBER x[TILE];
UNROLL
      for (int r = 0; r < TILE; r++) x[r] = G[(k0 + r) * columns + j];
UNROLL
      for (int r = TILE - 1; r >= 0; r--) {
        NUMBER sum = zero_of<NUMBER>();
UNROLL
        for (int k = 0; k <= r; k++) add_conjugate_product(sum, t[k * TILE + r], x[k]);
        G[(k0 + r) * columns + j] = sum;
      }
    }
    __syncthreads();
  }
}

// rows <- rows R^-1 for the blocks from `first` on; X points at column TILE * first of its first row. In a `triangular` X
// the rows of a task have nothing left of their own diagonal: row r starts at block (offset + r) / TILE.
template <typename NUMBER>
DEVICE void solve_rows(NUMBER* RESTRICT X, int rows, int ld, const NUMBER* RESTRICT R, int columns,
                       const NUMBER* RESTRICT inverses, int first, bool triangular, int offset) {
  constexpr int ROWS = LANES == 1 ? 1 : NumberOf<NUMBER>::ROWS;  // CUDA has more threads than rows
  const int blocks = columns / TILE;
  for (int task = threadIdx.x; ROWS * task < rows; task += blockDim.x) {
    const int row0 = ROWS * task;
    NUMBER* x[ROWS];
UNROLL
    for (int r = 0; r < ROWS; r++) x[r] = X + (row0 + r < rows ? row0 + r : rows - 1) * ld - TILE * first;
    const int begin = triangular ? first + (offset + row0) / TILE : first;
    for (int block = begin; block < blocks; block++) {
      const int j0 = TILE * block;
      NUMBER sum[ROWS][TILE];
UNROLL
      for (int r = 0; r < ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) sum[r][c] = x[r][j0 + c];
      for (int k = TILE * begin; k < j0; k++) {
        const NUMBER* row = R + k * columns + j0;
        NUMBER a[ROWS];
UNROLL
        for (int r = 0; r < ROWS; r++) a[r] = x[r][k];
UNROLL
        for (int c = 0; c < TILE; c++) {
          const NUMBER b = row[c];
UNROLL
          for (int r = 0; r < ROWS; r++) subtract_product(sum[r][c], a[r], b);
        }
      }
      const NUMBER* t = inverses + block * TILE * TILE;
UNROLL
      for (int r = 0; r < ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) {
          NUMBER total = zero_of<NUMBER>();
UNROLL
          for (int k = 0; k <= c; k++) add_product(total, sum[r][k], t[k * TILE + c]);
          x[r][j0 + c] = total;
        }
    }
  }
  __syncthreads();
}

// Largest over smallest diagonal entry of the factor R: what the Gram product squared.
template <typename NUMBER>
DEVICE real diagonal_spread(const NUMBER* R, int columns, int padding) {
  real most = real_part(R[padding * (columns + 1)]), least = most;
  for (int i = padding + 1; i < columns; i++) {
    const real d = real_part(R[i * (columns + 1)]);
    most = larger(most, d);
    least = smaller(least, d);
  }
  return most / least;
}
