"""NOTATION.md's worked values are what the code computes, and what a second generator computes.

Planted faults that these tests were seen to fail on: nine rounds instead of ten, seed and realization swapped in the
key, u = word 2^-32 without the half, a changed digit in the page.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.draws import STREAMS_A_LAW, smoothing
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.philox import philox4x32
from mesogpu.physics.slices import Slices
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System

PAGE = (Path(__file__).parents[2] / "NOTATION.md").read_text(encoding="utf-8")
MASK = 0xFFFFFFFF


def table_rows(marker: str) -> list[list[str]]:
    """Cells of the table below an HTML comment that begins with `marker`."""
    block = re.search(rf"<!-- {marker}[^\n]*-->\n((?:\|[^\n]*\n)+)", PAGE)
    assert block is not None, marker
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.group(1).splitlines()[2:]]


def integer_philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 once more, on Python integers and with 64-bit products taken apart by divmod."""
    left, right = [counter[0], counter[2]], [counter[1], counter[3]]
    for rounds in range(10):
        high_0, low_0 = divmod(left[0] * 0xD2511F53, 1 << 32)
        high_1, low_1 = divmod(left[1] * 0xCD9E8D57, 1 << 32)
        key_0 = (key[0] + rounds * 0x9E3779B9) & MASK
        key_1 = (key[1] + rounds * 0xBB67AE85) & MASK
        left, right = [high_1 ^ right[0] ^ key_0, high_0 ^ right[1] ^ key_1], [low_1, low_0]
    return [left[0], right[0], left[1], right[1]]


def hexadecimal(cell: str) -> list[int]:
    return [int(word, 16) for word in cell.split()]


STRIP = System(Lattice("square", 30), 1.0, 0.0, 0.8, 0.0, True, ())
BAR = Lattice("cubic", 6, 5)


def drawn(*laws: Law, point: int = 0, lattice: Lattice = STRIP.lattice, coupling: SpinOrbit | None = None) -> Slices:
    """The slices of the page's realization."""
    system = replace(STRIP, lattice=lattice, laws=laws, spin_orbit=coupling)
    return system.slices(seed=SEED, realizations=[REALIZATION], slices=range(240), point=point)


def words_of(counter_text: str, words_text: str) -> tuple[list[int], list[float]]:
    """Counter and uniform numbers of a row, whose words must be those of the second generator."""
    counter, words = [int(n) for n in counter_text.split()], hexadecimal(words_text)
    assert integer_philox(counter, [SEED, REALIZATION]) == words
    return counter, [(word + 0.5) / 2**32 for word in words]


PHILOX_ROWS = table_rows("philox-table")
ONSITE_ROWS = table_rows("onsite-table")
SEED, REALIZATION = (int(n) for n in re.findall(r"<!-- onsite-table: seed (\d+) realization (\d+) -->", PAGE)[0])


def test_both_tables_are_found() -> None:
    assert len(PHILOX_ROWS) == 3
    assert len(ONSITE_ROWS) == 11
    assert (SEED, REALIZATION) == (20261120, 17)


@pytest.mark.parametrize("row", PHILOX_ROWS)
def test_generator_reproduces_the_published_vectors(row: list[str]) -> None:
    counter, key, words = (hexadecimal(cell) for cell in row)
    assert philox4x32(tuple(counter), tuple(key)).tolist() == words
    assert integer_philox(counter, key) == words


