// Amplitudes: from those of a sample, t = 2^exponent s, to what is recorded of it.
#pragma once
#include "eigenvalues.cuh"
#include "frames.cuh"

#define FIELDS 5  // numbers a realization and length: see `record_amplitudes`

// Tr H and Tr H^2 of the Hermitian H = s^dagger s by its upper tiles (N, ld).
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

// Eigenvalues, descending, of the Hermitian H by its upper tiles (N, ld), worked out in `full`, of the same shape.
DEVICE void hermitian_eigenvalues(const cplx* H, cplx* RESTRICT full, cplx* RESTRICT scratch, int N, int ld,
                                  real* RESTRICT values) {
  for (int t = threadIdx.x; t < N * N; t += blockDim.x) {
    const int i = t / N, j = t % N;
    const cplx upper = H[i < j ? i * ld + j : j * ld + i];
    full[i * ld + j] = {upper.re, i > j ? -upper.im : upper.im};
  }
  __syncthreads();
  real *diagonal = (real*)(scratch + 2 * ld), *off_diagonal = diagonal + ld;
  tridiagonal_form(full, N, ld, diagonal, off_diagonal, scratch, scratch + ld);
  if (threadIdx.x == 0) tridiagonal_eigenvalues(diagonal, off_diagonal, N);
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += blockDim.x) values[i] = diagonal[i];
}

// What is recorded of one length, with ld = padded(N).
//
// amplitudes : (N, ld), s, zero beyond its N columns; overwritten where `values` is given
// hermitian  : (ld, ld), place of work
// scratch    : (3 ld)
// fields     : (FIELDS) reals: exponent e, Tr t t^dagger / 4^e, Tr (t t^dagger)^2 / 16^e, |R + T - N|, conditioning
// values     : (N) reals, T_n / 4^e, descending; or null
DEVICE void record_amplitudes(cplx* RESTRICT amplitudes, cplx* RESTRICT hermitian, cplx* RESTRICT scratch, int N,
                              real exponent, real defect, real conditioning, real* RESTRICT fields,
                              real* RESTRICT values) {
  const int ld = padded(N);
  gram(amplitudes, N, ld, ld, 0, hermitian);
  if (threadIdx.x == 0) {
    real trace, square;
    traces(hermitian, N, ld, trace, square);
    fields[0] = exponent;
    fields[1] = trace;
    fields[2] = square;
    fields[3] = defect;
    fields[4] = conditioning;
  }
  if (values) hermitian_eigenvalues(hermitian, amplitudes, scratch, N, ld, values);
}
