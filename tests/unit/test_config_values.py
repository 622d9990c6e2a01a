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
from mesogpu.config.schema import LAWS, SWEPT_KEYS, swept_law_keys
from mesogpu.config.sweeps import evenly_spaced
from mesogpu.errors import ConfigError
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, Uniform

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


def test_parts_to_come_may_be_null() -> None:
    model = SHORTEST["model"] | {"spin_orbit": None, "zeeman": None}
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
]


def test_each_law_is_the_one_it_says() -> None:
    """Seen to fail with two laws exchanged in the table."""
    experiment = load_experiment(SHORTEST | {"disorder": EVERY_LAW})
    assert experiment.disorder == (Uniform(1.0), Gaussian(2.0), Cauchy(4.0), Binary((-1.0, 8.0), 0.25))
    assert {law.distribution for law in experiment.disorder} == set(LAWS)
    assert [type(number) for law in experiment.disorder for number in law.parameters] == [float] * 6


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
    experiment = load_experiment(SHORTEST | {"disorder": EVERY_LAW})
    field = key.rpartition(".")[2]
    owner = next((str(index) for index, law in enumerate(EVERY_LAW) if field in law), "")
    path = key.replace("*", owner)
    assert experiment.with_value(path, 3) != experiment
    value = 1 if key in ("model.width", "model.length") else 0.25
    assert load_experiment(SHORTEST | {"disorder": EVERY_LAW, "sweep": {path: [value]}}).sweep[0].paths == (path,)


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


NUMBER = st.floats(-1e9, 1e9).map(lambda x: x + 0.0)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "energy": NUMBER,
    "flux": st.floats(-0.5, 0.5).map(lambda x: x + 0.0),
    "leads.potential": NUMBER,
    "model.hopping": st.floats(1e-9, 1e9),
    "model.width": st.integers(3, 400),
    "model.length": st.integers(1, 10**7),
}
MAGNITUDE = st.floats(0, 1e9)
LAW_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "width": MAGNITUDE,
    "sigma": MAGNITUDE,
    "half_width": MAGNITUDE,
    "fraction": st.floats(0, 1),
}
ANY_LAW: st.SearchStrategy[Law] = st.one_of(
    st.builds(Uniform, MAGNITUDE),
    st.builds(Gaussian, MAGNITUDE),
    st.builds(Cauchy, MAGNITUDE),
    st.builds(Binary, st.tuples(NUMBER, NUMBER), LAW_VALUES["fraction"]),
)
NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", fullmatch=True) | st.sampled_from(
    ["null", "on", "1e3", "0x1", "y", "True", "1.5", "2026-11-20", "_", "NO", "01"]
)


@st.composite
def axes(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> tuple[SweepAxis, ...]:
    """Sweeps over some of the paths, plain ones first, some of them evenly spaced."""
    paths = list(values)
    order = draw(st.permutations(paths))[: draw(st.integers(0, len(paths)))]
    plain = draw(st.integers(0, len(order)))
    found = []
    for path in order[:plain]:
        column = draw(st.lists(values[path], min_size=1, max_size=4, unique=True))
        if path == "energy" and len(column) > 1:
            column = list(evenly_spaced(column[0], column[1], draw(st.integers(2, 40))))
        if len(set(column)) == len(column):
            found.append(SweepAxis((path,), tuple((value,) for value in column)))
    coupled = order[plain:]
    for group in (coupled[:2], coupled[2:]):
        if len(group) > 1:
            rows = draw(st.lists(st.tuples(*(values[path] for path in group)), min_size=1, max_size=3, unique=True))
            found.append(SweepAxis(tuple(group), tuple(rows)))
    return tuple(found)


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Any valid experiment."""
    chain = draw(st.booleans())
    lengths = draw(st.lists(st.integers(1, 20000), min_size=1, max_size=5, unique=True))
    disorder = draw(st.lists(ANY_LAW, max_size=3))
    values = {path: kind for path, kind in VALUES.items() if not (path == "model.width" and chain)}
    for index, law in enumerate(disorder):
        values |= {f"disorder.{index}.{key}": LAW_VALUES[key] for key in swept_law_keys(law.distribution)}
    return Experiment(
        name=draw(NAMES),
        seed=draw(st.integers(0, 2**32 - 1)),
        model=Model(
            lattice="chain" if chain else "square",
            width=1 if chain else draw(VALUES["model.width"]),
            lengths=tuple(sorted(lengths)),
            times_width=draw(st.booleans()),
            edges="hard" if chain else draw(st.sampled_from(["hard", "periodic"])),
            hopping=draw(VALUES["model.hopping"]),
        ),
        disorder=tuple(disorder),
        energy=draw(NUMBER),
        flux=draw(VALUES["flux"]),
        leads=Leads(draw(NUMBER), flux=draw(st.booleans()), spin_orbit=draw(st.booleans())),
        sweep=draw(axes(values)),
        randomness=draw(st.sampled_from(["common", "independent"])),
        realizations=draw(st.integers(1, 2**32 - 1)),
        method="transmission",
        observables=tuple(draw(st.lists(st.sampled_from(["transmission_eigenvalues", "shot_noise"]), unique=True))),
    )


@given(experiments())
@settings(derandomize=True, database=None, max_examples=150, deadline=None)
def test_an_experiment_written_as_yaml_reads_back_equal(experiment: Experiment) -> None:
    """Seen to fail with names such as 1e3 left unquoted, and with one of the laws read with its values exchanged."""
    text = dump_yaml(experiment)
    again = parse_experiment(text, "dump.yaml")
    assert again == experiment
    assert again.identity() == experiment.identity()
    assert dump_yaml(again) == text


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
