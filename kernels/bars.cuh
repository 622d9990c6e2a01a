// What the Lyapunov kernel is told of bars, and how it lays out the workspace of a group.
#pragma once
#include "steps.cuh"

// What the kernel is told beside the conductor. D = sites * spins.
struct BarInputs {
  int interval;  // slices between two factorisations; 0: two of them in every slice
  int marks;
  StepOrder steps;
  const int* ends;  // (marks), increasing, slices: sums are given from each to the next
};

// Where the pieces of a group's workspace lie; frames of cplx, or of real where no bond needs more.
template <typename NUMBER>
struct BarWorkspace : FrameShape {
  NUMBER* frame;     // (2 D, row)
  NUMBER* gram;      // (columns, columns), Gram product and its factor R
  NUMBER* inverses;  // (columns / TILE, TILE, TILE), of R's diagonal blocks
  real* scales;      // (D), of the rows of half a slice
};

DEVICE bool has_real_frames(const Conductor& s) { return s.spins == 1 && !has_phases(s); }

// Numbers (reals) of the workspace; even.
DEVICE int64 bar_reals(const Conductor& s) {
  const int64 orbitals = s.sites * s.spins, columns = padded(orbitals);
  const int64 numbers = 2 * orbitals * row_of(columns) + columns * (columns + TILE);
  return (has_real_frames(s) ? 1 : 2) * numbers + (record_reals(s) + orbitals + 1) / 2 * 2;
}

template <typename NUMBER>
DEVICE BarWorkspace<NUMBER> lay_out_bar(const Conductor& s, real* memory) {
  BarWorkspace<NUMBER> w;
  shape_frame(s, w);
  w.records = memory;
  w.scales = memory + record_reals(s);
  w.frame = (NUMBER*)(memory + (record_reals(s) + w.orbitals + 1) / 2 * 2);
  w.gram = w.frame + 2 * w.orbitals * w.row;
  w.inverses = w.gram + w.columns * w.columns;
  return w;
}
