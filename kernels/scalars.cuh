// Steps of a site without spin: one row of the frame.
#pragma once
#include "stage.cuh"

// What they are compiled for: whether bonds are random; whether those along x are other than 1; and how many neighbours a
// site may have in its slice. NUMBER is that of the frame.
template <bool RANDOM_, bool TURNED_, int COUNT_>
struct ScalarModel {
  static constexpr bool RANDOM = RANDOM_, TURNED = TURNED_;
  static constexpr int COUNT = COUNT_;
  static constexpr bool TILES = LANES > 1 && (TURNED || COUNT > 2);
};

// How the row of a site comes about.
template <typename MODEL, typename NUMBER>
struct Scalar {
  typename BondNumber<MODEL::RANDOM>::type bonds[MODEL::COUNT];
  const NUMBER *row, *neighbours[MODEL::COUNT];  // null where there is none
  NUMBER* target;
  real onsite;
  NUMBER before, ahead;  // Phi_{x-1}; Phi_x / |Phi_x|^2
};

// Phi of a bond along x, or Phi / |Phi|^2; 1 for a lead's.
template <bool RANDOM>
DEVICE cplx scalar_bond(const Conductor& s, const real* record, int site, bool of_lead, bool inverse) {
  cplx phi = {in_all_lanes(1.0), in_all_lanes(0.0)};
  if (of_lead) return phi;
  if (has_phases(s)) phi = phase_of(s, record, site);
  if constexpr (RANDOM) {
    const real* bond = record + s.bonds[ALONG_X];
    const real factor = inverse ? bond[0] * bond[1] : bond[0];
    phi = {phi.re * factor, phi.im * factor};
  }
  return phi;
}

template <bool RANDOM, bool TURNED, int COUNT, typename NUMBER>
DEVICE auto site_of(ScalarModel<RANDOM, TURNED, COUNT>, const Conductor& s, const FrameShape& w, const Stage& x,
                    NUMBER* behind, const NUMBER* here, int i) {
  Scalar<ScalarModel<RANDOM, TURNED, COUNT>, NUMBER> site;
  site.row = here + i * w.row;
  site.target = behind + i * w.row;
  site.onsite = x.here[i * s.record];
UNROLL
  for (int k = 0; k < COUNT; k++) {
    const int j = x.neighbours[i * NEIGHBOURS + k];
    site.neighbours[k] = j < 0 ? nullptr : here + j * w.row;
    if constexpr (RANDOM)
      if (j >= 0) site.bonds[k] = x.here[(k % 2 ? i : j) * s.record + s.bonds[ALONG_Y + k / 2]];
  }
  if constexpr (TURNED) {
    site.before = NumberOf<NUMBER>::of(scalar_bond<RANDOM>(s, x.before + i * s.record, i, x.from_lead, false));
    site.ahead = NumberOf<NUMBER>::of(scalar_bond<RANDOM>(s, x.here + i * s.record, i, x.to_lead, true));
  }
  return site;
}

// Columns from j on of the target <- Phi_x chi / |Phi_x|^2.
template <typename MODEL, typename NUMBER, int COLUMNS>
DEVICE void cross_bond(const Scalar<MODEL, NUMBER>& site, const NUMBER (&chi)[1][COLUMNS], int j) {
UNROLL
  for (int c = 0; c < COLUMNS; c++) {
    if constexpr (MODEL::TURNED)
      site.target[j + c] = product(site.ahead, chi[0][c]);
    else
      site.target[j + c] = chi[0][c];
  }
}

// The same columns of psi_{x+1}.
template <int COLUMNS, typename MODEL, typename NUMBER>
DEVICE void step_columns(const Conductor&, const Scalar<MODEL, NUMBER>& site, int j) {
  NUMBER sum[1][COLUMNS];
UNROLL
  for (int c = 0; c < COLUMNS; c++) sum[0][c] = scaled(site.row[j + c], site.onsite);
UNROLL
  for (int k = 0; k < MODEL::COUNT; k++) {
    if (!site.neighbours[k]) continue;
UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      const NUMBER psi = site.neighbours[k][j + c];
      if constexpr (MODEL::RANDOM)
        subtract_scaled(sum[0][c], psi, site.bonds[k]);
      else
        sum[0][c] = difference(sum[0][c], psi);
    }
  }
UNROLL
  for (int c = 0; c < COLUMNS; c++) {
    const NUMBER old = site.target[j + c];
    if constexpr (MODEL::TURNED)
      subtract_product(sum[0][c], site.before, old);
    else
      sum[0][c] = difference(sum[0][c], old);
  }
  cross_bond(site, sum, j);
}

// Column j of the target, which is chi <- psi_{x+1}.
template <typename MODEL, typename NUMBER>
DEVICE void cross_columns(const Scalar<MODEL, NUMBER>& site, int j) {
  const NUMBER chi[1][1] = {{site.target[j]}};
  cross_bond(site, chi, j);
}
