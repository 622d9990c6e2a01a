// Layers: the sites of a sample in an order in which each is bound to its own layer and the two beside it alone.
//
// A slice is one layer; an armchair ribbon's can be two, first the sites with a bond to the slice before, then those
// with one to the slice that follows. With V the bonds to the layer before and g the Green's function of the sample up
// to there, the next one is the inverse of
//     A = (E - h - V g V^dagger) / t.
// Orbitals of a layer: place * spins + spin; matrices are (rows, row) of cplx,
// padded by the identity to a multiple of TILE.
#pragma once
#include "conductor.cuh"
#include "frames.cuh"

#define BONDS_BACK 2  // of a site: in the first layer of a slice the one along x; in the second to previous and next y

// What the kernel is told beside. m orbitals in the largest layer, N channels; the leads' numbers are those of the
// layers that they touch, in units of t.
struct LayerInputs {
  int layers, most;            // of a slice; sites of the largest
  const int* counts;           // (period, layers), sites
  const int* sites;            // (period, layers, most), each one's number in its slice
  const int* back;             // (period * layers + 1, most, BONDS_BACK), the places of its neighbours in the layer
                               // before, or -1; last of all those of the first layer of a sample
  const int* beside;           // (period, layers, most, NEIGHBOURS), those in its own layer
  const double* self_energies; // (1 + period, m, m) complex: lead 0's, then lead 1's by (L - 1) % period
  const double* couplings;     // (1 + period, m, N) complex, W
};

// One layer of slice x.
struct Layer {
  int count, orbitals, index;  // sites; the layer's number in its slice
  const int *sites, *back, *beside, *neighbours;
  const real *here, *before;  // records of its slice and of the one before
};

DEVICE Layer layer_of(const Conductor& s, const LayerInputs& f, real* records, int x, int index) {
  const int at = x % s.period * f.layers + index;
  Layer layer;
  layer.count = f.counts[at];
  layer.orbitals = layer.count * s.spins;
  layer.index = index;
  layer.sites = f.sites + at * f.most;
  layer.back = f.back + (x == 0 && index == 0 ? s.period * f.layers : at) * f.most * BONDS_BACK;
  layer.beside = f.beside + at * f.most * NEIGHBOURS;
  layer.neighbours = neighbours_of(s, x);
  layer.here = records_of(s, records, x);
  layer.before = records_of(s, records, x > 0 ? x - 1 : 0);
  return layer;
}

DEVICE const real* record_at(const Conductor& s, const real* records, int site) { return records + site * s.record; }

// A missing site's energy is NaN.
DEVICE lane_mask is_there(const real* record) { return record[0] == record[0]; }

// U of the bond that belongs to a record's site, or its adjoint: (SPINS, SPINS).
template <int SPINS>
DEVICE void bond_block(const Conductor& s, const real* record, int direction, bool adjoint, cplx* block) {
  real q[4];
UNROLL
  for (int k = 0; k < (SPINS == 2 ? 4 : 1); k++) {
    q[k] = s.bonds[direction] ? record[s.bonds[direction] + k] : in_all_lanes(s.uniform[direction][k]);
    if (adjoint && k > 0) q[k] = -q[k];
  }
  if (SPINS == 1) {
    block[0] = {q[0], in_all_lanes(0.0)};
    return;
  }
  block[0] = {q[0], q[3]};
  block[1] = {q[2], q[1]};
  block[SPINS] = {-q[2], q[1]};
  block[SPINS + 1] = {q[0], -q[3]};
}

DEVICE void scale_block(cplx* block, int numbers, const cplx& factor) {
  for (int k = 0; k < numbers; k++) block[k] = product(block[k], factor);
}

DEVICE cplx where(lane_mask condition, const cplx& number) {
  const real zero = in_all_lanes(0.0);
  return {select(condition, number.re, zero), select(condition, number.im, zero)};
}

// hops (count, BONDS_BACK, SPINS, SPINS): -V / t, 0 where a site is missing; not written where the lattice has no bond.
template <int SPINS>
DEVICE void draw_hops(const Conductor& s, const Layer& layer, cplx* RESTRICT hops) {
  for (int t = threadIdx.x; t < layer.count * BONDS_BACK; t += blockDim.x) {
    if (layer.back[t] < 0) continue;
    const int site = layer.sites[t / BONDS_BACK], to_next = t % BONDS_BACK;
    cplx* block = hops + t * SPINS * SPINS;
    const real *here = record_at(s, layer.here, site), *there;
    if (layer.index == 0) {
      there = record_at(s, layer.before, site);
      bond_block<SPINS>(s, there, ALONG_X, false, block);
      if (s.twisted || s.phase) scale_block(block, SPINS * SPINS, phase_of(s, there, site));
    } else {
      there = record_at(s, layer.here, layer.neighbours[site * NEIGHBOURS + to_next]);
      bond_block<SPINS>(s, to_next ? here : there, ALONG_Y, to_next, block);
    }
    const lane_mask both = is_there(here) & is_there(there);
    for (int k = 0; k < SPINS * SPINS; k++) block[k] = where(both, block[k]);
  }
  __syncthreads();
}

