// Coefficients: the records of slices, drawn from Philox and what the host gives beside. mesogpu/physics/draws.py and
// slices.py are the twins.
//
// One block (host: one call) draws for one group of realizations; a task is four sites of a line of a slice.
#pragma once
#include "conductor.cuh"
#include "disorder.cuh"

#define SITES_PER_CELL 4
#define LINE_STRIDE 65536  // sites of one line are counted from line * LINE_STRIDE on

// Four sites of a line of a slice.
struct Cell {
  int slice, first, count;  // first site; how many of the four there are
  uint32 number;            // in units of four sites
  real* record;             // of the first site
};

// records : those of slice x
DEVICE Cell cell_of(const Conductor& s, real* records, int x, int task) {
  const bool one_line = s.lines == 1;  // divisions would cost as much as a random number
  const int line_sites = one_line ? s.sites : s.sites / s.lines;
  const int cells = (line_sites + SITES_PER_CELL - 1) / SITES_PER_CELL, line = one_line ? 0 : task / cells;
  const int cell = task - line * cells, left = line_sites - SITES_PER_CELL * cell;
  Cell c;
  c.slice = x;
  c.first = line * line_sites + SITES_PER_CELL * cell;
  c.count = left < SITES_PER_CELL ? left : SITES_PER_CELL;
  c.number = (uint32)line * (LINE_STRIDE / SITES_PER_CELL) + cell;
  c.record = records + c.first * s.record;
  return c;
}

DEVICE int cells_of_slice(const Conductor& s) {
  return s.lines * ((s.sites / s.lines + SITES_PER_CELL - 1) / SITES_PER_CELL);
}

// U of a site's bond along one direction, where v / t has been put.
DEVICE void draw_bond(const Conductor& s, int direction, Counter counter, uint32 site, real* bond) {
  const int components = s.spins == 2 ? 4 : 1;
  real q[4];
  for (int k = 0; k < 4; k++) q[k] = in_all_lanes(s.uniform[direction][k]);
  if (s.random_coupling) {
    lane_bits words[4];
    counter.stream = STREAMS_PER_LAW * SPIN_ORBIT_POSITION + BONDS_X + direction;
    words_of(counter, site, words);
    random_bond(s.random_coupling, s.coupling, words, q);
  }
  const real factor = 1.0 + bond[0];
  real square = factor * 0.0;
  for (int k = 0; k < 4; k++) {
    q[k] *= factor;
    if (k < components) {
      bond[k] = q[k];
      square += q[k] * q[k];
    }
  }
  if (direction == ALONG_X) bond[components] = 1.0 / square;
}

// What the laws on a place add to the four sites.
DEVICE void add_laws(const Conductor& s, const Cell& c, Counter counter, int place, int stream, double scale,
                     real value[4]) {
  for (int law = 0; law < s.laws; law++) {
    if (s.law_places[law] != place || s.law_kinds[law] == FROM_HOST) continue;
    counter.stream = STREAMS_PER_LAW * law + stream;
    add_law(s.law_kinds[law], s.law_parameters + LAW_PARAMETERS * law, scale, counter, c.number, value);
  }
}

DEVICE void draw_onsite(const Conductor& s, const Cell& c, const Counter& counter, const real* given) {
  const double scale = 1.0 / s.hopping;
  real value[SITES_PER_CELL];
  for (int site = 0; site < SITES_PER_CELL; site++) value[site] = in_all_lanes(-s.energy * scale);
  add_laws(s, c, counter, SITES, ONSITE, scale, value);
  for (int site = 0; site < SITES_PER_CELL; site++)
    if (site < c.count)
      c.record[site * s.record] =
          given ? value[site] + scale * given[(int64)c.slice * s.sites + c.first + site] : value[site];
}

