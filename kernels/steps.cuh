// Steps of a frame through slices: psi_{x+1} from psi_x and psi_{x-1}, site by site, in the place of psi_{x-1}.
//
//     chi = e psi_x + (h . sigma / t) psi_x - (U psi of the neighbours) - Phi_{x-1} psi_{x-1},  psi_{x+1} = Phi_x chi / |Phi_x|^2
//
// The bonds to the leads are the leads' own: a frame begins with Phi psi_{-1} in the place of psi_{-1}, and at a recorded
// length it ends with chi. Rows are those of orbitals, site * spins + spin; a thread has its share of sites and columns.
#pragma once
#include "scalars.cuh"
#include "spinors.cuh"

// How two steps are taken at once.
struct StepOrder {
  const int* order;  // (period, sites), of the sites of slice x + 1
  const int* ready;  // (period, sites), how many of these can follow once this site of slice x has its first
};

template <int COUNT, typename WORK>
DEVICE void by_scalar_model(const Conductor& s, const WORK& work) {
  if (s.bonds[ALONG_X])
    work(ScalarModel<true, true, COUNT>());
  else if (has_phases(s))
    work(ScalarModel<false, true, COUNT>());
  else
    work(ScalarModel<false, false, COUNT>());
}

// Calls `work` with the model; frames of real numbers are for those without spin and phases.
template <typename NUMBER, typename WORK>
DEVICE void by_model(const Conductor& s, const WORK& work) {
  if constexpr (NumberOf<NUMBER>::COMPLEX)
    if (s.spins == 2) return s.bonds[ALONG_X] ? work(SpinorModel<true>()) : work(SpinorModel<false>());
  if (LANES > 1 && s.depth == 1)  // on CUDA this would gain nothing, and the code is large enough
    by_scalar_model<NEXT_Y + 1>(s, work);
  else
    by_scalar_model<NEIGHBOURS>(s, work);
}

// The rows of site i, columns of the thread's share. Where a column takes little, tiles gain nothing.
template <typename MODEL, typename NUMBER>
DEVICE void step_site(MODEL model, const Conductor& s, const FrameShape& w, const Stage& x, NUMBER* RESTRICT behind,
                      const NUMBER* RESTRICT here, int i, const Share& mine) {
  const auto site = site_of(model, s, w, x, behind, here, i);
  int j = w.padding + mine.column;
  for (; MODEL::TILES && j + TILE <= w.columns; j += TILE) step_columns<TILE>(s, site, j);
  for (; j < w.columns; j += mine.columns) step_columns<1>(s, site, j);
}

// behind <- the slice after `here`. Each number of `behind` is one thread's alone.
template <typename MODEL, typename NUMBER>
DEVICE void step(MODEL model, const Conductor& s, const FrameShape& w, const Stage& x, NUMBER* behind,
                 const NUMBER* here) {
  const Share mine = share_of(w.columns, s.sites);
  for (int i = mine.row; i < s.sites; i += mine.rows) step_site(model, s, w, x, behind, here, i, mine);
}

// The same twice, `behind` and then `here`, for a single thread: a site of the second slice follows as soon as its
// neighbours have taken the first step, while they are still in the nearest cache. (What it knows comes by value: narrow
// strips feel it.)
template <typename MODEL, typename NUMBER>
DEVICE void two_steps(MODEL model, const Conductor& s, const FrameShape w, const Stage x, const Stage next,
                      NUMBER* behind, NUMBER* here, const int* order, const int* ready) {
  const Share all = {0, 1, 0, 1};
  int followed = 0;
  for (int i = 0; i < s.sites; i++) {
    step_site(model, s, w, x, behind, here, i, all);
    const int end = ready[i];
    if (followed < end) step_site(model, s, w, next, here, behind, order[followed++], all);  // one, as a rule
    while (followed < end) step_site(model, s, w, next, here, behind, order[followed++], all);
  }
}

// `count` steps from slice x on; the sample's recorded length is `length`.
template <typename NUMBER>
DEVICE void advance(const Conductor& s, const StepOrder& two, const FrameShape& w, int x, int count, int length,
                    NUMBER*& behind, NUMBER*& here) {
  by_model<NUMBER>(s, [&](auto model) {
    int slot = x % s.slots;
    for (const int end = x + count; x < end; x++) {
      const Stage stage = stage_of(s, w.records, slot, x, length);
      slot = slot + 1 < s.slots ? slot + 1 : 0;
      if (LANES > 1 && x + 1 < end) {
        const Stage next = stage_of(s, w.records, slot, x + 1, length);
        const int at = parity_of(s, x) * s.sites;
        two_steps(model, s, w, stage, next, behind, here, two.order + at, two.ready + at);
        slot = slot + 1 < s.slots ? slot + 1 : 0;
        x++;
        continue;
      }
      step(model, s, w, stage, behind, here);
      NUMBER* swap = behind;
      behind = here;
      here = swap;
      __syncthreads();
    }
  });
}

// From chi to psi on slice x, where lead 1 was attached and the sample goes on.
DEVICE void leave_lead(const Conductor& s, const FrameShape& w, int x, cplx* here) {
  by_model<cplx>(s, [&](auto model) {
    const Share mine = share_of(w.columns, s.sites);
    const real* records = records_of(s, w.records, x - 1);
    const Stage last = {records, records, neighbours_of(s, x - 1), true, false};
    for (int i = mine.row; i < s.sites; i += mine.rows) {
      const auto site = site_of(model, s, w, last, here, here, i);
      for (int j = w.padding + mine.column; j < w.columns; j += mine.columns) cross_columns(site, j);
    }
  });
}
