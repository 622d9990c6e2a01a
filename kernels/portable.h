// One kernel source, three builds.
//
//   CUDA (NVRTC): real = double; one block is one realization at a time, its threads share the work.
//   Host (C++)  : real = a vector of LANES doubles; one call of a kernel body is one group of LANES realizations,
//                 a single thread does all the work, and every lane decides for itself.
//   Race check  : as on CUDA, but the threads of a block are threads of this process: see race_check.cpp.
//
// A kernel is written for a block of threads: loops start at threadIdx.x and stride by blockDim.x, and __syncthreads()
// stands between phases, where every thread of the block comes past it. Nothing in it may look at another lane.
#pragma once

#if defined(__CUDACC_RTC__) || defined(__CUDACC__)

#define LANES 1
typedef unsigned int uint32;
typedef unsigned long long uint64;
typedef long long int64;
#define DEVICE static __device__ __forceinline__
#define RESTRICT __restrict__
#define UNROLL _Pragma("unroll")
#define COMPLEX_ALIGNMENT alignas(16)  // both halves in one access
#define SHARED_MEMORY(name) extern __shared__ __align__(16) double name[]
DEVICE uint64 bits_of(double a) { return (uint64)__double_as_longlong(a); }
DEVICE double real_of(uint64 a) { return __longlong_as_double((int64)a); }

#elif defined(MESOGPU_RACE_CHECK)

#include <cmath>
#include <cstdint>
#include <cstring>
using std::exp2;
using std::fabs;
using std::floor;
using std::sqrt;
#define LANES 1
typedef uint32_t uint32;
typedef uint64_t uint64;
typedef int64_t int64;
#define DEVICE static inline
#define RESTRICT __restrict
#define UNROLL
#define COMPLEX_ALIGNMENT alignas(16)
#define SHARED_MEMORY(name) double* name = shared_memory
#define __global__
#define __launch_bounds__(threads, blocks)
#define __syncthreads() block_barrier(__FILE__, __LINE__)
struct Index {
  int x;
};
static thread_local Index threadIdx, blockIdx;
static Index blockDim, gridDim;
static thread_local double* shared_memory;
static void block_barrier(const char* file, int line);
DEVICE uint64 bits_of(double a) {
  uint64 bits;
  std::memcpy(&bits, &a, sizeof bits);
  return bits;
}
DEVICE double real_of(uint64 a) {
  double number;
  std::memcpy(&number, &a, sizeof number);
  return number;
}

#else

#include <cmath>
#include <cstdint>
#ifdef __AVX512F__
#include <immintrin.h>
#ifndef LANES
#define LANES 8
#endif
#endif
#ifndef LANES
#define LANES 4
#endif
typedef uint32_t uint32;
typedef uint64_t uint64;
typedef int64_t int64;
typedef double real __attribute__((vector_size(8 * LANES)));
typedef uint64 lane_bits __attribute__((vector_size(8 * LANES)));
typedef int64 lane_integers __attribute__((vector_size(8 * LANES)));
#define DEVICE static inline __attribute__((always_inline))
#define RESTRICT __restrict
#define UNROLL _Pragma("GCC unroll 8")
#define COMPLEX_ALIGNMENT
#define __syncthreads() ((void)0)
struct dim3_host { int x; };
static constexpr dim3_host threadIdx{0}, blockDim{1};
DEVICE real inverse_square_root(real a) {
  real result;
  for (int lane = 0; lane < LANES; lane++) result[lane] = 1.0 / __builtin_sqrt(a[lane]);
  return result;
}
DEVICE real square_root(real a) {
  real result;
  for (int lane = 0; lane < LANES; lane++) result[lane] = __builtin_sqrt(a[lane]);
  return result;
}
DEVICE real power_of_two(real exponent) {
  real result;
  for (int lane = 0; lane < LANES; lane++) result[lane] = std::exp2(exponent[lane]);
  return result;
}
typedef lane_integers lane_mask;
DEVICE real absolute(real a) { return a < 0.0 ? -a : a; }
DEVICE real floor_of(real a) {
  const real truncated = __builtin_convertvector(__builtin_convertvector(a, lane_integers), real);
  return truncated > a ? truncated - 1.0 : truncated;
}
DEVICE real select(lane_mask condition, real yes, real no) { return condition ? yes : no; }
DEVICE bool any(lane_mask condition) {
  int64 found = 0;
  for (int lane = 0; lane < LANES; lane++) found |= condition[lane];
  return found != 0;
}
DEVICE lane_bits bits_of(real a) { return (lane_bits)a; }
DEVICE real real_of(lane_bits a) { return (real)a; }
DEVICE real number_of(lane_bits a) { return __builtin_convertvector((lane_integers)a, real); }
DEVICE lane_bits product_low_words(lane_bits a, uint32 b) {
#if LANES == 8 && defined(__AVX512F__)
  return (lane_bits)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#else
  return (a & 0xffffffffull) * (uint64)b;
#endif
}
DEVICE lane_bits load_lanes(const uint32* a) {
  lane_bits result;
  for (int lane = 0; lane < LANES; lane++) result[lane] = a[lane];
  return result;
}

