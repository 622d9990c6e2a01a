"""The stated operation counts are those of the algorithm, counted loop by loop.

Planted faults that these tests were seen to fail on: a full instead of a half Gram product, P R^-1 counted as a full
triangular solve, the certificate left out.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import operations
from benchmarks.cases import FLUX, MODELS, STANDARD, BarCase, Case

COMPLEX = 8  # real operations of a complex multiplication with addition


def gram(rows: int, columns: int) -> int:
    """Upper triangle; on the diagonal two real multiplications with addition suffice."""
    return sum(rows * (4 if i == j else COMPLEX) for i in range(columns) for j in range(i, columns))


def cholesky(size: int) -> int:
    """Column k is taken off the triangle that remains."""
    return sum(COMPLEX * (size - k) * (size - k - 1) // 2 for k in range(size))


def solve(rows: int, size: int) -> int:
    """Rows times the inverse of a triangle: entry j needs those before it."""
    return sum(COMPLEX * rows * j for j in range(size))


def triangular_solve(size: int) -> int:
    """The same for an upper triangle: row i begins at column i."""
    return sum(COMPLEX * (j - i) for i in range(size) for j in range(i, size))


def test_stabilisation_count_is_the_sum_of_its_loops():
    width, channels = 96, 70
    loops = gram(2 * width, width) + cholesky(width) + solve(2 * width, width) + triangular_solve(channels)
    assert operations.stabilisation_operations(width, channels) == pytest.approx(loops, rel=0.02)


def test_attachment_count_is_the_sum_of_its_loops():
    width, channels = 96, 70
    projection = COMPLEX * width * 2 * width * width
    combination = sum(COMPLEX * (channels - i) for i in range(channels) for _ in range(channels))
    wave = COMPLEX * 2 * width * width  # the frame times one vector
    back = COMPLEX * channels * 2 * width + COMPLEX * (width**2 + channels**2) // 2
    loops = projection + gram(width, width) + cholesky(width) + solve(channels, width) + triangular_solve(channels)
    loops += combination + gram(channels, channels) + wave + back + 2 * channels * width
    assert operations.attachment_operations(width, channels) == pytest.approx(loops, rel=0.01)


PLAIN_ENTRY = 2 + 2 + 2 + 2  # onsite energy, two neighbours, the slice before
RASHBA_BOND = 4 + 4  # two real components of a quaternion


@pytest.mark.parametrize(
    ("case", "entry"),
    [
        (Case(7, 1), PLAIN_ENTRY),
        (Case(7, 1, FLUX), PLAIN_ENTRY + 6 + 6),
        (Case(3, 1, model="cubic", depth=3), PLAIN_ENTRY + 2 + 2),
        (Case(8, 1, model="zigzag"), PLAIN_ENTRY - 2),
        (Case(7, 1, model="rashba"), 2 + 2 * RASHBA_BOND + 2 * RASHBA_BOND),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_slice_count_is_that_of_its_entries(case: Case, entry: int):
    system = case.system()
    ring = replace(system, lattice=replace(system.lattice, periodic=(True, case.depth > 1)))
    assert operations.slice_operations(ring) == entry * system.orbitals**2


def test_a_hard_wall_spares_a_neighbour_at_both_ends_of_each_column():
    system = Case(7, 1).system()
    assert operations.slice_operations(system) == PLAIN_ENTRY * 7**2 - 2 * 2 * 7


def test_more_lengths_cost_attachments_and_eigenvalues_theirs():
    point = Case(10, 100).point()
    channels = point.system.channels()
    plain = operations.transmission_operations(point, 9)
    full = operations.transmission_operations(Case(10, 100).point(eigenvalues=True), 9)
    assert full - plain == pytest.approx(operations.eigenvalue_operations(channels))
    parts = 100 * operations.slice_operations(point.system)
    parts += 12 * operations.stabilisation_operations(10, channels) + operations.attachment_operations(10, channels)
    assert plain == pytest.approx(parts)


def test_a_bar_costs_its_slices_and_factors():
    # Seen to fail with the operations of complex frames, and with P counted.
    case, width = BarCase(4), 16
    entry = 1 + 4 + 1  # onsite energy, four neighbours, the slice before; of real numbers
    products = (gram(2 * width, width) + cholesky(width) + solve(2 * width, width)) / 4
    found = operations.bar_operations(case.point(1).system, 12, 4, real=True)
    assert found == pytest.approx(12 * entry * width**2 + 3 * products, rel=0.1)


def test_every_standard_size_is_timed_once_with_a_name_of_its_own():
    assert len({case.name for case in (*STANDARD, *MODELS)}) == len(STANDARD) + len(MODELS) == 13
