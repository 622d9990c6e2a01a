// What a step of a frame knows: the frame's shape, and the slices x - 1 and x that it starts from.
#pragma once
#include "conductor.cuh"
#include "frames.cuh"

// Added to the length of rows whose columns a warp reads at once: an odd length spreads a column over all banks of
// CUDA's shared memory.
#define ROW_EXTRA (LANES == 1)

DEVICE int row_of(int columns) { return columns + ROW_EXTRA; }

struct FrameShape {
  int orbitals;               // D
  int columns, padding, row;  // columns of a frame, zero ones among them; length of a row
  real* records;              // (slots, sites, record)
};

DEVICE void shape_frame(const Conductor& s, FrameShape& w) {
  w.orbitals = s.sites * s.spins;
  w.columns = padded(w.orbitals);
  w.padding = w.columns - w.orbitals;
  w.row = row_of(w.columns);
}

struct Stage {
  const real *before, *here;  // the records of slices x - 1 and x
  const int* neighbours;      // in slice x, (sites, NEIGHBOURS)
  bool from_lead, to_lead;    // whether the bonds to slice x - 1, to slice x + 1 are taken as 1
};

// slot : that of slice x
DEVICE Stage stage_of(const Conductor& s, real* records, int slot, int x, int length) {
  const real *here = records_at(s, records, slot, 0), *before = records_at(s, records, slot, s.slots - 1);
  return {x > 0 ? before : here, here, neighbours_of(s, x), x == 0, x + 1 == length};
}

DEVICE bool has_phases(const Conductor& s) { return s.twisted || s.phase; }
