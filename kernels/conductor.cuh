// What the kernels are told about a point: a disordered conductor, slice by slice, in units of its hopping t.
//
//     Phi_x^dagger psi_{x+1} = e psi_x + (h . sigma / t) psi_x - (U psi of the neighbours in the slice) - Phi_{x-1} psi_{x-1}
//
// e = -(E - V) / t; Phi_x = exp(2 pi i theta) U on the bond to the next slice; U of a bond is (1 + v / t) times the
// quaternion q_0 + i q . sigma of its spin-orbit coupling, without spin a real number. mesogpu/physics/slices.py is the twin.
#pragma once
#include "portable.h"

#define NEIGHBOURS 4  // of a site in its slice; a bond belongs to the lower site
enum Neighbour { PREVIOUS_Y = 0, NEXT_Y = 1, PREVIOUS_Z = 2, NEXT_Z = 3 };
enum Direction { ALONG_X = 0, ALONG_Y = 1, ALONG_Z = 2 };

// Components of U that are not 0, a bit each; a uniform bond of which that is q_0 alone is 1.
#define UNIT_BOND 1
#define ANY_BOND 15

// What all realizations of a point share. Pointers are to doubles, complex numbers as (re, im) pairs, row-major.
//
// What differs from realization to realization stands in records: (slots, sites, record) reals, slice x in slot x % slots.
// A site's record begins with e; `field`, `bonds` and `phase` say where the rest of it stands, 0 where it has none:
// h / t (3); the bonds to the next site along x, y and z, U each, and after that along x 1 / |U|^2; cos and sin of
// 2 pi theta along x.
struct Conductor {
  int sites, spins, depth, lines;  // M; orbitals of a site; sites along z; lines that random numbers are counted along
  int period;                      // slices after which the bonds repeat: 1 or 2
  int channels, slices, recorded;
  int laws, random_coupling, twisted;
  int slots, record, field, bonds[3], phase;
  int masks[3];  // of the uniform bonds
  uint32 seed, point;
  double energy, hopping, flux, coupling;  // of a random spin-orbit coupling its strength
  double uniform[3][4];                    // U along x, y and z where it is not random
  double ahead[4];                         // U / |U|^2 along x
  double zeeman[3];                        // h / t of the whole sample
  const int* lengths;                      // (recorded), increasing, slices
  const int* law_kinds;                    // (laws), LawKind
  const int* law_places;                   // (laws), LawPlace
  const double* law_parameters;            // (laws, LAW_PARAMETERS), units of t, or flux quanta
  const int* neighbours;                   // (period, sites, NEIGHBOURS), -1 where there is none
  const double* twist;                     // (sites) complex, exp(2 pi i flux y); unused unless twisted
};

// Numbers of the records.
DEVICE int64 record_reals(const Conductor& s) { return (int64)s.slots * s.sites * s.record; }

// The records, (sites, record), of the slice that comes `ahead` slices after the one in `slot`; ahead <= slots.
DEVICE real* records_at(const Conductor& s, real* records, int slot, int ahead) {
  const int at = slot + ahead < s.slots ? slot + ahead : slot + ahead - s.slots;
  return records + at * s.sites * s.record;
}

// Those of slice x.
DEVICE real* records_of(const Conductor& s, real* records, int x) { return records_at(s, records, x % s.slots, 0); }

// Where slice x is in the lattice's period, which is 1 or 2.
DEVICE int parity_of(const Conductor& s, int x) { return x & (s.period - 1); }

DEVICE const int* neighbours_of(const Conductor& s, int x) {
  return s.neighbours + parity_of(s, x) * s.sites * NEIGHBOURS;
}

// The number that stands for a bond: one a lane where bonds are random.
template <bool RANDOM>
struct BondNumber {
  typedef double type;
};
template <>
struct BondNumber<true> {
  typedef real type;
};

// U of a bond to the next site: q_0, with spin the four of the quaternion. record: that of the bond's lower site.
template <bool RANDOM>
DEVICE const typename BondNumber<RANDOM>::type* bond_of(const Conductor& s, const real* record, int direction) {
  if constexpr (RANDOM)
    return record + s.bonds[direction];
  else
    return s.uniform[direction];
}

template <bool RANDOM>
DEVICE int mask_of(const Conductor& s, int direction) {
  return RANDOM ? ANY_BOND : s.masks[direction];
}

// exp(2 pi i theta) of a bond to the next slice, where there is a field.
DEVICE cplx phase_of(const Conductor& s, const real* record, int site) {
  if (s.phase) return {record[s.phase], record[s.phase + 1]};
  return {in_all_lanes(s.twist[2 * site]), in_all_lanes(s.twist[2 * site + 1])};
}
