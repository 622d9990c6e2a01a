"""Clusters against a flood fill from site to site, and against the transmission, which they do not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from models import BOX, armchair, bar, missing_bonds, strip, su2, vacancies, zigzag

from mesogpu.backends.reference import direct
from mesogpu.physics.clusters import conducting
from mesogpu.physics.disorder import Binary, Vacancy
from mesogpu.physics.slices import Slices
from mesogpu.physics.systems import System

Site = tuple[int, int, int]

HALF_GONE = (Vacancy(0.35), Binary((0.0, -1.0), 0.15, on="bonds"))
"""Near the percolation threshold, where clusters have every size."""

POROUS = [
    strip(7, laws=HALF_GONE),
    strip(6, periodic=True, laws=HALF_GONE),
    bar(3, 4, periodic=(True, True), laws=HALF_GONE),
    bar(4, 3, laws=(Vacancy(0.6),)),
    zigzag(8, laws=(Vacancy(0.2),)),
    armchair(7, laws=(Vacancy(0.15), Binary((-1.0, 0.0), 0.9, on="bonds"))),
    su2(5, laws=HALF_GONE),
]
each_porous = pytest.mark.parametrize(
    "system", POROUS, ids=lambda system: f"{system.lattice.kind}-{system.lattice.width}-spins{system.spins}"
)


def drawn(system: System, length: int, realizations: range = range(12)) -> Slices:
    return system.slices(seed=5, realizations=realizations, slices=range(length), point=0)


def flooded(slices: Slices, realization: int, length: int) -> tuple[set[Site], bool]:
    """The sites that a lead reaches, and whether a lead reaches the other."""
    lattice = slices.lattice
    reached: list[set[Site]] = []
    for x, link in ((0, -1), (length - 1, length - 1)):
        ports = [(x, y, z) for y in range(lattice.width) for z in range(lattice.depth)]
        if lattice.kind == "armchair":
            ports = [place for place in ports if (link + place[1]) % 2 == 0]
        waiting = [place for place in ports if exists(slices, realization, place)]
        seen = set(waiting)
        while waiting:
            for neighbour in neighbours(slices, realization, waiting.pop(), length):
                if neighbour not in seen:
                    seen.add(neighbour)
                    waiting.append(neighbour)
        reached.append(seen)
    return reached[0] | reached[1], bool(reached[0] & reached[1])


def exists(slices: Slices, realization: int, place: Site) -> bool:
    x, y, z = place
    return not np.isnan(slices.onsite[realization, x, y * slices.lattice.depth + z])


def neighbours(slices: Slices, realization: int, place: Site, length: int) -> Iterator[Site]:
    """Where a walker can go from a site: along each axis, forth and back."""
    lattice = slices.lattice
    sizes = (length, lattice.width, lattice.depth)
    rings = (False, *lattice.periodic)
    for axis, step in ((axis, step) for axis in range(3) for step in (1, -1)):
        other = [*place]
        other[axis] += step
        if rings[axis]:
            other[axis] %= sizes[axis]
        if not 0 <= other[axis] < sizes[axis]:
            continue
        lower = place if step == 1 else (other[0], other[1], other[2])
        pattern = {"zigzag": 1, "armchair": 0}.get(lattice.kind)
        if axis == pattern and (lower[0] + lower[1]) % 2:
            continue
        bonds = slices.bonds[axis]
        site = lower[1] * lattice.depth + lower[2]
        bond = bonds[min(realization, len(bonds) - 1), min(lower[0], bonds.shape[1] - 1), site]
        if bond.any() and exists(slices, realization, (other[0], other[1], other[2])):
            yield other[0], other[1], other[2]


def left(slices: Slices, realization: int) -> set[Site]:
    x, site = np.nonzero(~np.isnan(slices.onsite[realization]))
    depth = slices.lattice.depth
    return {(int(a), int(m) // depth, int(m) % depth) for a, m in zip(x, site, strict=True)}


@each_porous
def test_what_is_left_is_what_a_lead_reaches(system):
    # Seen to fail without the ring bond, without the missing bonds, and with the ports of lead 1 an even length's.
    paths = []
    for length in (1, 5, 12):
        slices = drawn(system, length)
        kept, joined = conducting(slices, (length,))
        for realization in range(12):
            sites, path = flooded(slices, realization, length)
            assert left(kept, realization) == sites
            assert joined[realization, 0] == path
            paths.append(path)
    assert 0 < sum(paths) < len(paths)


@each_porous
def test_what_one_of_the_lengths_needs_is_left(system):
    # Seen to fail with the clusters of the longest sample alone: what hangs on lead 1 of a shorter one is lost.
    lengths = (2, 5, 12)
    slices = drawn(system, lengths[-1])
    kept, joined = conducting(slices, lengths)
    for realization in range(12):
        reached = [flooded(slices, realization, length) for length in lengths]
        assert left(kept, realization) == set().union(*(sites for sites, _ in reached))
        assert joined[realization].tolist() == [path for _, path in reached]


def transmission(system: System, slices: Slices, length: int) -> np.ndarray:
    solution = direct.transmission_amplitudes(system, slices, length)
    if solution is None:
        return np.zeros(system.channels())
    return np.linalg.svd(solution[0], compute_uv=False) ** 2 * 4.0 ** solution[1]


@each_porous
def test_dropping_what_is_cut_off_changes_no_transmission(system):
    # Seen to fail without the ring bond in the search, and with missing bonds for bonds.
    dropped = 0
    for length in (3, 10):
        for realization in range(12):
            slices = drawn(system, length, range(realization, realization + 1))
            kept, paths = conducting(slices, (length,))
            dropped += int(np.isnan(kept.onsite).sum() - np.isnan(slices.onsite).sum())
            before, after = transmission(system, slices, length), transmission(system, kept, length)
            np.testing.assert_allclose(after, before, rtol=0, atol=1e-10)
            assert paths[0, 0] == (after.sum() > 0.0)
    assert dropped > 0


def test_a_level_at_the_energy_on_an_island_does_no_harm():
    # Seen to fail with the island left in.
    system = strip(5, laws=(), energy=0.5)
    onsite = np.zeros((1, 7, 5))
    onsite[0, [2, 3, 3, 4], [2, 1, 3, 2]] = np.nan
    onsite[0, 3, 2] = 0.5
    slices = replace(drawn(system, 7, range(1)), onsite=onsite)
    kept, paths = conducting(slices, (7,))
    assert paths.all()
    assert np.isnan(kept.onsite[0, 3, 2])
    elsewhere = replace(slices, onsite=np.where(onsite == 0.5, 0.8, onsite))
    np.testing.assert_allclose(transmission(system, kept, 7), transmission(system, elsewhere, 7), rtol=0, atol=1e-12)


def test_nothing_is_dropped_where_nothing_is_missing():
    for system in (strip(laws=(BOX,)), armchair(), missing_bonds(fraction=0.0), vacancies(density=0.0)):
        slices = drawn(system, 6)
        kept, paths = conducting(slices, (1, 6))
        np.testing.assert_array_equal(kept.onsite, slices.onsite)
        assert paths.all()
