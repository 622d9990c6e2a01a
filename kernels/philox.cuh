// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC11, 2011) and the uniform numbers of the disorder laws.
#pragma once
#include "portable.h"

// words[0..3] of counter (c0, c1, c2, c3) under key (seed, realization); the realization differs from lane to lane.
DEVICE void philox4x32(uint32 c0_, uint32 c1_, uint32 c2_, uint32 c3_, uint32 seed, lane_bits realization,
                       lane_bits words[4]) {
  const lane_bits low = realization * 0 + 0xffffffffull;
  lane_bits c0 = realization * 0 + c0_, c1 = realization * 0 + c1_;
  lane_bits c2 = realization * 0 + c2_, c3 = realization * 0 + c3_;
  lane_bits k0 = realization * 0 + seed, k1 = realization;
UNROLL
  for (int round = 0; round < 10; round++) {
    const lane_bits p0 = product_low_words(c0, 0xD2511F53u), p1 = product_low_words(c2, 0xCD9E8D57u);
    c0 = (p1 >> 32) ^ c1 ^ k0;
    c1 = p1 & low;
    c2 = (p0 >> 32) ^ c3 ^ k1;
    c3 = p0 & low;
    k0 = (k0 + 0x9E3779B9ull) & low;
    k1 = (k1 + 0xBB67AE85ull) & low;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

// u = (word + 1/2) 2^-32, in the open interval (0, 1)
DEVICE real unit_interval(lane_bits word) { return (number_of(word) + 0.5) * 2.3283064365386962890625e-10; }
