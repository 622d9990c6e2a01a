// Eigenvalues of a Hermitian matrix in every lane: Householder tridiagonal form, then implicit QL steps.
//
// Lanes differ in where a QL sweep starts and when an eigenvalue has converged: each follows its own course by selection,
// and what a lane does never depends on the others.
#pragma once
#include "portable.h"

#define QL_SWEEPS 60  // per eigenvalue; two are usual

// The column below the diagonal of column k becomes (alpha, 0, ..., 0); v (size) is scaled so that tau = 2 / v^dagger v.
// Leaves |alpha| in off_diagonal[k]; A is full, row-major.
DEVICE real reflector(const cplx* A, int size, int ld, int k, cplx* v, real* off_diagonal) {
  real norm = A[0].re * 0.0;
  for (int i = k + 1; i < size; i++) norm += modulus_squared(A[i * ld + k]);
  const cplx first = A[(k + 1) * ld + k];
  const real length = square_root(norm), head = square_root(modulus_squared(first));
  const real inverse_head = select(head > 0.0, 1.0 / head, head * 0.0);
  const real shift_re = select(head > 0.0, first.re * inverse_head, head * 0.0 + 1.0) * length;
  const real shift_im = first.im * inverse_head * length;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    v[i] = {norm * 0.0, norm * 0.0};
    if (i > k) v[i] = A[i * ld + k];
    if (i == k + 1) v[i] = {v[i].re + shift_re, v[i].im + shift_im};
  }
  if (threadIdx.x == 0) off_diagonal[k] = length;
  const real half = norm + length * head;
  return select(half > 0.0, 1.0 / half, half * 0.0);
}

// diagonal (size) and off_diagonal (size; the last is 0) of a tridiagonal matrix similar to A; v and p are scratch (size).
DEVICE void tridiagonal_form(cplx* RESTRICT A, int size, int ld, real* RESTRICT diagonal, real* RESTRICT off_diagonal,
                             cplx* RESTRICT v, cplx* RESTRICT p) {
  for (int k = 0; k + 1 < size; k++) {
    const real tau = reflector(A, size, ld, k, v, off_diagonal);
    __syncthreads();
    for (int i = k + 1 + threadIdx.x; i < size; i += blockDim.x) {
      cplx sum = {tau * 0.0, tau * 0.0};
      for (int j = k + 1; j < size; j++) add_product(sum, A[i * ld + j], v[j]);
      p[i] = {sum.re * tau, sum.im * tau};
    }
    __syncthreads();
    real overlap = tau * 0.0;
    for (int i = k + 1; i < size; i++) overlap += v[i].re * p[i].re + v[i].im * p[i].im;
    overlap *= 0.5 * tau;
    __syncthreads();
    for (int i = k + 1 + threadIdx.x; i < size; i += blockDim.x) {
      p[i].re -= overlap * v[i].re;
      p[i].im -= overlap * v[i].im;
    }
    __syncthreads();
    // A <- A - v p^dagger - p v^dagger
    for (int i = k + 1 + threadIdx.x; i < size; i += blockDim.x)
      for (int j = k + 1; j < size; j++) {
        cplx a = A[i * ld + j];
        a.re -= v[i].re * p[j].re + v[i].im * p[j].im + p[i].re * v[j].re + p[i].im * v[j].im;
        a.im -= v[i].im * p[j].re - v[i].re * p[j].im + p[i].im * v[j].re - p[i].re * v[j].im;
        A[i * ld + j] = a;
      }
    __syncthreads();
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x) diagonal[i] = A[i * ld + i].re;
  if (threadIdx.x == 0) off_diagonal[size - 1] = A[0].re * 0.0;
  __syncthreads();
}

// Whether off_diagonal[i] no longer couples its neighbours to working precision.
DEVICE lane_mask negligible(const real* d, const real* e, int i) {
  return absolute(e[i]) <= 2.220446049250313e-16 * (absolute(d[i]) + absolute(d[i + 1]));
}

// One implicit QL sweep on rows first..end-1 of the lanes that `active` names; `end` differs from lane to lane.
DEVICE void ql_sweep(real* RESTRICT d, real* RESTRICT e, int size, int first, real end, lane_mask active) {
  const real zero = d[0] * 0.0, one = zero + 1.0;
  real shift = (d[first + 1] - d[first]) / (2.0 * select(active, e[first], one));
  const real root = square_root(shift * shift + 1.0);
  shift = e[first] / (shift + select(shift < 0.0, -root, root));
  real g = zero, s = one, c = one, p = zero;
  for (int i = size - 2; i >= first; i--) {
    const lane_mask begins = active & (end == (double)(i + 1)), runs = active & (end > (double)i);
    g = select(begins, d[i + 1] - d[first] + shift, g);
    const real f = s * e[i], b = c * e[i], r = square_root(f * f + g * g);
    const lane_mask turns = r > 0.0;
    e[i + 1] = select(runs, select(begins, zero, r), e[i + 1]);
    // The last row of the sweep has no off-diagonal beyond it; elsewhere r is the new one.
    const real inverse = 1.0 / select(turns, r, one);
    s = select(runs, select(turns, f * inverse, zero), s);
    c = select(runs, select(turns, g * inverse, one), c);
    const real next = d[i + 1] - p, q = (d[i] - next) * s + 2.0 * c * b, step = s * q;
    d[i + 1] = select(runs, next + step, d[i + 1]);
    p = select(runs, step, p);
    g = select(runs, c * q - b, g);
  }
  d[first] = select(active, d[first] - p, d[first]);
  e[first] = select(active, g, e[first]);
}

// Eigenvalues of the tridiagonal matrix, in d, descending. A single thread's work.
DEVICE void tridiagonal_eigenvalues(real* RESTRICT d, real* RESTRICT e, int size) {
  for (int first = 0; first + 1 < size; first++)
    for (int sweep = 0; sweep < QL_SWEEPS; sweep++) {
      real end = d[0] * 0.0 + (double)(size - 1);
      for (int i = size - 2; i >= first; i--) end = select(negligible(d, e, i), d[0] * 0.0 + (double)i, end);
      const lane_mask active = end > (double)first;
      if (!any(active)) break;
      ql_sweep(d, e, size, first, end, active);
    }
  for (int pass = 1; pass < size; pass++)
    for (int i = 0; i + pass < size; i++) {
      const real a = d[i], b = d[i + 1];
      d[i] = larger(a, b);
      d[i + 1] = smaller(a, b);
    }
}