#endif

#if LANES == 1

typedef double real;
typedef uint64 lane_bits;
typedef bool lane_mask;
DEVICE real inverse_square_root(real a) { return 1.0 / sqrt(a); }
DEVICE real square_root(real a) { return sqrt(a); }
DEVICE real absolute(real a) { return fabs(a); }
DEVICE real floor_of(real a) { return floor(a); }
DEVICE real power_of_two(real exponent) { return exp2(exponent); }
DEVICE real select(lane_mask condition, real yes, real no) { return condition ? yes : no; }
DEVICE bool any(lane_mask condition) { return condition; }
DEVICE real number_of(lane_bits a) { return (double)(int64)a; }
DEVICE lane_bits product_low_words(lane_bits a, uint32 b) { return (uint64)(uint32)a * b; }
DEVICE lane_bits load_lanes(const uint32* a) { return *a; }

#endif

DEVICE real in_all_lanes(double a) { return real{} + a; }
DEVICE real larger(real a, real b) { return a > b ? a : b; }
DEVICE real smaller(real a, real b) { return a < b ? a : b; }

// The part of a matrix that is a thread's: rows `row`, `row` + `rows`, ..., and of these every `columns`-th number from
// `column` on. A warp stays on neighbouring columns; threads beyond the last full team get no row.
struct Share {
  int row, rows, column, columns;
};

DEVICE Share share_of(int columns, int all_rows) {
  const int teams = (int)blockDim.x / columns;
  if (teams < 2) return {0, 1, (int)threadIdx.x, (int)blockDim.x};
  const int team = (int)threadIdx.x / columns;
  return {team < teams ? team : all_rows, teams, (int)threadIdx.x % columns, columns};
}

// A complex number in every lane.
struct COMPLEX_ALIGNMENT cplx {
  real re, im;
};

// sum += conj(a) b
DEVICE void add_conjugate_product(cplx& sum, const cplx& a, const cplx& b) {
  sum.re += a.re * b.re;
  sum.re += a.im * b.im;
  sum.im += a.re * b.im;
  sum.im -= a.im * b.re;
}

// sum -= conj(a) b
DEVICE void subtract_conjugate_product(cplx& sum, const cplx& a, const cplx& b) {
  sum.re -= a.re * b.re;
  sum.re -= a.im * b.im;
  sum.im -= a.re * b.im;
  sum.im += a.im * b.re;
}

// sum -= a b
DEVICE void subtract_product(cplx& sum, const cplx& a, const cplx& b) {
  sum.re -= a.re * b.re;
  sum.re += a.im * b.im;
  sum.im -= a.re * b.im;
  sum.im -= a.im * b.re;
}

// sum += a b
DEVICE void add_product(cplx& sum, const cplx& a, const cplx& b) {
  sum.re += a.re * b.re;
  sum.re -= a.im * b.im;
  sum.im += a.re * b.im;
  sum.im += a.im * b.re;
}

DEVICE cplx product(const cplx& a, const cplx& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

DEVICE real modulus_squared(const cplx& a) { return a.re * a.re + a.im * a.im; }

// The power of two at or below a positive a, as an exponent; and that power's inverse. Both are exact.
DEVICE lane_bits exponent_of(real a) { return ((bits_of(a) >> 52) & 0x7ffull) - 1023ull; }
DEVICE real inverse_power_of_two(lane_bits exponent) { return real_of((1023ull - exponent) << 52); }
