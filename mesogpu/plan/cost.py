"""What a plan costs in floating-point operations, memory and disk: models of the algorithm, not of the machine."""

from __future__ import annotations

import math

from mesogpu.physics.disorder import Gaussian
from mesogpu.physics.draws import smoothing
from mesogpu.physics.systems import System
from mesogpu.plan.points import Point

BLOCK_FLOPS = 40e9
"""Work of one block: about a second of a core at 40 GFLOP/s, whatever the machine, so no file depends on it."""

SMALLEST_BLOCK = 8
LARGEST_BLOCK = 4096
COMPLEX_BYTES = 16
FLOAT_BYTES = 8

_SLICE_FLOPS = 16.0
_ATTACHMENT_FLOPS = 53.0
_STEP_FLOPS = 5.0
_FACTORISATION_FLOPS = 4.33
_FACTORISATION_INTERVAL = 4
_COMPLEX_FLOPS = 4.0
_SMOOTHING_FLOPS = 2.0
_WORKING_MATRICES = 14
_SMOOTHING_ARRAYS = 3
_SLICES_AT_ONCE = 64
_MOST_TOGETHER = 512
_SUMS = 34
"""Of ln R_ii in a bar: at the ends of the audit, of the warm-up and of 32 batches."""


def realization_flops(point: Point) -> float:
    """Real operations for one realization, and what smoothing a correlated potential takes.

    by the recursion that every system has, that of Green's functions:  16 D^3 a slice, 53 D^3 for each recorded length
    for a bar, by frames:  5 D^2 + 4.33 D^3 / 4 a slice, the warm-up's too; four times as many where they are complex

    Frames, where there is a transfer matrix, give transmission for less; a file's blocks must not depend on which is
    used.
    """
    recursion = _bar_flops(point) if point.bars else _transmission_flops(point)
    return recursion + sum(_smoothing_flops(point, reach) for reach in _reaches(point))


def block_size(largest: float) -> int:
    """B, realizations a block: the power of two nearest below 40 GFLOP of the largest point, between 8 and 4096.

    largest : `realization_flops` of the plan's most expensive point
    """
    size = SMALLEST_BLOCK
    while size < LARGEST_BLOCK and 2 * size * largest <= BLOCK_FLOPS:
        size *= 2
    return size


def block_memory(point: Point, count: int) -> int:
    """Bytes that a backend may hold for one block: working matrices, what is random of the slices, and the results.

    What is random of a bar is drawn a few slices at a time, unless it is correlated. Bars of more than 512 orbitals are
    followed one after the other.
    """
    orbitals, reaches = point.system.orbitals, _reaches(point)
    together = 1 if point.bars and orbitals > _MOST_TOGETHER else count
    slices = min(point.slices, _SLICES_AT_ONCE) if point.bars and not reaches else point.slices
    matrices = _WORKING_MATRICES * COMPLEX_BYTES * orbitals**2
    random = _numbers_a_site(point.system) * slices * point.system.lattice.sites
    noise = sum(math.prod(extent + 2 * reach for extent in _extents(point)) for reach in reaches)
    results = (_SUMS if point.bars else len(point.lengths)) * (orbitals + 5)
    return together * (matrices + FLOAT_BYTES * (random + _SMOOTHING_ARRAYS * noise)) + count * FLOAT_BYTES * results


def _transmission_flops(point: Point) -> float:
    cube = float(point.system.orbitals) ** 3
    return cube * (_SLICE_FLOPS * point.lengths[-1] + _ATTACHMENT_FLOPS * len(point.lengths))


def _bar_flops(point: Point) -> float:
    system, orbitals = point.system, float(point.system.orbitals)
    slice_flops = _STEP_FLOPS * orbitals**2 + _FACTORISATION_FLOPS * orbitals**3 / _FACTORISATION_INTERVAL
    is_real = system.spins == 1 and system.flux == 0.0 and all(law.on != "flux" for law in system.laws)
    return point.slices * slice_flops * (1.0 if is_real else _COMPLEX_FLOPS)


def _numbers_a_site(system: System) -> int:
    """Float64 numbers that describe a site of a realization: its energy, and what else the model has of fields."""
    places = {law.on for law in system.laws}
    coupled = system.spin_orbit is not None and system.spin_orbit.random
    bonds = (3 if "bonds" in places or coupled else 0) * (4 if system.spins == 2 else 1)
    return 1 + bonds + (3 if "spins" in places else 0) + (1 if "flux" in places else 0)


def _reaches(point: Point) -> list[int]:
    """How far each correlated law smooths, in sites."""
    laws = [law for law in point.system.laws if isinstance(law, Gaussian) and law.correlation_length > 0.0]
    return [len(smoothing(law.correlation_length)) // 2 for law in laws]


def _extents(point: Point) -> list[int]:
    """Extents of the sample along the directions that the lattice has, in sites."""
    lattice = point.system.lattice
    across = {"chain": (), "cubic": (lattice.width, lattice.depth)}.get(lattice.kind, (lattice.width,))
    return [point.slices, *across]


def _smoothing_flops(point: Point, reach: int) -> float:
    """A multiplication and an addition for each weight and direction, on every number that is still needed."""
    extents = _extents(point)
    # The last direction first: those before it are still wider by the reach on both sides.
    passes = (math.prod([*(extent + 2 * reach for extent in extents[:k]), *extents[k:]]) for k in range(len(extents)))
    return _SMOOTHING_FLOPS * (2 * reach + 1) * sum(passes)