// The bonds of a cell to the next sites. A law's number waits where the bond, and a plaquette's flux where the phase will
// stand.
DEVICE void draw_links(const Conductor& s, const Cell& c, const Counter& counter) {
  for (int stream = BONDS_X; stream < STREAMS; stream++) {
    const bool is_flux = stream == PLAQUETTES;
    const int place = is_flux ? s.phase : stream <= BONDS_Z ? s.bonds[stream - BONDS_X] : 0;
    if (!place) continue;
    real value[SITES_PER_CELL];
    for (int site = 0; site < SITES_PER_CELL; site++) value[site] = in_all_lanes(0.0);
    add_laws(s, c, counter, is_flux ? FLUX : BONDS, stream, is_flux ? 1.0 : 1.0 / s.hopping, value);
    real* number = c.record + place;
    for (int site = 0; site < SITES_PER_CELL; site++)
      if (site < c.count) number[site * s.record] = value[site];
    for (int site = 0; site < c.count && !is_flux; site++)
      draw_bond(s, stream - BONDS_X, counter, SITES_PER_CELL * c.number + site, number + site * s.record);
  }
}

// h / t of a cell's sites: the sample's own, and magnetic impurities.
DEVICE void draw_fields(const Conductor& s, const Cell& c, Counter counter) {
  const double scale = 1.0 / s.hopping;
  for (int half = 0; half < 2; half++) {  // two sites a cell of these
    real first[3], second[3];
    for (int k = 0; k < 3; k++) first[k] = second[k] = in_all_lanes(s.zeeman[k]);
    for (int law = 0; law < s.laws; law++) {
      if (s.law_places[law] != SPINS_OF_SITES) continue;
      const double length = s.law_parameters[LAW_PARAMETERS * law] * scale;
      lane_bits words[4];
      counter.stream = STREAMS_PER_LAW * law + IMPURITIES;
      words_of(counter, 2 * c.number + half, words);
      add_unit_vector(unit_interval(words[0]), unit_interval(words[1]), length, first);
      add_unit_vector(unit_interval(words[2]), unit_interval(words[3]), length, second);
    }
    real* field = c.record + 2 * half * s.record + s.field;
    for (int k = 0; k < 3; k++) {
      if (2 * half < c.count) field[k] = first[k];
      if (2 * half + 1 < c.count) field[s.record + k] = second[k];
    }
  }
}

// On `count` slices from the one in `slot` on, from the fluxes of plaquettes to cos and sin of 2 pi theta, theta(y) = flux y + the fluxes below y.
DEVICE void accumulate_phases(const Conductor& s, int slot, int count, real* records) {
  const int width = s.sites / s.depth;
  for (int task = threadIdx.x; task < count * s.depth; task += blockDim.x) {
    real* slice = records_at(s, records, slot, task / s.depth) + s.phase;
    real below = in_all_lanes(0.0);
    for (int y = 0; y < width; y++) {
      real& here = slice[(y * s.depth + task % s.depth) * s.record];
      const real flux = here;
      here = s.flux * y + below;
      below += flux;
    }
  }
  __syncthreads();
  for (int task = threadIdx.x; task < count * s.sites; task += blockDim.x) {
    real* phase = records_at(s, records, slot, task / s.sites) + task % s.sites * s.record + s.phase;
    const real turns = phase[0];
    cosine_and_sine_of_turns(turns, phase[0], phase[1]);
  }
  __syncthreads();
}

// The records of slices first ... first + count - 1, at most `slots` of them.
//
// realization : Philox key word 1
// given       : (slices, sites) onsite energies from the host, units of t's unit, NaN where a site is missing; or null
// records     : record_reals; slots of other slices are left as they are
//
// Its barriers also end whatever phase came before.
DEVICE void draw_slices(const Conductor& s, int first, int count, lane_bits realization, const real* given,
                        real* RESTRICT records) {
  const int cells = cells_of_slice(s), slot = first % s.slots;
  for (int task = threadIdx.x; task < count * cells; task += blockDim.x) {
    const int k = task / cells;
    const Cell c = cell_of(s, records_at(s, records, slot, k), first + k, task - k * cells);
    const Counter counter = {c.slice, 0, s.point, s.seed, realization};
    draw_onsite(s, c, counter, given);
    if (s.field) draw_fields(s, c, counter);
    if (s.bonds[ALONG_X] || s.phase) draw_links(s, c, counter);
  }
  __syncthreads();
  if (s.phase) accumulate_phases(s, slot, count, records);
}