@pytest.mark.parametrize("row", ONSITE_ROWS)
def test_onsite_energies_are_the_worked_values(row: list[str]) -> None:
    position_x, site, counter_text, words_text, word, uniform, energy = row
    x, y = int(position_x), int(site)
    counter = [int(n) for n in counter_text.split()]
    words = hexadecimal(words_text)
    assert counter[:2] == [y // 4, x]
    assert int(word) == y % 4
    assert integer_philox(counter, [SEED, REALIZATION]) == words
    assert (words[y % 4] + 0.5) / 2**32 == float(uniform)

    position, kind = divmod(counter[2], STREAMS_A_LAW)
    assert kind == 0
    laws = [Uniform(width=0.0)] * position + [Uniform(width=1.0)]
    assert drawn(*laws, point=counter[3]).onsite[0, x, y] == float(energy)


LAW_ROWS = table_rows("law-table")
LAWS: dict[str, Law] = {
    "gaussian sigma 1": Gaussian(1.0),
    "cauchy half_width 1": Cauchy(1.0),
    "binary [0, 1] fraction 0.3": Binary((0.0, 1.0), 0.3),
    "vacancy density 0.4": Vacancy(0.4),
}


def energy_by_library_functions(name: str, words: list[int], place: int) -> float:
    """V from the page's formulas with the standard library's log, cos, sin and tan."""
    if name.startswith("binary"):
        return float((words[place] + 0.5) / 2**32 < 0.3)
    if name.startswith("vacancy"):
        return math.nan if (words[place] + 0.5) / 2**32 < 0.4 else 0.0
    first, second = (((words[k] >> 6) * 2**26 + (words[k + 1] >> 6) + 0.5) / 2**52 for k in (0, 2))
    if name.startswith("cauchy"):
        return math.tan(math.pi * ((first, second)[place] - 0.5))
    turn = 2.0 * math.pi * second
    return math.sqrt(-2.0 * math.log(first)) * (math.cos(turn), math.sin(turn))[place]


@pytest.mark.parametrize("row", LAW_ROWS)
def test_every_law_gives_the_worked_values(row: list[str]) -> None:
    # Seen to fail with cosine and sine exchanged, and with the words of a pair exchanged.
    name, position_x, site, counter_text, words_text, energy = row
    x, y, law = int(position_x), int(site), LAWS[name]
    counter, words = [int(n) for n in counter_text.split()], hexadecimal(words_text)
    assert counter == [y // law.sites_per_cell, x, 0, 0]
    assert integer_philox(counter, [SEED, REALIZATION]) == words
    expected = pytest.approx(float(energy), rel=1e-13, nan_ok=True)
    assert energy_by_library_functions(name, words, y % law.sites_per_cell) == expected
    assert drawn(law).onsite[0, x, y] == pytest.approx(float(energy), rel=4e-16, nan_ok=True)


def test_the_law_table_shows_every_law_but_the_uniform_one() -> None:
    assert {row[0] for row in LAW_ROWS} == set(LAWS)


BONDS = {"x bond": (0, 1), "y bond": (1, 2), "z bond of a bar": (2, 3)}
"""Position among a slice's bonds, and stream of a law in first position."""


@pytest.mark.parametrize("row", table_rows("bond-table"), ids=lambda row: "-".join(row[:3]))
def test_bonds_plaquettes_and_bars_have_the_worked_values(row: list[str]) -> None:
    # Seen to fail with the streams of x and y bonds exchanged, and with a bar's sites numbered y * depth + z.
    of, x, number = row[0], int(row[1]), int(row[2])
    counter, uniform = words_of(row[3], row[4])
    assert counter[:2] == [number // 4, x]
    assert uniform[number % 4] - 0.5 == pytest.approx(float(row[5]), abs=1e-16)
    lattice = BAR if of.endswith("bar") else STRIP.lattice
    site = number // 65536 * BAR.depth + number % 65536 if lattice is BAR else number
    if of == "site of a bar":
        assert counter[2] == 0
        assert drawn(Uniform(1.0), lattice=lattice).onsite[0, x, site] == float(row[5])
    elif of == "plaquette":
        assert counter[2] == 5
        phases = drawn(Uniform(1.0, on="flux")).phases
        assert phases is not None
        assert phases[0, x, site + 1] - phases[0, x, site] == pytest.approx(float(row[5]), abs=1e-13)
    else:
        direction, stream = BONDS[of]
        assert counter[2] == stream
        bonds = drawn(Uniform(1.0, on="bonds"), lattice=lattice).bonds[direction]
        assert bonds[0, x, site, 0] == pytest.approx(1.0 + float(row[5]), abs=1e-15)


@pytest.mark.parametrize("row", table_rows("spin-table"), ids=lambda row: "-".join(row[:2]))
def test_spins_point_where_the_page_says(row: list[str]) -> None:
    # Seen to fail with height and azimuth from each other's word.
    x, site = int(row[0]), int(row[1])
    counter, uniform = words_of(row[2], row[3])
    assert counter == [site // 2, x, 4, 0]
    height, turn = 2.0 * uniform[site % 2 * 2] - 1.0, 2.0 * math.pi * uniform[site % 2 * 2 + 1]
    radius = math.sqrt(1.0 - height**2)
    expected = [float(cell) for cell in row[4:]]
    assert [radius * math.cos(turn), radius * math.sin(turn), height] == pytest.approx(expected, abs=1e-15)
    field = drawn(MagneticImpurity(0.5)).field
    assert field is not None
    np.testing.assert_allclose(2.0 * field[0, x, site], expected, rtol=4e-16)


@pytest.mark.parametrize("row", table_rows("quaternion-table"), ids=lambda row: "-".join(row[:3]))
def test_random_spin_orbit_bonds_are_the_worked_quaternions(row: list[str]) -> None:
    # Seen to fail with sqrt(u0) and sqrt(1 - u0) exchanged, and with the cell site // 4.
    kind, direction, x, site = row[0], "xyz".index(row[1]), int(row[2]), int(row[3])
    counter, u = words_of(row[4], row[5])
    assert counter == [site, x, 0xFFFFFF00 + 1 + direction, 0]
    if kind == "su2":
        outer, inner, turns = math.sqrt(1.0 - u[0]), math.sqrt(u[0]), [2.0 * math.pi * v for v in u[1:3]]
        parts = [outer * math.cos(turns[0]), outer * math.sin(turns[0])]
        parts += [inner * math.cos(turns[1]), inner * math.sin(turns[1])]
    else:
        parts = [1.0, *(v - 0.5 for v in u[:3])]
    expected = [float(cell) for cell in row[6:]]
    assert parts == pytest.approx(expected, abs=1e-15)
    bonds = drawn(coupling=SpinOrbit(kind, 1.0)).bonds[direction]
    np.testing.assert_allclose(bonds[0, x, site], expected, rtol=4e-16)


def smoothing_by_the_page(length: float) -> list[float]:
    """The weights from the page's two sums."""
    far = math.ceil(9.0 * length)
    distances, waves = np.arange(-far, far + 1), 2.0 * np.pi * np.arange(8192) / 8192
    spectrum = np.exp(-0.5 * (distances / length) ** 2) @ np.cos(np.outer(distances, waves))
    half = [float(np.sqrt(np.maximum(spectrum, 0.0)) @ np.cos(waves * d)) / 8192 for d in range(100)]
    kept = [weight for weight in half if abs(weight) > 1e-6 * half[0]]
    weights = [*reversed(kept[1:]), *kept]
    return [weight / math.sqrt(sum(w * w for w in weights)) for weight in weights]


@pytest.mark.parametrize("row", table_rows("smoothing-table"), ids=lambda row: f"c={row[0]}")
def test_the_smoothing_weights_are_those_of_the_definition(row: list[str]) -> None:
    # Seen to fail with the spectrum itself in place of its root.
    weights = smoothing(float(row[0]))
    expected = [float(cell) for cell in row[1:]]
    np.testing.assert_allclose(weights[len(weights) // 2 :][:3], expected, rtol=4e-16)
    np.testing.assert_allclose(weights, smoothing_by_the_page(float(row[0])), atol=2e-8)


def white_noise(y: int, x: int) -> float:
    """w(x, y) of the gaussian law with sigma = 1, by the second generator."""
    words = integer_philox([y // 2 & MASK, x & MASK, 0, 0], [SEED, REALIZATION])
    return energy_by_library_functions("gaussian", words, y % 2)


@pytest.mark.parametrize("row", table_rows("correlated-table"), ids=lambda row: "-".join(row[:2]))
def test_correlated_energies_are_the_smoothed_noise(row: list[str]) -> None:
    # Seen to fail with sites below the sample taken from its upper side, and with cells counted from the lowest one.
    periodic, x, y = row[0] == "periodic", int(row[1]), int(row[2])
    weights = smoothing(1.5)
    reach = len(weights) // 2
    shifts = range(-reach, reach + 1)
    total = sum(
        weights[i + reach] * weights[j + reach] * white_noise((y + j) % 30 if periodic else y + j, x + i)
        for i, j in itertools.product(shifts, shifts)
    )
    assert total == pytest.approx(float(row[3]), rel=1e-12)
    lattice = Lattice("square", 30, 1, (periodic, False))
    assert drawn(Gaussian(1.0, 1.5), lattice=lattice).onsite[0, x, y] == pytest.approx(float(row[3]), rel=1e-14)
