// Steps of wide frames: what is not linear algebra of the transmission through wide samples, for mesogpu/backends/wide.
//
// One block (host: one call) takes the frame of one realization at a time through an interval; between intervals the
// frame is orthonormalised by a library. Numbers of a frame are complex doubles as (re, im) pairs, row-major, no padding:
// (2, D, D), columns on two slices, psi_{x-1} and psi_x in whichever of the two places.
//
// On the host a vector holds LANES columns of one realization; on CUDA, LANES is 1.
#include "coefficients.cuh"
#include "workspace.cuh"

#define MOST_THREADS 256  // of a block

// An interval: slices first ... first + count - 1 on the way to the recorded length `length`; here: the place of psi_first;
// leaves: whether the frame comes from an attachment, with chi in the place of psi_first.
struct Stretch {
  int first, count, length, here, leaves;
};

// Columns of a frame that are stepped together: (2 D, w.row) from `frame` on, without padding.
DEVICE FrameShape shape_columns(const Conductor& s, int columns, real* records) {
  return {s.sites * s.spins, columns, 0, columns, records};
}

DEVICE cplx* place_of(const FrameShape& w, cplx* frame, int place) { return frame + (int64)place * w.orbitals * w.row; }

// Once the slices are drawn.
DEVICE void cross(const Conductor& s, const FrameInputs& f, const FrameShape& w, const Stretch& x, cplx* frame) {
  cplx *behind = place_of(w, frame, 1 - x.here), *here = place_of(w, frame, x.here);
  if (x.leaves) {
    leave_lead(s, w, x.first, here);
    __syncthreads();
  }
  advance(s, f.steps, w, x.first, x.count, x.length, behind, here);
}

#if LANES == 1

// Realizations blockIdx.x, blockIdx.x + gridDim.x, ... of `count`.
//
// realizations : (count) uint32, Philox key word 1
// given        : (count, slices, sites) onsite energies from the host; or null
// records      : (count, record_reals), kept from interval to interval
// frames       : (count, 2, D, D) complex, in place, 16-byte aligned
extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    wide_steps(Conductor s, FrameInputs f, Stretch x, int64 count, const uint32* realizations, const double* given,
               double* records, double* frames) {
  for (int64 i = blockIdx.x; i < count; i += gridDim.x) {
    const FrameShape w = shape_columns(s, s.sites * s.spins, records + i * record_reals(s));
    cplx* frame = (cplx*)frames + i * 2 * w.orbitals * w.row;
    draw_slices(s, x.first, x.count, load_lanes(realizations + i), given ? given + i * s.slices * s.sites : nullptr,
                w.records);
    cross(s, f, w, x, frame);
  }
}

#else

#define NEAR_BYTES (1 << 19)  // of the columns that are stepped at a time: half of a small second-level cache

// Tiles of TILE * LANES columns at a time.
static int tiles_at_a_time(const Conductor& s) {
  const int64 tile = (int64)2 * s.sites * s.spins * TILE * sizeof(cplx);
  return tile < NEAR_BYTES ? NEAR_BYTES / tile : 1;
}

// Between `count` columns of a frame from `first` on and (2 D, w.row) vectors, which are filled up with zeros.
static void exchange(const FrameShape& w, double* frame, double* vectors, int first, int count, bool to_vectors) {
  for (int i = 0; i < 2 * w.orbitals; i++) {
    double *row = frame + 2 * ((int64)i * w.orbitals + first), *lanes = vectors + (int64)2 * LANES * w.row * i;
    for (int j = 0; j < LANES * w.row; j++)
      for (int part = 0; part < 2; part++) {
        double& number = lanes[(2 * (j / LANES) + part) * LANES + j % LANES];
        if (to_vectors)
          number = j < count ? row[2 * j + part] : 0.0;
        else if (j < count)
          row[2 * j + part] = number;
      }
  }
}

extern "C" {
int wide_lanes() { return LANES; }

// Doubles that `memory` must hold, 64-byte aligned.
int64 wide_workspace(const Conductor* s) {
  return LANES * (record_reals(*s) + (int64)2 * 2 * s->sites * s->spins * TILE * tiles_at_a_time(*s));
}

// One realization through an interval, on the calling thread.
//
// realization : Philox key word 1
// given       : (slices, sites, LANES) onsite energies from the host, the same in all lanes, 64-byte aligned; or null
// memory      : kept from interval to interval
// frame       : (2, D, D) complex, in place
void wide_steps(const Conductor* s, const FrameInputs* f, const Stretch* x, uint32 realization, const double* given,
                double* memory, double* frame) {
  real* records = (real*)memory;
  double* columns = memory + LANES * record_reals(*s);
  uint32 same[LANES];
  for (int lane = 0; lane < LANES; lane++) same[lane] = realization;
  draw_slices(*s, x->first, x->count, load_lanes(same), (const real*)given, records);
  const int orbitals = s->sites * s->spins, most = LANES * TILE * tiles_at_a_time(*s);
  for (int first = 0; first < orbitals; first += most) {
    const int count = orbitals - first < most ? orbitals - first : most;
    const FrameShape w = shape_columns(*s, (count + LANES - 1) / LANES, records);
    exchange(w, frame, columns, first, count, true);
    cross(*s, *f, w, *x, (cplx*)columns);
    exchange(w, frame, columns, first, count, false);
  }
}
}

#endif
