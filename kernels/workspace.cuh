// What the transmission kernel is told of the leads, and how it lays out the workspace of a group.
#pragma once
#include "steps.cuh"

// What the kernel is told beside. D = sites * spins rows a slice, N channels. Amplitudes on the last two slices of a sample
// of length L are (psi_{L-1}, chi_L) with chi_L = Phi^dagger psi_L; where in its period lead 1 begins, (L - 1) % period says.
struct FrameInputs {
  int interval;                 // slices between two stabilisations
  StepOrder steps;
  const double* start;          // (2 D, D) complex, orthonormal frame of lead 0 on Phi psi_{-1} and psi_0
  const double* start_history;  // (N, N) complex, upper triangular: P of that frame, propagating part
  const double* incoming;       // (period, D, 2 D) complex, incoming amplitudes of lead 1 from the last two slices
  const double* outgoing;       // (period, N, 2 D) complex, its propagating outgoing amplitudes
};

// Where the pieces of a group's workspace lie. Every slice needs the near part; the far part may be in slower memory.
struct Workspace : FrameShape {
  int history_first, history_columns, history_row;  // first tile of P, its columns; length of a row
  cplx* frame;         // (2 D, row)
  cplx* gram;          // (columns, columns), Gram product and its factor R; while a length is recorded, t' and then H
  cplx* inverses;      // (columns / TILE, TILE, TILE), of R's diagonal blocks
  cplx* vector;        // (4 columns), scratch
  cplx* history;       // (N, history_row), P
  cplx* history_here;  // as history, of the length that is recorded
  cplx* projected;     // (columns, row), incoming amplitudes of the length that is recorded, then H = t'^dagger t'
};

// Without the tiles that belong to closed channels alone.
DEVICE int history_columns_of(const Conductor& s) {
  const int columns = padded(s.sites * s.spins);
  return columns - (columns - s.channels) / TILE * TILE;
}

// Numbers (reals) of the near and of the far part; both even, so that a cplx in CUDA's memory keeps its alignment.
DEVICE int64 near_reals(const Conductor& s) {
  const int64 orbitals = s.sites * s.spins, columns = padded(orbitals);
  return 2 * (2 * orbitals * row_of(columns) + columns * (columns + TILE + 4)) + (record_reals(s) + 1) / 2 * 2;
}

DEVICE int64 far_reals(const Conductor& s) {
  const int64 columns = padded(s.sites * s.spins);
  return 2 * (2 * s.channels * row_of(history_columns_of(s)) + columns * row_of(columns));
}

DEVICE Workspace lay_out(const Conductor& s, real* near, real* far) {
  Workspace w;
  shape_frame(s, w);
  w.history_columns = history_columns_of(s);
  w.history_first = (w.columns - w.history_columns) / TILE;
  w.history_row = row_of(w.history_columns);
  w.frame = (cplx*)near;
  w.gram = w.frame + 2 * w.orbitals * w.row;
  w.inverses = w.gram + w.columns * w.columns;
  w.vector = w.inverses + TILE * w.columns;
  w.records = (real*)(w.vector + 4 * w.columns);
  w.history = (cplx*)far;
  w.history_here = w.history + s.channels * w.history_row;
  w.projected = w.history_here + s.channels * w.history_row;
  return w;
}
