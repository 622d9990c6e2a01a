// Numbers of a frame: cplx, or real where a model needs no more, under the same names.
#pragma once
#include "portable.h"

template <typename NUMBER>
struct NumberOf;

template <>
struct NumberOf<cplx> {
  enum { ROWS = 2, COMPLEX = 1 };  // rows of a tile: 2 x 4 complex accumulators fill half of 32 vector registers
  DEVICE cplx from(real a) { return {a, in_all_lanes(0.0)}; }
  DEVICE cplx of(const cplx& a) { return a; }
};

template <>
struct NumberOf<real> {
  enum { ROWS = 4, COMPLEX = 0 };
  DEVICE real from(real a) { return a; }
  DEVICE real of(const cplx& a) { return a.re; }
};

template <typename NUMBER>
DEVICE NUMBER number_from(real a) {
  return NumberOf<NUMBER>::from(a);
}

template <typename NUMBER>
DEVICE NUMBER zero_of() {
  return NumberOf<NUMBER>::from(in_all_lanes(0.0));
}

DEVICE real real_part(const cplx& a) { return a.re; }
DEVICE real real_part(real a) { return a; }

DEVICE cplx scaled(const cplx& a, real scale) { return {a.re * scale, a.im * scale}; }
DEVICE real scaled(real a, real scale) { return a * scale; }

DEVICE cplx difference(const cplx& a, const cplx& b) { return {a.re - b.re, a.im - b.im}; }
DEVICE real difference(real a, real b) { return a - b; }

// sum -= scale a
DEVICE void subtract_scaled(cplx& sum, const cplx& a, real scale) {
  sum.re -= scale * a.re;
  sum.im -= scale * a.im;
}
DEVICE void subtract_scaled(real& sum, real a, real scale) { sum -= scale * a; }

DEVICE real product(real a, real b) { return a * b; }

DEVICE void add_conjugate_product(real& sum, real a, real b) { sum += a * b; }
DEVICE void subtract_conjugate_product(real& sum, real a, real b) { sum -= a * b; }
DEVICE void add_product(real& sum, real a, real b) { sum += a * b; }
DEVICE void subtract_product(real& sum, real a, real b) { sum -= a * b; }
