// Frames: M columns of wave amplitudes on two neighbouring slices, stepped through the sample and kept orthonormal.
//
// A frame is (2M rows, columns) of cplx, row-major with leading dimension `ld`: rows 0..M-1 are one slice, M..2M-1 the
// other. Columns are padded to a multiple of TILE with zero columns in front. Units: amplitudes are flux-normalised.
#pragma once
#include "portable.h"

#define TILE 4       // columns a tile, and the block of the Cholesky factorisation
#define TILE_ROWS 2  // rows a tile: 2 x 4 complex accumulators fill half of 32 vector registers
#define SOLVE_ROWS (LANES == 1 ? 1 : TILE_ROWS)  // rows of a solve a thread: CUDA has more threads than pairs of rows

DEVICE int padded(int n) { return (n + TILE - 1) / TILE * TILE; }

// G = X^dagger X, upper tiles of a (columns, columns) matrix with leading dimension `columns`.
// The first `padding` diagonal entries become 1: their columns of X are zero.
DEVICE void gram(const cplx* RESTRICT X, int rows, int columns, int ld, int padding, cplx* RESTRICT G) {
  const int blocks = columns / TILE;
  for (int task = threadIdx.x; task < blocks * blocks * (TILE / TILE_ROWS); task += blockDim.x) {
    const int half = task % (TILE / TILE_ROWS), pair = task / (TILE / TILE_ROWS);
    const int left = pair / blocks, right = pair % blocks;
    if (left > right) continue;
    const int i0 = TILE * left + TILE_ROWS * half, j0 = TILE * right;
    cplx sum[TILE_ROWS][TILE];
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) sum[r][c] = {X[0].re * 0.0, X[0].re * 0.0};
    for (int k = 0; k < rows; k++) {
      const cplx* row = X + k * ld;
      cplx a[TILE_ROWS];
UNROLL
      for (int r = 0; r < TILE_ROWS; r++) a[r] = row[i0 + r];
UNROLL
      for (int c = 0; c < TILE; c++) {
        const cplx b = row[j0 + c];
UNROLL
        for (int r = 0; r < TILE_ROWS; r++) add_conjugate_product(sum[r][c], a[r], b);
      }
    }
UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
UNROLL
      for (int c = 0; c < TILE; c++) {
        if (i0 + r == j0 + c && i0 + r < padding) sum[r][c].re = sum[r][c].re * 0.0 + 1.0;
        G[(i0 + r) * columns + j0 + c] = sum[r][c];
      }
  }
  __syncthreads();
}

