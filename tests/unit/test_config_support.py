"""The table of what combines with what is README.md's, and says what the reader of a file does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesogpu.config import support
from mesogpu.config.load import load_experiment
from mesogpu.config.schema import DISTRIBUTIONS
from mesogpu.errors import ConfigError
from mesogpu.physics.disorder import PLACES
from mesogpu.physics.lattices import KINDS, Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System

README = Path(__file__).parents[2] / "README.md"
OPEN, CLOSE = "<!-- support -->\n", "<!-- /support -->"

LAWS: dict[str, dict[str, Any]] = {
    "uniform": {"width": 0.5},
    "gaussian": {"sigma": 0.5},
    "cauchy": {"half_width": 0.5},
    "binary": {"values": [0.0, 0.5], "fraction": 0.5},
    "vacancy": {"density": 0.1},
}
COUPLINGS = {kind: {"kind": kind} | ({} if kind == "su2" else {"strength": 0.5}) for kind in
             support.UNIFORM_COUPLINGS + support.RANDOM_COUPLINGS}  # fmt: skip


def is_read(kind: str, *laws: dict[str, Any], method: str = "transmission", **model: Any) -> bool:
    """Whether a file with this lattice, these laws and these keys of the model is read."""
    lattice = {"lattice": "honeycomb", "edge": kind} if kind in support.HONEYCOMBS else {"lattice": kind}
    width = {} if kind == "chain" else {"width": 4}
    try:
        load_experiment(
            {"schema": 1, "name": "w", "seed": 1, "energy": 0.5, "realizations": 2, "disorder": list(laws)}
            | {"method": method, "model": lattice | width | ({"length": 4} if method == "transmission" else {}) | model}
        )
    except ConfigError:
        return False
    return True


def test_readme_shows_the_table() -> None:
    """Seen to fail with a cell changed in README.md."""
    _, opened, rest = README.read_text(encoding="utf-8").partition(OPEN)
    shown, closed, _ = rest.partition(CLOSE)
    assert opened
    assert closed
    assert shown == support.section(), "paste what `python -m mesogpu.config.support` prints between the markers"


@pytest.mark.parametrize("kind", KINDS)
def test_a_lattice_has_the_couplings_that_the_table_gives_it(kind: str) -> None:
    """Seen to fail with ando forgotten in the rule."""
    for coupling in support.UNIFORM_COUPLINGS:
        assert is_read(kind, spin_orbit=COUPLINGS[coupling]) == (kind in support.UNIFORM_SPIN_ORBIT.lattices)
    for coupling in support.RANDOM_COUPLINGS:
        assert is_read(kind, spin_orbit=COUPLINGS[coupling])
    assert is_read(kind, {"on": "spins", "exchange": 1.0}, zeeman=[0.0, 0.0, 0.1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_read_where_the_tables_say(law: str, place: str, kind: str) -> None:
    """Seen to fail with vacancies allowed on bonds in the table."""
    entry = {"distribution": law, "on": place} | LAWS[law]
    on_lattice = place != "flux" or kind in support.RANDOM_FLUX.lattices
    assert is_read(kind, entry) == (place in support.LAW_PLACES[law] and on_lattice)
    if law == "gaussian":
        assert is_read(kind, entry | {"correlation_length": 2.0}) == (place in support.CORRELATED_PLACES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", range(1, 7))
def test_a_lattice_takes_the_widths_that_the_table_gives_it(kind: str, width: int) -> None:
    """Seen to fail with odd rings of a honeycomb allowed by the rules."""
    sides = support.SIDES[kind]
    if kind == "chain":
        assert not is_read(kind, width=width)
        assert not is_read(kind, edges="periodic")
        return
    assert is_read(kind, width=width) == (width >= sides.narrowest)
    closes = width >= sides.ring and not (sides.even_ring and width % 2)
    assert is_read(kind, width=width, edges="periodic") == closes


@pytest.mark.parametrize("kind", KINDS)
def test_a_lattice_has_bars_where_the_table_says(kind: str) -> None:
    """Seen to fail with bars of armchair ribbons read, and with every law on bonds refused."""
    able = kind in support.LYAPUNOV.lattices
    assert able == System(Lattice(kind, support.SIDES[kind].narrowest), 1, 0, 0, 0, True, ()).has_transfer_matrix
    assert is_read(kind, method="lyapunov") == able
    assert is_read(kind, {"on": "bonds", "distribution": "uniform", "width": 0.5}, method="lyapunov") == able
    cut = {"on": "bonds", "distribution": "binary", "values": [0.0, -1.0], "fraction": 0.5}
    for law in (cut, {"distribution": "vacancy", "density": 0.1}):
        assert not is_read(kind, law, method="lyapunov")


def test_the_tables_speak_of_all_there_is() -> None:
    assert set(support.SIDES) == set(KINDS)
    assert set(support.LAW_PLACES) == set(LAWS) == set(DISTRIBUTIONS)
    for kind in COUPLINGS:
        assert SpinOrbit(kind, 0.5).random == (kind in support.RANDOM_COUPLINGS)
