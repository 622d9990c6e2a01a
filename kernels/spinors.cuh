// Steps of a site with spin: two rows of the frame, up and down.
#pragma once
#include "stage.cuh"

template <bool RANDOM_>
struct SpinorModel {
  static constexpr bool RANDOM = RANDOM_, TILES = LANES > 1;
};

// How the rows of a site come about.
template <bool RANDOM>
struct Spinor {
  typedef typename BondNumber<RANDOM>::type number;
  const number *bonds[NEIGHBOURS], *before, *ahead;
  const cplx *row, *neighbours[NEIGHBOURS];
  cplx* target;
  int ld, before_mask, ahead_mask;  // length of a row
  const real* record;
  bool is_complex, scaled;
  cplx before_phase, ahead_phase;  // the latter over |U|^2
};

template <bool RANDOM>
DEVICE Spinor<RANDOM> site_of(SpinorModel<RANDOM>, const Conductor& s, const FrameShape& w, const Stage& x,
                              cplx* behind, const cplx* here, int i) {
  Spinor<RANDOM> site;
  site.ld = w.row;
  site.row = here + 2 * i * w.row;
  site.target = behind + 2 * i * w.row;
  site.record = x.here + i * s.record;
  const real* record_before = x.before + i * s.record;
UNROLL
  for (int k = 0; k < NEIGHBOURS; k++) {
    const int j = x.neighbours[i * NEIGHBOURS + k];
    site.neighbours[k] = j < 0 ? nullptr : here + 2 * j * w.row;
    site.bonds[k] = bond_of<RANDOM>(s, x.here + (k % 2 || j < 0 ? i : j) * s.record, ALONG_Y + k / 2);
  }
  site.before = bond_of<RANDOM>(s, record_before, ALONG_X);
  if constexpr (RANDOM)
    site.ahead = bond_of<RANDOM>(s, site.record, ALONG_X);
  else
    site.ahead = s.ahead;
  site.before_mask = x.from_lead ? UNIT_BOND : mask_of<RANDOM>(s, ALONG_X);
  site.ahead_mask = x.to_lead ? UNIT_BOND : mask_of<RANDOM>(s, ALONG_X);
  site.is_complex = has_phases(s);
  site.scaled = RANDOM && !x.to_lead;
  const cplx one = {in_all_lanes(1.0), in_all_lanes(0.0)};
  site.before_phase = site.is_complex && !x.from_lead ? phase_of(s, record_before, i) : one;
  site.ahead_phase = site.is_complex && !x.to_lead ? phase_of(s, site.record, i) : one;
  if (site.scaled) {
    const real inverse = site.record[s.bonds[ALONG_X] + 4];
    site.ahead_phase = {site.ahead_phase.re * inverse, site.ahead_phase.im * inverse};
  }
  return site;
}

// sum += (SCALAR q_0 + VECTOR i q . sigma) psi, of q the components in `mask`; psi = (up, down), COLUMNS each.
template <int SCALAR, int VECTOR, int COLUMNS, typename NUMBER>
DEVICE void add_rotated(cplx (&sum)[2][COLUMNS], const NUMBER* q, int mask, const cplx* up, const cplx* down) {
  if (mask == UNIT_BOND) {
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      sum[0][c] = {sum[0][c].re + (double)SCALAR * up[c].re, sum[0][c].im + (double)SCALAR * up[c].im};
      sum[1][c] = {sum[1][c].re + (double)SCALAR * down[c].re, sum[1][c].im + (double)SCALAR * down[c].im};
    }
    return;
  }
  if (mask & 1) {
    const NUMBER a = (double)SCALAR * q[0];
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      sum[0][c] = {sum[0][c].re + a * up[c].re, sum[0][c].im + a * up[c].im};
      sum[1][c] = {sum[1][c].re + a * down[c].re, sum[1][c].im + a * down[c].im};
    }
  }
  if (mask & 2) {
    const NUMBER b = (double)VECTOR * q[1];
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      sum[0][c] = {sum[0][c].re - b * down[c].im, sum[0][c].im + b * down[c].re};
      sum[1][c] = {sum[1][c].re - b * up[c].im, sum[1][c].im + b * up[c].re};
    }
  }
  if (mask & 4) {
    const NUMBER b = (double)VECTOR * q[2];
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      sum[0][c] = {sum[0][c].re + b * down[c].re, sum[0][c].im + b * down[c].im};
      sum[1][c] = {sum[1][c].re - b * up[c].re, sum[1][c].im - b * up[c].im};
    }
  }
  if (mask & 8) {
    const NUMBER b = (double)VECTOR * q[3];
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      sum[0][c] = {sum[0][c].re - b * up[c].im, sum[0][c].im + b * up[c].re};
      sum[1][c] = {sum[1][c].re + b * down[c].im, sum[1][c].im - b * down[c].re};
    }
  }
}

