"""Floating-point operations of the kernels: a count of the algorithm, whatever the code does beyond it.

A real addition or multiplication counts 1, so a complex multiplication with addition counts 8. Symmetry and triangles
are used to the full: an operation that the code does on the padded or mirrored half counts nothing. With D orbitals, N
channels, q slices between stabilisations, the frames' kernel does

    slice           onsite term 2 and, for each neighbour and the slice before, what its bond costs, for each entry
                    a bond       : 2 where it is 1, else 4 for each component of its quaternion; its phase 8 more
                    next slice   : the same again where the bond is not 1, without the addition
                    h . sigma    : 12
    stabilisation   Gram matrix of 2D rows  8 D^3     D^2 / 2 complex products of length 2D
                    Cholesky                4/3 D^3
                    X R^-1                  8 D^3     2D rows, D^2 / 2 products each
                    P R^-1                  4/3 N^3   triangle times triangle, N^3 / 6 products
    attachment      incoming X             16 D^3     D rows of length 2D on D columns
                    Gram matrix             4 D^3
                    Cholesky                4/3 D^3
                    N rows of Q             4 N D^2
                    P R^-1                  4/3 N^3
                    P R^-1 Q^dagger         4 N^3     triangle times full
                    t'^dagger t'            4 N^3     upper half
                    certificate             20 D^2 + 18 D N + 4 N^2   one wave through sample and lead
    eigenvalues     tridiagonal form       16/3 N^3   one Hermitian product and half an update of rank 2 a column

and the Green's-function kernel, with m orbitals in a layer (two layers a slice of an armchair ribbon),

    layer           inverse                 8 m^3
                    waves psi <- g V psi    8 N m^2
    attachment      inverse with lead 1     8 m^3
                    W^dagger G              8 N m^2
                    t and r'               16 m N^2
                    t^dagger t              4 N^3

The Lyapunov kernel does slices and stabilisations alone, without P; where its frames are real, products cost a quarter
and the entries of a slice a half.

Left out: random numbers, sums of lower order, and the QL sweeps of the eigenvalues, whose number the data decide.
"""

from __future__ import annotations

import numpy as np

from mesogpu.physics.lattices import NEXT_Y, NEXT_Z
from mesogpu.physics.slices import clean_slices
from mesogpu.physics.spin import X, Y, Z
from mesogpu.physics.systems import System
from mesogpu.plan import Point


def transmission_operations(point: Point, interval: int) -> float:
    """Real operations of one realization of a point at all its lengths, T_n included where the point asks for them."""
    system = point.system
    count = _frames(point, interval) if system.has_transfer_matrix else _greens_functions(point)
    return count + (len(point.lengths) * eigenvalue_operations(system.channels()) if point.eigenvalues else 0.0)


def _frames(point: Point, interval: int) -> float:
    orbitals, channels = point.system.orbitals, point.system.channels()
    total, start = point.lengths[-1] * slice_operations(point.system), 0
    for length in point.lengths:
        stabilisations = -(-(length - start) // interval)
        total += stabilisations * stabilisation_operations(orbitals, channels)
        total += attachment_operations(orbitals, channels)
        start = length
    return total


def _greens_functions(point: Point) -> float:
    lattice, spins, channels = point.system.lattice, point.system.spins, float(point.system.channels())
    layers = [lattice.sites] if lattice.fully_linked else [int(np.sum(lattice.linked(x))) for x in (-1, 0)]
    orbitals = [float(sites * spins) for sites in layers]
    a_slice = sum(8.0 * m**3 + 8.0 * channels * m**2 for m in orbitals)
    m = orbitals[-1]
    ended = 8.0 * m**3 + 8.0 * channels * m**2 + 16.0 * m * channels**2 + 4.0 * channels**3
    return point.lengths[-1] * a_slice + len(point.lengths) * ended


def slice_operations(system: System) -> float:
    """One step of a frame, (D, D) complex entries."""
    lattice, random = system.lattice, _has_random_bonds(system)
    clean = clean_slices(lattice, system.hopping, system.flux, system.spin_orbit, range(2), system.spins)

    def cost(direction: int) -> float:
        bond = clean.bonds[direction][0, 0, 0]
        components = np.count_nonzero(bond) if not random else len(bond)
        return 2.0 if components == 1 and bond[0] == 1.0 and not random else 4.0 * components

    neighbours = np.mean([(lattice.neighbours(x) >= 0).sum(axis=0) / lattice.sites for x in range(2)], axis=0)
    across = 2.0 * (neighbours[NEXT_Y] * cost(Y) + neighbours[NEXT_Z] * cost(Z))
    twisted = system.flux != 0.0 or any(law.on == "flux" for law in system.laws)
    # Without spin a phase takes the place of the bond's one real number.
    phases = 14.0 - (2.0 if system.spins == 1 else 0.0) if twisted else 0.0
    ahead = 0.0 if cost(X) == 2.0 else cost(X)
    field = 12.0 if system.zeeman is not None or any(law.on == "spins" for law in system.laws) else 0.0
    return float(system.orbitals**2 * (2.0 + across + cost(X) + ahead + phases + field))


def bar_operations(system: System, slices: int, interval: int, *, real: bool) -> float:
    """One bar, factorised every `interval` slices; real: whether its frames are."""
    per_slice, cubic = slice_operations(system), stabilisation_operations(system.orbitals, 0)
    return slices * per_slice * (0.5 if real else 1.0) + -(-slices // interval) * cubic * (0.25 if real else 1.0)


def _has_random_bonds(system: System) -> bool:
    coupling = system.spin_orbit
    return (coupling is not None and coupling.random) or any(law.on == "bonds" for law in system.laws)


def stabilisation_operations(orbitals: int, channels: int) -> float:
    """One orthonormalisation of a frame, its history carried along."""
    return (8.0 + 4.0 / 3.0 + 8.0) * orbitals**3 + 4.0 / 3.0 * channels**3


def attachment_operations(orbitals: int, channels: int) -> float:
    """Lead 1 at one length: amplitudes, traces and the certificate."""
    cubic = (16.0 + 4.0 + 4.0 / 3.0) * orbitals**3 + 4.0 * channels * orbitals**2
    cubic += (4.0 / 3.0 + 4.0 + 4.0) * channels**3
    return cubic + 20.0 * orbitals**2 + 18.0 * orbitals * channels + 4.0 * channels**2


def eigenvalue_operations(channels: int) -> float:
    """T_n from t'^dagger t'."""
    return 16.0 / 3.0 * channels**3