// target (orbitals, row) = V / -t times source, whose rows are the orbitals of the layer before.
template <int SPINS>
DEVICE void hop_rows(const Layer& layer, const cplx* RESTRICT hops, const cplx* RESTRICT source, int columns, int row,
                     cplx* RESTRICT target) {
  const Share mine = share_of(columns, layer.orbitals);
  for (int i = mine.row; i < layer.orbitals; i += mine.rows) {
    const int site = i / SPINS;
    const cplx *first = hops + (site * BONDS_BACK * SPINS + i % SPINS) * SPINS, *second = first + SPINS * SPINS;
    const int *back = layer.back + site * BONDS_BACK;
    for (int j = mine.column; j < columns; j += mine.columns) {
      cplx sum = {in_all_lanes(0.0), in_all_lanes(0.0)};
      for (int k = 0; k < SPINS && back[0] >= 0; k++)
        add_product(sum, first[k], source[(back[0] * SPINS + k) * row + j]);
      for (int k = 0; k < SPINS && back[1] >= 0; k++)
        add_product(sum, second[k], source[(back[1] * SPINS + k) * row + j]);
      target[i * row + j] = sum;
    }
  }
  __syncthreads();
}

// A (orbitals, row) = -T (V / -t)^dagger, padded by the identity; T (orbitals, row) = V g.
template <int SPINS>
DEVICE void hop_columns(const Layer& layer, const cplx* RESTRICT hops, const cplx* RESTRICT T, int row,
                        cplx* RESTRICT A) {
  const int columns = padded(layer.orbitals);
  const Share mine = share_of(columns, columns);
  for (int i = mine.row; i < columns; i += mine.rows)
    for (int j = mine.column; j < columns; j += mine.columns) {
      cplx sum = {in_all_lanes(i == j ? 1.0 : 0.0), in_all_lanes(0.0)};
      if (i < layer.orbitals && j < layer.orbitals) {
        const int site = j / SPINS;
        sum.re = in_all_lanes(0.0);
        for (int b = 0; b < BONDS_BACK; b++) {
          const int back = layer.back[site * BONDS_BACK + b];
          const cplx* hop = hops + ((site * BONDS_BACK + b) * SPINS + j % SPINS) * SPINS;
          for (int k = 0; k < SPINS && back >= 0; k++)
            subtract_conjugate_product(sum, hop[k], T[i * row + back * SPINS + k]);
        }
      }
      A[i * row + j] = sum;
    }
  __syncthreads();
}

// A += (E - h) / t.
template <int SPINS>
DEVICE void add_layer(const Conductor& s, const Layer& layer, int row, cplx* RESTRICT A) {
  for (int i = threadIdx.x; i < layer.count; i += blockDim.x) {
    const real* here = record_at(s, layer.here, layer.sites[i]);
    const lane_mask there = is_there(here);
    const real onsite = select(there, -here[0], in_all_lanes(1.0));
    cplx* diagonal = A + i * SPINS * (row + 1);
    for (int spin = 0; spin < SPINS; spin++) diagonal[spin * (row + 1)].re += onsite;
    if (SPINS == 2 && s.field) {
      const real* h = here + s.field;
      const cplx up = where(there, {h[2], in_all_lanes(0.0)}), mixed = where(there, {h[0], h[1]});
      diagonal[0].re -= up.re;
      diagonal[row + 1].re += up.re;
      diagonal[1] = {diagonal[1].re - mixed.re, diagonal[1].im + mixed.im};
      diagonal[row] = {diagonal[row].re - mixed.re, diagonal[row].im - mixed.im};
    }
    for (int k = 0; k < NEIGHBOURS; k++) {
      const int place = layer.beside[i * NEIGHBOURS + k], own = k % 2;
      if (place < 0) continue;
      const real* other = record_at(s, layer.here, layer.sites[place]);
      const lane_mask both = there & is_there(other);
      cplx block[SPINS * SPINS];
      bond_block<SPINS>(s, own ? here : other, ALONG_Y + k / 2, own, block);
      for (int t = 0; t < SPINS * SPINS; t++) {
        cplx& target = A[(i * SPINS + t / SPINS) * row + place * SPINS + t % SPINS];
        const cplx bond = where(both, block[t]);
        target = {target.re + bond.re, target.im + bond.im};
      }
    }
  }
  __syncthreads();
}

// Which lanes have an orbital of the layer.
DEVICE lane_mask has_orbital(const Conductor& s, const Layer& layer, int i) {
  return is_there(record_at(s, layer.here, layer.sites[i / s.spins]));
}

// target = A - a lead's self-energy (m, m), both padded by the identity; target may be A.
DEVICE void subtract_lead(const Conductor& s, const Layer& layer, const cplx* A, const double* self_energy, int m,
                          int row, cplx* target) {
  const int columns = padded(layer.orbitals);
  const Share mine = share_of(columns, columns);
  for (int i = mine.row; i < columns; i += mine.rows)
    for (int j = mine.column; j < columns; j += mine.columns) {
      cplx number = A[i * row + j];
      if (i < layer.orbitals && j < layer.orbitals) {
        const double* sigma = self_energy + 2 * (i * m + j);
        const cplx seen = where(has_orbital(s, layer, i) & has_orbital(s, layer, j),
                                {in_all_lanes(sigma[0]), in_all_lanes(sigma[1])});
        number = {number.re - seen.re, number.im - seen.im};
      }
      target[i * row + j] = number;
    }
  __syncthreads();
}

// A lead's coupling (m, N) to orbital i by its wave j; 0 beyond the last, and where the orbital is missing.
DEVICE cplx coupling_of(const Conductor& s, const Layer& layer, const double* coupling, int i, int j) {
  if (j >= s.channels) return {in_all_lanes(0.0), in_all_lanes(0.0)};
  const double* number = coupling + 2 * (i * s.channels + j);
  return where(has_orbital(s, layer, i), {in_all_lanes(number[0]), in_all_lanes(number[1])});
}