// sum += (h . sigma) psi
template <int COLUMNS>
DEVICE void add_field(cplx (&sum)[2][COLUMNS], const real* h, const cplx* up, const cplx* down) {
UNROLL
  for (int c = 0; c < COLUMNS; c++) {
    sum[0][c].re += h[2] * up[c].re + h[0] * down[c].re + h[1] * down[c].im;
    sum[0][c].im += h[2] * up[c].im + h[0] * down[c].im - h[1] * down[c].re;
    sum[1][c].re += h[0] * up[c].re - h[1] * up[c].im - h[2] * down[c].re;
    sum[1][c].im += h[0] * up[c].im + h[1] * up[c].re - h[2] * down[c].im;
  }
}

// Columns from j on of the target, both spins, <- Phi_x chi / |Phi_x|^2.
template <bool RANDOM, int COLUMNS>
DEVICE void cross_bond(const Spinor<RANDOM>& site, const cplx (&chi)[2][COLUMNS], int j) {
  cplx turned[2][COLUMNS];
UNROLL
  for (int c = 0; c < COLUMNS; c++) turned[0][c] = turned[1][c] = {in_all_lanes(0.0), in_all_lanes(0.0)};
  add_rotated<1, 1>(turned, site.ahead, site.ahead_mask, chi[0], chi[1]);
UNROLL
  for (int spin = 0; spin < 2; spin++)
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      const cplx psi = turned[spin][c];
      cplx& target = site.target[spin * site.ld + j + c];
      if (site.is_complex)
        target = product(site.ahead_phase, psi);
      else if (site.scaled)
        target = {site.ahead_phase.re * psi.re, site.ahead_phase.re * psi.im};
      else
        target = psi;
    }
}

// The same columns of psi_{x+1}.
template <int COLUMNS, bool RANDOM>
DEVICE void step_columns(const Conductor& s, const Spinor<RANDOM>& site, int j) {
  const cplx *up = site.row + j, *down = up + site.ld;
  const real onsite = site.record[0];
  cplx sum[2][COLUMNS];
UNROLL
  for (int c = 0; c < COLUMNS; c++) {
    sum[0][c] = {onsite * up[c].re, onsite * up[c].im};
    sum[1][c] = {onsite * down[c].re, onsite * down[c].im};
  }
  if (s.field) add_field(sum, site.record + s.field, up, down);
UNROLL
  for (int k = 0; k < NEIGHBOURS; k++) {
    if (!site.neighbours[k]) continue;
    const cplx* psi = site.neighbours[k] + j;
    const int mask = mask_of<RANDOM>(s, ALONG_Y + k / 2);
    if (k % 2)  // the bond is this site's own
      add_rotated<-1, 1>(sum, site.bonds[k], mask, psi, psi + site.ld);
    else
      add_rotated<-1, -1>(sum, site.bonds[k], mask, psi, psi + site.ld);
  }
  const cplx *old_up = site.target + j, *old_down = old_up + site.ld;
  if (site.is_complex) {
    cplx turned[2][COLUMNS];
UNROLL
    for (int c = 0; c < COLUMNS; c++) turned[0][c] = turned[1][c] = {in_all_lanes(0.0), in_all_lanes(0.0)};
    add_rotated<1, 1>(turned, site.before, site.before_mask, old_up, old_down);
UNROLL
    for (int spin = 0; spin < 2; spin++)
UNROLL
      for (int c = 0; c < COLUMNS; c++) subtract_product(sum[spin][c], site.before_phase, turned[spin][c]);
  } else {
    add_rotated<-1, -1>(sum, site.before, site.before_mask, old_up, old_down);
  }
  cross_bond(site, sum, j);
}

template <bool RANDOM>
DEVICE void cross_columns(const Spinor<RANDOM>& site, int j) {
  const cplx chi[2][1] = {{site.target[j]}, {site.target[j + site.ld]}};
  cross_bond(site, chi, j);
}