// Upper 4x4 factor of a diagonal block in place, G = R^dagger R, and its inverse (upper, row-major 4x4).
DEVICE void factor_diagonal_block(cplx* RESTRICT G, int ld, cplx* RESTRICT inverse) {
  cplx a[TILE][TILE], t[TILE][TILE];
UNROLL
  for (int r = 0; r < TILE; r++)
UNROLL
    for (int c = r; c < TILE; c++) a[r][c] = G[r * ld + c];
UNROLL
  for (int r = 0; r < TILE; r++) {
    const real scale = inverse_square_root(a[r][r].re);
    t[r][r] = {scale, scale * 0.0};
UNROLL
    for (int c = r; c < TILE; c++) {
      a[r][c].re *= scale;
      a[r][c].im *= scale;
    }
UNROLL
    for (int i = r + 1; i < TILE; i++)
UNROLL
      for (int c = i; c < TILE; c++) subtract_conjugate_product(a[i][c], a[r][i], a[r][c]);
  }
UNROLL
  for (int c = 1; c < TILE; c++)
UNROLL
    for (int r = c - 1; r >= 0; r--) {
      cplx sum = {a[r][r].re * 0.0, a[r][r].re * 0.0};
UNROLL
      for (int k = r + 1; k <= c; k++) subtract_product(sum, a[r][k], t[k][c]);
      t[r][c] = {sum.re * t[r][r].re, sum.im * t[r][r].re};
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
DEVICE void cholesky(cplx* RESTRICT G, int columns, cplx* RESTRICT inverses) {
  const int blocks = columns / TILE;
  for (int block = 0; block < blocks; block++) {
    const int k0 = TILE * block;
    for (int task = threadIdx.x; task < (blocks - block) * (TILE / TILE_ROWS); task += blockDim.x) {
      const int i0 = k0 + TILE_ROWS * (task % (TILE / TILE_ROWS)), j0 = k0 + TILE * (task / (TILE / TILE_ROWS));
      cplx sum[TILE_ROWS][TILE];
UNROLL
      for (int r = 0; r < TILE_ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) sum[r][c] = G[(i0 + r) * columns + j0 + c];
      for (int k = 0; k < k0; k++) {
        const cplx* row = G + k * columns;
        cplx a[TILE_ROWS];
UNROLL
        for (int r = 0; r < TILE_ROWS; r++) a[r] = row[i0 + r];
UNROLL
        for (int c = 0; c < TILE; c++) {
          const cplx b = row[j0 + c];
UNROLL
          for (int r = 0; r < TILE_ROWS; r++) subtract_conjugate_product(sum[r][c], a[r], b);
        }
      }
UNROLL
      for (int r = 0; r < TILE_ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) G[(i0 + r) * columns + j0 + c] = sum[r][c];
    }
    __syncthreads();
    if (threadIdx.x == 0) factor_diagonal_block(G + k0 * columns + k0, columns, inverses + block * TILE * TILE);
    __syncthreads();
    const cplx* t = inverses + block * TILE * TILE;
    for (int j = k0 + TILE + threadIdx.x; j < columns; j += blockDim.x) {
      cplx x[TILE];
UNROLL
      for (int r = 0; r < TILE; r++) x[r] = G[(k0 + r) * columns + j];
UNROLL
      for (int r = TILE - 1; r >= 0; r--) {
        cplx sum = {x[0].re * 0.0, x[0].re * 0.0};
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
DEVICE void solve_rows(cplx* RESTRICT X, int rows, int ld, const cplx* RESTRICT R, int columns,
                       const cplx* RESTRICT inverses, int first, bool triangular, int offset) {
  const int blocks = columns / TILE;
  for (int task = threadIdx.x; SOLVE_ROWS * task < rows; task += blockDim.x) {
    const int row0 = SOLVE_ROWS * task;
    cplx* x[SOLVE_ROWS];
UNROLL
    for (int r = 0; r < SOLVE_ROWS; r++) x[r] = X + (row0 + r < rows ? row0 + r : rows - 1) * ld - TILE * first;
    const int begin = triangular ? first + (offset + row0) / TILE : first;
    for (int block = begin; block < blocks; block++) {
      const int j0 = TILE * block;
      cplx sum[SOLVE_ROWS][TILE];
UNROLL
      for (int r = 0; r < SOLVE_ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) sum[r][c] = x[r][j0 + c];
      for (int k = TILE * begin; k < j0; k++) {
        const cplx* row = R + k * columns + j0;
        cplx a[SOLVE_ROWS];
UNROLL
        for (int r = 0; r < SOLVE_ROWS; r++) a[r] = x[r][k];
UNROLL
        for (int c = 0; c < TILE; c++) {
          const cplx b = row[c];
UNROLL
          for (int r = 0; r < SOLVE_ROWS; r++) subtract_product(sum[r][c], a[r], b);
        }
      }
      const cplx* t = inverses + block * TILE * TILE;
UNROLL
      for (int r = 0; r < SOLVE_ROWS; r++)
UNROLL
        for (int c = 0; c < TILE; c++) {
          cplx total = {sum[r][0].re * 0.0, sum[r][0].re * 0.0};
UNROLL
          for (int k = 0; k <= c; k++) add_product(total, sum[r][k], t[k * TILE + c]);
          x[r][j0 + c] = total;
        }
    }
  }
  __syncthreads();
}
