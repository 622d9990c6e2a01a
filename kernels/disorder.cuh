// Onsite disorder: what a law makes of the random words of a cell. mesogpu/physics/disorder.py is the twin.
//
// Counter (cell, slice, stream, point) under key (seed, realization); stream = 16 * position of the law in the list.
#pragma once
#include "elementary.cuh"
#include "philox.cuh"

#define STREAMS_PER_LAW 16
#define LAW_PARAMETERS 3
enum LawKind { UNIFORM = 0, GAUSSIAN = 1, CAUCHY = 2, BINARY = 3 };

// 52 bits of two words: u = (n + 1/2) 2^-52, in the open interval (0, 1)
DEVICE real fine_unit_interval(lane_bits first, lane_bits second) {
  const lane_bits n = ((first >> 6) << 26) + (second >> 6);
  return (number_of(n) + 0.5) * 2.220446049250313080847263336181640625e-16;
}

// Energies of sites 4 * cell ... 4 * cell + 3 of a slice, added to `energy`, times `scale`.
DEVICE void add_law(int kind, const double* parameters, double scale, int cell, int slice, uint32 stream, uint32 point,
                    uint32 seed, lane_bits realization, real energy[4]) {
  lane_bits words[4];
  if (kind == UNIFORM || kind == BINARY) {
    philox4x32(cell, slice, stream, point, seed, realization, words);
    for (int site = 0; site < 4; site++) {
      const real u = unit_interval(words[site]);
      if (kind == UNIFORM)
        energy[site] += (parameters[0] * scale) * (u - 0.5);
      else
        energy[site] += select(u < parameters[2], u * 0.0 + parameters[1] * scale, u * 0.0 + parameters[0] * scale);
    }
    return;
  }
  for (int half = 0; half < 2; half++) {  // two sites a cell
    philox4x32(2 * cell + half, slice, stream, point, seed, realization, words);
    const real u = fine_unit_interval(words[0], words[1]), v = fine_unit_interval(words[2], words[3]);
    real cosine, sine;
    if (kind == GAUSSIAN) {
      const real radius = square_root(-2.0 * natural_logarithm(u)) * (parameters[0] * scale);
      cosine_and_sine_of_turns(v, cosine, sine);
      energy[2 * half] += radius * cosine;
      energy[2 * half + 1] += radius * sine;
    } else {
      cosine_and_sine_of_turns(0.5 * (u - 0.5), cosine, sine);
      energy[2 * half] += (parameters[0] * scale) * (sine / cosine);
      cosine_and_sine_of_turns(0.5 * (v - 0.5), cosine, sine);
      energy[2 * half + 1] += (parameters[0] * scale) * (sine / cosine);
    }
  }
}
