// Disorder: what a law makes of random words. mesogpu/physics/disorder.py and spin.py are the twins.
//
// Counter (cell, slice, stream, point) under key (seed, realization); stream = 16 * position of the law in the list, plus
// what is drawn.
#pragma once
#include "elementary.cuh"
#include "philox.cuh"

#define STREAMS_PER_LAW 16
#define LAW_PARAMETERS 3
#define SPIN_ORBIT_POSITION 0x0FFFFFF0u  // in place of a position in the list: the model's random spin-orbit coupling
enum LawKind { UNIFORM = 0, GAUSSIAN = 1, CAUCHY = 2, BINARY = 3, SPHERE = 4, FROM_HOST = 5 };
enum LawPlace { SITES = 0, BONDS = 1, FLUX = 2, SPINS_OF_SITES = 3 };
enum Stream { ONSITE = 0, BONDS_X = 1, BONDS_Y = 2, BONDS_Z = 3, IMPURITIES = 4, PLAQUETTES = 5, STREAMS = 6 };
enum RandomCoupling { NO_COUPLING = 0, SU2 = 1, EVANGELOU_ZIMAN = 2 };

// Whose random numbers: a counter without its cell, and its key.
struct Counter {
  int slice;
  uint32 stream, point, seed;
  lane_bits realization;
};

DEVICE void words_of(const Counter& counter, uint32 cell, lane_bits words[4]) {
  philox4x32(cell, counter.slice, counter.stream, counter.point, counter.seed, counter.realization, words);
}

// 52 bits of two words: u = (n + 1/2) 2^-52, in the open interval (0, 1)
DEVICE real fine_unit_interval(lane_bits first, lane_bits second) {
  const lane_bits n = ((first >> 6) << 26) + (second >> 6);
  return (number_of(n) + 0.5) * 2.220446049250313080847263336181640625e-16;
}

// Numbers of sites 4 * cell ... 4 * cell + 3 of a line, added to `value`, times `scale`.
DEVICE void add_law(int kind, const double* parameters, double scale, const Counter& counter, uint32 cell,
                    real value[4]) {
  lane_bits words[4];
  if (kind == UNIFORM || kind == BINARY) {
    words_of(counter, cell, words);
    for (int site = 0; site < 4; site++) {
      const real u = unit_interval(words[site]);
      if (kind == UNIFORM)
        value[site] += (parameters[0] * scale) * (u - 0.5);
      else
        value[site] += select(u < parameters[2], u * 0.0 + parameters[1] * scale, u * 0.0 + parameters[0] * scale);
    }
    return;
  }
  for (int half = 0; half < 2; half++) {  // two sites a cell
    words_of(counter, 2 * cell + half, words);
    const real u = fine_unit_interval(words[0], words[1]), v = fine_unit_interval(words[2], words[3]);
    real cosine, sine;
    if (kind == GAUSSIAN) {
      const real radius = square_root(-2.0 * natural_logarithm(u)) * (parameters[0] * scale);
      cosine_and_sine_of_turns(v, cosine, sine);
      value[2 * half] += radius * cosine;
      value[2 * half + 1] += radius * sine;
    } else {
      cosine_and_sine_of_turns(0.5 * (u - 0.5), cosine, sine);
      value[2 * half] += (parameters[0] * scale) * (sine / cosine);
      cosine_and_sine_of_turns(0.5 * (v - 0.5), cosine, sine);
      value[2 * half + 1] += (parameters[0] * scale) * (sine / cosine);
    }
  }
}

// A vector of the given length, uniform on the sphere, added to `vector`: n_z = 2 u - 1, azimuth 2 pi v.
DEVICE void add_unit_vector(real u, real v, double length, real vector[3]) {
  const real height = 2.0 * u - 1.0, radius = square_root(1.0 - height * height);
  real cosine, sine;
  cosine_and_sine_of_turns(v, cosine, sine);
  vector[0] += length * (radius * cosine);
  vector[1] += length * (radius * sine);
  vector[2] += length * height;
}

// The quaternion of a random spin-orbit bond.
DEVICE void random_bond(int coupling, double strength, const lane_bits words[4], real q[4]) {
  const real u = unit_interval(words[0]), v = unit_interval(words[1]), w = unit_interval(words[2]);
  if (coupling == EVANGELOU_ZIMAN) {
    q[0] = u * 0.0 + 1.0;
    q[1] = strength * (u - 0.5);
    q[2] = strength * (v - 0.5);
    q[3] = strength * (w - 0.5);
    return;
  }
  const real outer = square_root(1.0 - u), inner = square_root(u);
  real cosine, sine;
  cosine_and_sine_of_turns(v, cosine, sine);
  q[0] = outer * cosine;
  q[1] = outer * sine;
  cosine_and_sine_of_turns(w, cosine, sine);
  q[2] = inner * cosine;
  q[3] = inner * sine;
}
