"""NOTATION.md's worked values are what the code computes, and what a second generator computes.

Planted faults that these tests were seen to fail on: nine rounds instead of ten, seed and realization swapped in the
key, u = word 2^-32 without the half, a changed digit in the page.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from mesogpu.physics.disorder import LAWS_PER_STREAM_GROUP, Binary, Cauchy, Gaussian, Law, Uniform, onsite_potential
from mesogpu.physics.philox import philox4x32

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

    position, kind = divmod(counter[2], LAWS_PER_STREAM_GROUP)
    assert kind == 0
    laws = [Uniform(width=0.0)] * position + [Uniform(width=1.0)]
    potential = onsite_potential(
        laws, seed=SEED, realizations=[REALIZATION], slices=range(240), width=30, point=counter[3]
    )
    assert potential[0, x, y] == float(energy)


LAW_ROWS = table_rows("law-table")
LAWS: dict[str, Law] = {
    "gaussian sigma 1": Gaussian(1.0),
    "cauchy half_width 1": Cauchy(1.0),
    "binary [0, 1] fraction 0.3": Binary((0.0, 1.0), 0.3),
}


def energy_by_library_functions(name: str, words: list[int], place: int) -> float:
    """V from the page's formulas with the standard library's log, cos, sin and tan."""
    if name.startswith("binary"):
        return float((words[place] + 0.5) / 2**32 < 0.3)
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
    assert energy_by_library_functions(name, words, y % law.sites_per_cell) == pytest.approx(float(energy), rel=1e-13)
    potential = onsite_potential([law], seed=SEED, realizations=[REALIZATION], slices=range(240), width=30)
    assert potential[0, x, y] == pytest.approx(float(energy), rel=4e-16)


def test_the_law_table_shows_every_law_but_the_uniform_one() -> None:
    assert {row[0] for row in LAW_ROWS} == set(LAWS)
