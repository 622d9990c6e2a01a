// What a kernel on strips is told about a point, and how it lays out the workspace of a group.
#pragma once
#include "frames.cuh"

// What all realizations of a point share. Pointers are to doubles, complex numbers as (re, im) pairs, row-major.
struct Strip {
  int width, channels, slices, recorded, interval, periodic, laws, twisted;
  uint32 seed, point;
  double energy, hopping;
  const int* lengths;            // (recorded), increasing, slices
  const int* law_kinds;          // (laws), LawKind
  const double* law_parameters;  // (laws, LAW_PARAMETERS), units of t where they are energies
  const double* twist;           // (width) complex, w = exp(2 pi i flux y); unused unless twisted
  const double* start;           // (2 width, width) complex, orthonormal frame on slices -1 and 0
  const double* start_history;   // (channels, channels) complex, upper triangular: P of that frame, propagating part
  const double* incoming;        // (width, 2 width) complex, incoming amplitudes of lead 1 from the last two slices
  const double* outgoing;        // (channels, 2 width) complex, its propagating outgoing amplitudes
};

// Added to the length of rows whose columns a warp reads at once: an odd length spreads a column over all banks of
// CUDA's shared memory.
#define ROW_EXTRA (LANES == 1)

// Where the pieces of a group's workspace lie. Every slice needs the near part; the far part may be in slower memory.
struct Workspace {
  int columns, padding, row;                        // columns of a frame, zero ones among them; length of a row
  int history_first, history_columns, history_row;  // first tile of P, its columns; length of a row
  cplx* frame;         // (2 width, row)
  cplx* gram;          // (columns, columns), Gram product and its factor R; while a length is recorded, t' and then H
  cplx* inverses;      // (columns / TILE, TILE, TILE), of R's diagonal blocks
  cplx* vector;        // (4 columns), scratch
  real* onsite;        // (interval, width)
  cplx* history;       // (channels, history_row), P
  cplx* history_here;  // as history, of the length that is recorded
  cplx* projected;     // (columns, row), incoming amplitudes of the length that is recorded, then H = t'^dagger t'
};

DEVICE int row_of(int columns) { return columns + ROW_EXTRA; }

// Without the tiles that belong to closed channels alone.
DEVICE int history_columns_of(const Strip& s) {
  const int columns = padded(s.width);
  return columns - (columns - s.channels) / TILE * TILE;
}

// Numbers (reals) of the near and of the far part; both even, so that a cplx in CUDA's memory keeps its alignment.
DEVICE int64 near_reals(const Strip& s) {
  const int64 columns = padded(s.width), onsite = (int64)s.interval * s.width;
  return 2 * (2 * s.width * row_of(columns) + columns * (columns + TILE + 4)) + (onsite + 1) / 2 * 2;
}

DEVICE int64 far_reals(const Strip& s) {
  const int64 columns = padded(s.width);
  return 2 * (2 * s.channels * row_of(history_columns_of(s)) + columns * row_of(columns));
}

DEVICE Workspace lay_out(const Strip& s, real* near, real* far) {
  Workspace w;
  w.columns = padded(s.width);
  w.padding = w.columns - s.width;
  w.row = row_of(w.columns);
  w.history_columns = history_columns_of(s);
  w.history_first = (w.columns - w.history_columns) / TILE;
  w.history_row = row_of(w.history_columns);
  w.frame = (cplx*)near;
  w.gram = w.frame + 2 * s.width * w.row;
  w.inverses = w.gram + w.columns * w.columns;
  w.vector = w.inverses + TILE * w.columns;
  w.onsite = (real*)(w.vector + 4 * w.columns);
  w.history = (cplx*)far;
  w.history_here = w.history + s.channels * w.history_row;
  w.projected = w.history_here + s.channels * w.history_row;
  return w;
}
