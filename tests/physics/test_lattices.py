"""Which sites are bonded, against the rules of the convention written down site by site."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mesogpu.physics.lattices import LINE_STRIDE, NEXT_Y, NEXT_Z, PREVIOUS_Y, PREVIOUS_Z, Lattice

LATTICES = [
    Lattice("chain", 1),
    Lattice("square", 5),
    Lattice("square", 3, 1, (True, False)),
    Lattice("cubic", 4, 3),
    Lattice("cubic", 3, 5, (True, False)),
    Lattice("cubic", 4, 3, (False, True)),
    Lattice("cubic", 3, 3, (True, True)),
    Lattice("zigzag", 5),
    Lattice("zigzag", 6, 1, (True, False)),
    Lattice("armchair", 5),
    Lattice("armchair", 6, 1, (True, False)),
]
each_lattice = pytest.mark.parametrize(
    "lattice", LATTICES, ids=lambda lattice: f"{lattice.kind}-{lattice.width}x{lattice.depth}-{lattice.periodic}"
)


def bonded_across(lattice: Lattice, x: int) -> set[tuple[int, int]]:
    """Pairs (lower site, its next one along y or z) of slice x."""
    pairs = set()
    for y, z in product(range(lattice.width), range(lattice.depth)):
        here = y * lattice.depth + z
        closes_y, closes_z = y + 1 == lattice.width, z + 1 == lattice.depth
        if (not closes_y or lattice.periodic[0]) and (lattice.kind != "zigzag" or (x + y) % 2 == 0):
            pairs.add((here, (0 if closes_y else y + 1) * lattice.depth + z))
        if not closes_z or lattice.periodic[1]:
            pairs.add((here, y * lattice.depth + (0 if closes_z else z + 1)))
    return pairs


@each_lattice
def test_a_slice_has_the_bonds_of_the_convention(lattice):
    # Seen to fail with the other parity of the brick wall, and without the ring bond.
    for x in range(-2, 3):
        table = lattice.neighbours(x)
        here, column = np.nonzero(table[:, [NEXT_Y, NEXT_Z]] >= 0)
        found = set(zip(here.tolist(), table[here, np.array([NEXT_Y, NEXT_Z])[column]].tolist(), strict=True))
        assert found == bonded_across(lattice, x)


@each_lattice
def test_both_ends_know_of_a_bond(lattice):
    # Seen to fail with previous and next exchanged on the way back.
    for x in (0, 1):
        table = lattice.neighbours(x)
        for onward, back in ((NEXT_Y, PREVIOUS_Y), (NEXT_Z, PREVIOUS_Z)):
            for one, other in ((onward, back), (back, onward)):
                here = np.flatnonzero(table[:, one] >= 0)
                np.testing.assert_array_equal(table[table[here, one], other], here)


@each_lattice
def test_every_site_has_the_coordination_of_its_lattice(lattice):
    # Away from the edges. Seen to fail with a brick wall whose x bonds alternate as well as its y bonds.
    inside = [
        (y * lattice.depth + z)
        for y, z in product(range(lattice.width), range(lattice.depth))
        if (lattice.periodic[0] or 0 < y < lattice.width - 1)
        and (lattice.periodic[1] or lattice.depth == 1 or 0 < z < lattice.depth - 1)
    ]
    expected = {"chain": 2, "square": 4, "cubic": 6, "zigzag": 3, "armchair": 3}[lattice.kind]
    for x, site in product(range(3), inside):
        along = int(lattice.linked(x)[site]) + int(lattice.linked(x - 1)[site])
        assert along + np.sum(lattice.neighbours(x)[site] >= 0) == expected


@each_lattice
def test_bonds_repeat_after_a_period(lattice):
    for x in (0, 1):
        np.testing.assert_array_equal(lattice.neighbours(x), lattice.neighbours(x + lattice.period))
        np.testing.assert_array_equal(lattice.linked(x), lattice.linked(x + lattice.period))
        np.testing.assert_array_equal(lattice.neighbours(x), lattice.neighbours(x - lattice.period))


@pytest.mark.parametrize("kind", ["zigzag", "armchair"])
def test_a_brick_wall_is_made_of_hexagons(kind):
    # A walk that always takes the same turn closes after six bonds, and never after four.
    lattice = Lattice(kind, 6)

    def around(place: tuple[int, int]) -> set[tuple[int, int]]:
        x, y = place
        sites = {(x, int(other)) for other in lattice.neighbours(x)[y] if other >= 0}
        sites |= {(x + 1, y)} if lattice.linked(x)[y] else set()
        return sites | ({(x - 1, y)} if lattice.linked(x - 1)[y] else set())

    def closed_walks(steps: int) -> int:
        walks = [[(3, 2)]]
        for _ in range(steps):
            walks = [[*walk, site] for walk in walks for site in around(walk[-1]) if site not in walk[1:]]
            walks = [walk for walk in walks if walk[-1] != (3, 2) or len(walk) == steps + 1]
        return sum(walk[-1] == (3, 2) for walk in walks)

    # Three hexagons meet in a site, each walked in both senses.
    assert (closed_walks(4), closed_walks(6)) == (0, 6)


@each_lattice
def test_rows_and_numbers_follow_y_and_then_z(lattice):
    rows, numbers = lattice.rows(), lattice.numbers()
    for y, z in product(range(lattice.width), range(lattice.depth)):
        site = y * lattice.depth + z
        assert rows[site] == y
        assert numbers[site] == (LINE_STRIDE * y + z if lattice.kind == "cubic" else y)
    assert len(rows) == lattice.sites


def test_a_wider_or_deeper_bar_keeps_the_numbers_of_its_sites():
    # Seen to fail with y * depth + z.
    small, large = Lattice("cubic", 3, 4), Lattice("cubic", 5, 7)
    kept = large.numbers().reshape(5, 7)[:3, :4]
    np.testing.assert_array_equal(kept, small.numbers().reshape(3, 4))


def test_only_armchair_slices_lack_bonds_to_the_next():
    for lattice in LATTICES:
        assert lattice.fully_linked == all(lattice.linked(x).all() for x in (0, 1)) == (lattice.kind != "armchair")
