// Steps of wide frames: what is not linear algebra of wide samples and bars, for mesogpu/backends/wide.
//
// One block (host: one call) takes the frame of one realization at a time through an interval; between intervals the
// frame is orthonormalised by a library. Numbers of a frame are doubles, (re, im) pairs where they are complex, row-major,
// no padding: (2, D, D), columns on two slices, psi_{x-1} and psi_x in whichever of the two places. Frames of a
// transmission are complex; those of bars are real where `has_real_frames`.
//
// On the host a vector holds LANES columns of one realization; on CUDA, LANES is 1.
#include "coefficients.cuh"
#include "steps.cuh"

#define MOST_THREADS 256  // of a block

// An interval: slices first ... first + count - 1 on the way to the recorded length `length`, -1 in a bar; here: the place
// of psi_first; leaves: whether the frame comes from an attachment, with chi in the place of psi_first.
struct Stretch {
  int first, count, length, here, leaves;
};

// Columns of a frame that are stepped together: (2 D, w.row) from `frame` on, without padding.
DEVICE FrameShape shape_columns(const Conductor& s, int columns, real* records) {
  return {s.sites * s.spins, columns, 0, columns, records};
}

// Once the slices are drawn.
template <typename NUMBER>
DEVICE void cross(const Conductor& s, const StepOrder& steps, const FrameShape& w, const Stretch& x, NUMBER* frame) {
  const int64 place = (int64)w.orbitals * w.row;
  NUMBER *behind = frame + (1 - x.here) * place, *here = frame + x.here * place;
  if constexpr (NumberOf<NUMBER>::COMPLEX)
    if (x.leaves) {
      leave_lead(s, w, x.first, here);
      __syncthreads();
    }
  advance(s, steps, w, x.first, x.count, x.length, behind, here);
}

#if LANES == 1

// Realizations blockIdx.x, blockIdx.x + gridDim.x, ... of `count`.
template <typename NUMBER>
DEVICE void cross_blocks(const Conductor& s, const StepOrder& steps, const Stretch& x, int64 count,
                         const uint32* realizations, const double* given, double* records, NUMBER* frames) {
  for (int64 i = blockIdx.x; i < count; i += gridDim.x) {
    const FrameShape w = shape_columns(s, s.sites * s.spins, records + i * record_reals(s));
    draw_slices(s, x.first, x.count, load_lanes(realizations + i), given ? given + i * s.slices * s.sites : nullptr,
                w.records);
    cross(s, steps, w, x, frames + i * 2 * w.orbitals * w.row);
  }
}

// Two entries, by what frames consist of.
//
// realizations : (count) uint32, Philox key word 1
// given        : (count, slices, sites) onsite energies from the host; or null
// records      : (count, record_reals), kept from interval to interval
// frames       : (count, 2, D, D) complex or real, in place, 16-byte aligned
extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    wide_complex(Conductor s, StepOrder steps, Stretch x, int64 count, const uint32* realizations, const double* given,
                 double* records, double* frames) {
  cross_blocks(s, steps, x, count, realizations, given, records, (cplx*)frames);
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS, 1)
    wide_real(Conductor s, StepOrder steps, Stretch x, int64 count, const uint32* realizations, const double* given,
              double* records, double* frames) {
  cross_blocks(s, steps, x, count, realizations, given, records, frames);
}

#else

#define NEAR_BYTES (1 << 19)  // of the columns that are stepped at a time: half of a small second-level cache

// Of TILE * LANES columns.
template <typename NUMBER>
static int64 tile_bytes(const Conductor& s) {
  return (int64)2 * s.sites * s.spins * TILE * sizeof(NUMBER);
}

// Between `count` columns of a frame from `first` on and (2 D, w.row) vectors, which are filled up with zeros.
template <typename NUMBER>
static void exchange(const FrameShape& w, double* frame, double* vectors, int first, int count, bool to_vectors) {
  constexpr int PARTS = 1 + NumberOf<NUMBER>::COMPLEX;
  for (int i = 0; i < 2 * w.orbitals; i++) {
    double *row = frame + PARTS * ((int64)i * w.orbitals + first), *lanes = vectors + (int64)PARTS * LANES * w.row * i;
    for (int j = 0; j < count; j += LANES, row += PARTS * LANES, lanes += PARTS * LANES) {
      const int filled = count - j < LANES ? count - j : LANES;
      for (int part = 0; part < PARTS; part++)
        for (int lane = 0; lane < LANES; lane++) {
          double& number = lanes[part * LANES + lane];
          if (to_vectors)
            number = lane < filled ? row[PARTS * lane + part] : 0.0;
          else if (lane < filled)
            row[PARTS * lane + part] = number;
        }
    }
  }
}

// One realization through an interval.
template <typename NUMBER>
static void cross_columns_at_a_time(const Conductor& s, const StepOrder& steps, const Stretch& x, uint32 realization,
                                    const double* given, double* memory, double* frame) {
  real* records = (real*)memory;
  double* columns = memory + LANES * record_reals(s);
  uint32 same[LANES];
  for (int lane = 0; lane < LANES; lane++) same[lane] = realization;
  draw_slices(s, x.first, x.count, load_lanes(same), (const real*)given, records);
  const int64 tile = tile_bytes<NUMBER>(s);
  const int orbitals = s.sites * s.spins, most = LANES * TILE * (tile < NEAR_BYTES ? NEAR_BYTES / tile : 1);
  for (int first = 0; first < orbitals; first += most) {
    const int count = orbitals - first < most ? orbitals - first : most;
    const FrameShape w = shape_columns(s, (count + LANES - 1) / LANES, records);
    exchange<NUMBER>(w, frame, columns, first, count, true);
    cross(s, steps, w, x, (NUMBER*)columns);
    exchange<NUMBER>(w, frame, columns, first, count, false);
  }
}

extern "C" {
int wide_lanes() { return LANES; }

// Doubles that `memory` must hold, 64-byte aligned, for frames of either kind.
int64 wide_workspace(const Conductor* s) {
  const int64 tile = tile_bytes<cplx>(*s);
  return LANES * record_reals(*s) + (tile < NEAR_BYTES ? NEAR_BYTES : tile) / sizeof(double);
}

// One realization through an interval, on the calling thread.
//
// realization : Philox key word 1
// given       : (slices, sites, LANES) onsite energies from the host, the same in all lanes, 64-byte aligned; or null
// memory      : kept from interval to interval
// frame       : (2, D, D) complex or real, in place
void wide_complex(const Conductor* s, const StepOrder* steps, const Stretch* x, uint32 realization, const double* given,
                  double* memory, double* frame) {
  cross_columns_at_a_time<cplx>(*s, *steps, *x, realization, given, memory, frame);
}

void wide_real(const Conductor* s, const StepOrder* steps, const Stretch* x, uint32 realization, const double* given,
               double* memory, double* frame) {
  cross_columns_at_a_time<real>(*s, *steps, *x, realization, given, memory, frame);
}
}

#endif
