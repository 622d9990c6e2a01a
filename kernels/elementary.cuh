// Logarithm, sine and cosine from sums and products in a fixed order, so that host, CUDA and NumPy give one potential.
// mesogpu/physics/elementary.py is the twin; contraction into fused multiply-adds may change the last bit.
#pragma once
#include "portable.h"

#define LOGARITHM_TERMS 12
#define SINE_TERMS 10
#define LN_2 0.6931471805599453094
#define TWO_PI 6.283185307179586477
#define SQRT_HALF 0.7071067811865475244

// ln a for positive normal numbers: 2 artanh((m - 1) / (m + 1)) + e ln 2 with a = 2^e m, m in [sqrt(1/2), sqrt 2)
DEVICE real natural_logarithm(real a) {
  real mantissa = real_of((bits_of(a) & 0x000fffffffffffffull) | 0x3fe0000000000000ull);
  real exponent = number_of((bits_of(a) >> 52) & 0x7ffull) - 1022.0;
  const lane_mask low = mantissa < SQRT_HALF;
  exponent = select(low, exponent - 1.0, exponent);
  mantissa = select(low, 2.0 * mantissa, mantissa);
  const real ratio = (mantissa - 1.0) / (mantissa + 1.0), square = ratio * ratio;
  real series = square * 0.0 + 1.0 / (2 * LOGARITHM_TERMS - 1);
  for (int k = LOGARITHM_TERMS - 2; k > 0; k--) series = series * square + 1.0 / (2 * k + 1);
  return exponent * LN_2 + (2.0 * ratio + 2.0 * ratio * (square * series));
}

// cos(2 pi a) and sin(2 pi a), by their series within an eighth of a turn of the nearest quarter
DEVICE void cosine_and_sine_of_turns(real a, real& cosine, real& sine) {
  const real quarter = floor_of(4.0 * a + 0.5), angle = (a - 0.25 * quarter) * TWO_PI, square = angle * angle;
  real s = square * 0.0 + 1.0, c = s;
  for (int k = SINE_TERMS; k > 0; k--) {
    s = 1.0 - s * (square * (1.0 / ((2 * k) * (2 * k + 1))));
    c = 1.0 - c * (square * (1.0 / ((2 * k - 1) * (2 * k))));
  }
  s *= angle;
  const real half = floor_of(0.5 * quarter);
  const lane_mask odd = quarter - 2.0 * half != 0.0, back = half - 2.0 * floor_of(0.5 * half) != 0.0;
  const real along = select(odd, -s, c), across = select(odd, c, s);
  cosine = select(back, -along, along);
  sine = select(back, -across, across);
}
