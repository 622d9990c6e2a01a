"""What a valid document means: defaults, normal forms, sweeps, and the YAML that an experiment is written back to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesogpu.config.experiment import Experiment, Leads, Model, SweepAxis
from mesogpu.config.load import dump_yaml, load_experiment, parse_experiment
from mesogpu.config.scalars import resolve, write
from mesogpu.config.schema import LAWS, SWEPT_KEYS
from mesogpu.config.sweeps import evenly_spaced
from mesogpu.errors import ConfigError
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, MagneticImpurity, Uniform, Vacancy

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"

SHORTEST: dict[str, Any] = {
    "schema": 1,
    "name": "w",
    "seed": 1,
    "model": {"lattice": "square", "width": 4, "length": 8},
    "energy": 0.5,
    "realizations": 2,
}


def test_the_quickstart_is_the_experiment_it_says() -> None:
    assert load_experiment(QUICKSTART) == Experiment(
        name="ucf-quasi-1d",
        seed=20261120,
        model=Model("square", 30, (30, 60, 120, 180, 240), times_width=False, edges="hard", hopping=1.0),
        disorder=(Uniform(1.0),),
        energy=0.8,
        flux=0.0,
        leads=Leads(0.0, flux=True, spin_orbit=True),
        sweep=(SweepAxis(("flux",), ((0.0,), (0.006,))),),
        randomness="common",
        realizations=4096,
        method="transmission",
        observables=("transmission_eigenvalues", "shot_noise"),
    )


def test_defaults_of_schema_1_are_frozen() -> None:
    experiment = load_experiment(SHORTEST)
    assert experiment == Experiment(
        name="w",
        seed=1,
        model=Model("square", 4, (8,), times_width=False, edges="hard", hopping=1.0),
        disorder=(),
        energy=0.5,
        flux=0.0,
        leads=Leads(0.0, flux=True, spin_orbit=True),
        sweep=(),
        randomness="common",
        realizations=2,
        method="transmission",
        observables=(),
    )


def test_spelling_does_not_change_the_experiment() -> None:
    """Seen to fail with the integers of a float key left as they are, and with -0.0 kept."""
    plain = load_experiment(
        SHORTEST | {"energy": 1.0, "flux": 0.0, "sweep": {"flux": [0.0, 0.25], "model.width": [4, 8]}}
    )
    other = load_experiment(
        SHORTEST
        | {"energy": 1, "flux": -0.0, "sweep": {"flux": [0, 0.25], "model.width": [4.0, 8.0]}}
        | {"realizations": 2.0, "disorder": None, "observables": ["conductance", "log_conductance"]}
    )
    assert plain == other
    assert plain.identity() == other.identity()
    assert dump_yaml(plain) == dump_yaml(other)
    assert [type(axis.values[0][0]) for axis in other.sweep] == [float, int]


def test_a_chain_is_one_site_wide() -> None:
    experiment = load_experiment(SHORTEST | {"model": {"lattice": "chain", "length": {"times_width": [1, 3]}}})
    assert experiment.model == Model("chain", 1, (1, 3), times_width=True, edges="hard", hopping=1.0)


def test_what_a_model_does_without_may_be_null() -> None:
    model = SHORTEST["model"] | {"edge": None, "spin_orbit": None, "zeeman": None}
    assert load_experiment(SHORTEST | {"model": model}) == load_experiment(SHORTEST)


def test_plain_axes_come_before_coupled_ones() -> None:
    sweep = {
        "zip": [{"energy": [0.1, 0.2], "flux": [0, 0.1]}, {"model.hopping": [1, 2], "disorder.0.width": [1, 1]}],
        "leads.potential": {"linspace": [0, 1, 3]},
        "model.length": [2, 4],
    }
    disorder = [{"distribution": "uniform", "width": 1}]
    assert load_experiment(SHORTEST | {"sweep": sweep, "disorder": disorder}).sweep == (
        SweepAxis(("leads.potential",), ((0.0,), (0.5,), (1.0,))),
        SweepAxis(("model.length",), ((2,), (4,))),
        SweepAxis(("energy", "flux"), ((0.1, 0.0), (0.2, 0.1))),
        SweepAxis(("model.hopping", "disorder.0.width"), ((1.0, 1.0), (2.0, 1.0))),
    )


EVERY_LAW = [
    {"distribution": "uniform", "width": 1},
    {"distribution": "gaussian", "sigma": 2},
    {"distribution": "cauchy", "half_width": 4},
    {"distribution": "binary", "values": [-1, 8], "fraction": 0.25},
    {"distribution": "vacancy", "density": 0.125},
    {"on": "spins", "exchange": 16},
]


def test_each_law_is_the_one_it_says() -> None:
    """Seen to fail with two laws exchanged in the table."""
    experiment = load_experiment(SHORTEST | {"disorder": EVERY_LAW})
    laws = (Uniform(1.0), Gaussian(2.0), Cauchy(4.0), Binary((-1.0, 8.0), 0.25), Vacancy(0.125), MagneticImpurity(16.0))
    assert experiment.disorder == laws
    assert len(laws) == len(LAWS)
    assert [type(number) for law in experiment.disorder for number in law.parameters] == [float] * 8


@pytest.mark.parametrize("place", ["bonds", "flux"])
def test_each_law_of_numbers_can_be_elsewhere(place: str) -> None:
    """Seen to fail with the place left at its default."""
    disorder = [
        {"distribution": "uniform", "on": place, "width": 0.5},
        {"distribution": "gaussian", "on": place, "sigma": 0.5},
        {"distribution": "cauchy", "on": place, "half_width": 0.5},
        {"distribution": "binary", "on": place, "values": [-0.5, 0.5], "fraction": 0.5},
    ]
    laws = (Uniform(0.5, on=place), Gaussian(0.5, on=place), Cauchy(0.5, on=place), Binary((-0.5, 0.5), 0.5, on=place))
    assert load_experiment(SHORTEST | {"disorder": disorder}).disorder == laws


def test_a_law_may_be_as_good_as_none() -> None:
    """Seen to fail with magnitudes above 0 only, and with -0.0 kept in a list of values."""
    disorder = [
        {"distribution": "uniform", "width": -0.0},
        {"distribution": "gaussian", "sigma": 0},
        {"distribution": "cauchy", "half_width": 0},
        {"distribution": "binary", "values": [-0.0, -0.0], "fraction": 1},
    ]
    experiment = load_experiment(SHORTEST | {"disorder": disorder})
    assert experiment.disorder == (Uniform(0.0), Gaussian(0.0), Cauchy(0.0), Binary((0.0, 0.0), 1.0))
    assert "-0.0" not in dump_yaml(experiment)


@pytest.mark.parametrize("key", SWEPT_KEYS)
def test_what_can_be_swept_can_be_set(key: str) -> None:
    """Seen to fail with sweeps over lists of values allowed."""
    model = SHORTEST["model"] | {"spin_orbit": {"kind": "rashba", "strength": 1}, "zeeman": [1, 1, 1]}
    base = SHORTEST | {"model": model, "disorder": EVERY_LAW}
    if key.startswith("lyapunov."):
        base |= {"method": "lyapunov", "model": model | {"length": None}, "disorder": []}
    field = key.rpartition(".")[2]
    owner = next((str(index) for index, law in enumerate(EVERY_LAW) if field in law), "1")
    path = key.replace("*", owner)
    sizes = {"model.width": 3, "model.length": 3, "lyapunov.slices": 64, "lyapunov.warmup": 3}
    value = sizes.get(key, 0.375)
    assert load_experiment(base | {"sweep": {path: [value]}}).sweep[0].paths == (path,)
    changed = load_experiment(base, [f"{path}={value}"])
    assert load_experiment(base).with_value(path, value) == changed != load_experiment(base)


def test_numpy_numbers_and_arrays_are_numbers_and_lists() -> None:
    model = {"lattice": "square", "width": np.int32(4), "length": np.array([8])}
    sweep = {"flux": np.array([0.0, 0.125])}
    experiment = load_experiment(SHORTEST | {"model": model, "energy": np.float64(0.5), "sweep": sweep})
    assert experiment == load_experiment(SHORTEST | {"sweep": {"flux": [0.0, 0.125]}})


def test_a_dictionary_is_held_to_the_same_rules() -> None:
    looped: dict[str, Any] = {}
    looped["again"] = looped
    for wrong in ({"energy": b"1"}, {"energy": float("nan")}, {"enrgy": 1}, {1: 2}, {"seed": 10**5000}, looped):
        with pytest.raises(ConfigError) as caught:
            load_experiment(SHORTEST | wrong)
        assert all(problem.startswith("dict: ") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0),
        ("1.e3", 1000.0),
        ("+.5E-1", 0.05),
        ("012", 12),
        ("0x10", 16),
        ("0o17", 15),
        ("yes", "yes"),
        ("2:30", "2:30"),
        ("1_000", "1_000"),
        ("~", None),
        ("True", True),
        ("2026-11-20", "2026-11-20"),
        ("\u0663", "\u0663"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()))
@settings(derandomize=True, database=None)
def test_written_scalars_read_back(value: float | None) -> None:
    """Seen to fail with floats written to 15 digits."""
    assert resolve(write(value)) == value
    assert type(resolve(write(value))) is type(value)


def test_even_spacing_meets_the_decimals_a_reader_expects() -> None:
    """Seen to fail with the spacing done in floats, which gives 0.30000000000000004."""
    assert evenly_spaced(0.0, 1.0, 11) == tuple(k / 10 for k in range(11))
    assert evenly_spaced(-0.3, 0.3, 7) == (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
    assert evenly_spaced(10, 4, 4) == (10, 8, 6, 4)


def test_long_even_sweeps_are_written_short() -> None:
    experiment = load_experiment(SHORTEST | {"sweep": {"energy": {"linspace": [0.0, 1.0, 100001]}}})
    text = dump_yaml(experiment)
    assert "  energy: {linspace: [0.0, 1.0, 100001]}\n" in text
    assert parse_experiment(text, "dump.yaml") == experiment


def test_the_written_form_is_readable() -> None:
    text = dump_yaml(load_experiment(QUICKSTART))
    assert "  length: [30, 60, 120, 180, 240]\n" in text
    assert "disorder:\n  - {distribution: uniform, width: 1.0}\n" in text
    assert "sweep:\n  flux: [0.0, 0.006]\n" in text
    laws = dump_yaml(load_experiment(SHORTEST | {"disorder": EVERY_LAW}))
    assert "  - {distribution: binary, values: [-1.0, 8.0], fraction: 0.25}\n" in laws
    long = dump_yaml(load_experiment(SHORTEST | {"sweep": {"energy": [k * k / 7 for k in range(100)]}}))
    assert max(map(len, long.splitlines())) <= 100
