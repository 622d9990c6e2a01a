"""Every mistake in a disorder law, and in a sweep of one, is told once, at its place, in terms of that law."""

from __future__ import annotations

import pytest

from mesogpu.config.fields import FIELDS
from mesogpu.config.load import parse_experiment
from mesogpu.config.schema import LAWS, law_keys
from mesogpu.errors import ConfigError

# The laws come last but for the sweep, so that the first one stands in line 8.
HEAD = """\
schema: 1
name: wire
seed: 7
energy: 0.8
realizations: 16
model: {lattice: square, width: 4, length: 8}
disorder:
"""
EVERY_LAW = (
    "{distribution: gaussian, sigma: 1.0}",
    "{distribution: cauchy, half_width: 1.0}",
    "{distribution: binary, values: [-1.0, 1.0], fraction: 0.5}",
)
ABLE = "energy, flux, leads.potential, model.width, model.length, model.hopping"
ABLE += ", disorder.0.sigma, disorder.0.correlation_length, disorder.1.half_width, disorder.2.fraction"


def document(*laws: str, sweep: str = "flux: [0.0, 0.1]") -> str:
    return HEAD + "".join(f"  - {law}\n" for law in laws) + f"sweep:\n  {sweep}\n"


def problems(*laws: str, sweep: str = "flux: [0.0, 0.1]") -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_experiment(document(*laws, sweep=sweep), "f.yaml")
    return caught.value.problems


def test_the_base_of_these_tests_is_valid() -> None:
    assert len(parse_experiment(document(*EVERY_LAW), "f.yaml").disorder) == 3


# a law, the column of the complaint, the key below the law, a part of the complaint
ONE_MISTAKE = [
    ("{distribution: gaussian, sgma: 1.0}", "30", "sgma", "did you mean 'sigma'?"),
    ("{distribution: cauchy, halfwidth: 1.0}", "28", "halfwidth", "did you mean 'half_width'?"),
    ("{distribution: binary, values: [0, 1], fractoin: 1}", "44", "fractoin", "did you mean 'fraction'?"),
    ("{distrbution: gaussian, sigma: 1}", "6", "distrbution", "did you mean 'distribution'?"),
    ("{distribution: gaussian, width: 1.0}", "30", "width", "'width' belongs to uniform; gaussian takes sigma, "),
    (
        "{distribution: uniform, width: 1, half_width: 1}",
        "39",
        "half_width",
        "'half_width' belongs to cauchy; uniform takes width",
    ),
    ("{distribution: binary, sigma: 1}", "28", "sigma", "'sigma' belongs to gaussian; binary takes values, fraction"),
    ("{distribution: gaussian, widht: 1, sigma: 1}", "30", "widht", "known keys: distribution, on, sigma, corr"),
    ("{distribution: gaussian}", "5", "sigma", "missing; add for example 'sigma: 0.5'"),
    ("{distribution: cauchy}", "5", "half_width", "missing; add for example 'half_width: 0.5'"),
    ("{distribution: binary, values: [0, 1]}", "5", "fraction", "missing"),
    ("{distribution: binary, fraction: 0.5}", "5", "values", "missing; add for example 'values: [-1.0, 1.0]'"),
    ("{half_width: 1}", "5", "distribution", "missing; add for example 'distribution: cauchy'"),
    ("{distribution: gausian, sigma: 1}", "20", "distribution", "did you mean 'gaussian'?"),
    ("{distribution: box, width: 1}", "20", "distribution", "supported: uniform, gaussian, cauchy, binary, vacancy"),
    ("{distribution: [cauchy]}", "20", "distribution", "supported: uniform"),
    ("{distribution: , sigma: 1}", "6", "distribution", "empty; supported: uniform"),
    ("{distribution: 3, sigma: 1}", "20", "distribution", "3 is not text; supported: uniform"),
    ("gaussian", "5", "", "'gaussian' is not a mapping of keys"),
    ("{distribution: gaussian, sigma: -1}", "37", "sigma", "use 0 (clean) to 1e+09"),
    ("{distribution: gaussian, sigma: 2e9}", "37", "sigma", "above the largest, 1e+09"),
    ("{distribution: gaussian, sigma: .inf}", "37", "sigma", "infinite"),
    ("{distribution: gaussian, sigma: '1'}", "37", "sigma", "remove the quotes"),
    ("{distribution: cauchy, half_width: -1}", "40", "half_width", "use 0 (clean) to 1e+09"),
    ("{distribution: binary, values: [0, 1], fraction: 1.5}", "54", "fraction", "above the largest, 1; use 0 to 1"),
    ("{distribution: binary, values: [0, 1], fraction: -1}", "54", "fraction", "below the smallest, 0; use 0 to 1"),
    ("{distribution: binary, values: [], fraction: 1}", "36", "values", "an empty list; write for example [-1.0, 1.0]"),
    (
        "{distribution: binary, values: [1], fraction: 1}",
        "36",
        "values",
        "1 of 2 entries; write for example [-1.0, 1.0]",
    ),
    ("{distribution: binary, values: [1, 2, 3], fraction: 1}", "36", "values", "3 entries, at most 2"),
    (
        "{distribution: binary, values: 1, fraction: 1}",
        "36",
        "values",
        "1 is not a list; write for example [-1.0, 1.0]",
    ),
    ("{distribution: binary, values: [0, x], fraction: 1}", "40", "values.1", "'x' is not a number"),
    ("{distribution: binary, values: [-2e9, 0], fraction: 1}", "37", "values.0", "use -1e+09 to 1e+09"),
    (
        "{distribution: gaussian, sigma: 1, correlation_length: 0.05}",
        "60",
        "correlation_length",
        "0.05 is below the smallest, 0.1; use 0.1 to 100 lattice constants, or 0 (uncorrelated)",
    ),
    (
        "{distribution: gaussian, sigma: 1, correlation_length: -0.5}",
        "60",
        "correlation_length",
        "below the smallest, 0",
    ),
    (
        "{distribution: gaussian, sigma: 1, correlation_length: 101}",
        "60",
        "correlation_length",
        "above the largest, 100",
    ),
    (
        "{distribution: uniform, width: 1, correlation_length: 2}",
        "39",
        "correlation_length",
        "'correlation_length' belongs to gaussian; uniform takes width",
    ),
    ("{distribution: vacancy}", "5", "density", "missing; add for example 'density: 0.05'"),
    ("{distribution: vacancy, density: 1}", "38", "density", "1 is not below 1; use 0 (none) to below 1"),
    ("{distribution: vacancy, density: -0.1}", "38", "density", "below the smallest, 0"),
    (
        "{distribution: vacancy, exchange: 1}",
        "29",
        "exchange",
        "'exchange' belongs to disorder on spins; vacancy takes",
    ),
    ("{on: spins}", "5", "exchange", "missing; add for example 'exchange: 0.5'"),
    ("{exchange: 1}", "5", "on", "missing; add for example 'on: spins'"),
    ("{on: spinz, exchange: 1}", "10", "on", "unknown value 'spinz'; did you mean 'spins'?"),
    ("{on: bond, distribution: uniform, width: 1}", "10", "on", "unknown value 'bond'; did you mean 'bonds'?"),
    ("{on: spins, exchange: -1}", "27", "exchange", "use 0 (clean) to 1e+09, in the unit of model.hopping; its sign"),
    (
        "{on: spins, exchange: 1, sigma: 1}",
        "30",
        "sigma",
        "'sigma' belongs to gaussian; disorder on spins takes exchange",
    ),
    ("{on: spins, distribution: uniform, width: 1}", "17", "distribution", "spins have no distribution"),
    (
        "{on: bonds, distribution: vacancy, density: 0.1}",
        "6",
        "on",
        "vacancy disorder is on the sites alone; remove 'on', or cut",
    ),
    (
        "{on: flux, distribution: vacancy, density: 0.1}",
        "6",
        "on",
        "vacancy disorder is on the sites alone; remove 'on'",
    ),
    (
        "{on: bonds, distribution: gaussian, sigma: 1, correlation_length: 2}",
        "51",
        "correlation_length",
        "disorder on bonds has no correlation length; remove it, or put the law on the sites",
    ),
    (
        "{on: flux, distribution: uniform, width: 1.5}",
        "46",
        "width",
        "1.5 is above the largest, 1; on flux it counts quanta",
    ),
    ("{on: flux, distribution: gaussian, sigma: 2}", "47", "sigma", "above the largest, 1; on flux"),
    ("{on: flux, distribution: cauchy, half_width: 2}", "50", "half_width", "above the largest, 1; on flux"),
    ("{on: flux, distribution: binary, values: [0, 0.6], fraction: 1}", "50", "values.1", "0.6 is beyond 0.5; on flux"),
]


@pytest.mark.parametrize(("law", "column", "key", "message"), ONE_MISTAKE)
def test_a_mistake_in_a_law_is_told_once_at_its_column(law: str, column: str, key: str, message: str) -> None:
    """Seen to fail with the law's name left in the path, and with what a law lacks told beside another law's key.

    Also with a misspelt name told without its key, with the keys of all laws offered, and with one of two values taken.
    """
    path = f"disorder.0.{key}" if key else "disorder.0"
    (found,) = problems(law)
    assert found.startswith(f"f.yaml:8:{column}: {path}: ")
    assert message in found


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("disorder.0.width", "'width' belongs to uniform; gaussian takes sigma, correlation_length"),
        ("disorder.2.sigma", "'sigma' belongs to gaussian; binary takes fraction"),
        ("disorder.1.values", "'values' belongs to binary; cauchy takes half_width"),
        ("disorder.2.values", f"cannot be swept; can be: {ABLE}"),
        ("disorder.2.values.0", f"cannot be swept; can be: {ABLE}"),
        ("disorder.0.distribution", f"cannot be swept; can be: {ABLE}"),
        ("disorder.3.fraction", f"no such law: the disorder list has 3, counted from 0; can be swept: {ABLE}"),
        ("disorder.00.sigma", f"no such law: the disorder list has 3, counted from 0; can be swept: {ABLE}"),
        ("disorder.0.sgma", "unknown path; did you mean 'disorder.0.sigma'?"),
        ("half_width", "unknown path; did you mean 'disorder.1.half_width'?"),
    ],
)
def test_what_a_law_has_not_cannot_be_swept(path: str, complaint: str) -> None:
    """Seen to fail with every key of any law offered at every position."""
    found = problems(*EVERY_LAW, sweep=f"{path}: [0.1, 0.2]")
    assert found == (f"f.yaml:12:3: sweep.{path}: {complaint}",)


@pytest.mark.parametrize(("path", "value"), [("0.sigma", "-1"), ("1.half_width", "-1"), ("2.fraction", "1.5")])
def test_swept_parameters_of_a_law_keep_its_bounds(path: str, value: str) -> None:
    """Seen to fail with a sweep's fractions held to the bounds of widths."""
    found = problems(*EVERY_LAW, sweep=f"disorder.{path}: [0.1, {value}]")
    assert len(found) == 1
    assert found[0].startswith(f"f.yaml:12:{20 + len(path)}: sweep.disorder.{path}.1: {value} is ")


@pytest.mark.parametrize("law", ["{distribution: unifrom, width: 1.0}", "{width: 1.0}", "box"])
@pytest.mark.parametrize("key", ["width", "sigma", "fraction"])
def test_a_law_without_a_good_name_is_one_problem_also_where_it_is_swept(law: str, key: str) -> None:
    """Seen to fail with the sweep told that the law takes nothing."""
    found = problems(law, sweep=f"disorder.0.{key}: [0.1, 0.2]")
    assert len(found) == 1
    assert found[0].startswith("f.yaml:8:")


@pytest.mark.parametrize(
    ("law", "key", "message"),
    [
        ("{on: bonds, distribution: gaussian, sigma: 1.0}", "correlation_length", "has no correlation length"),
        ("{on: flux, distribution: uniform, width: 0.1}", "width", "1.5 is above the largest, 1"),
        ("{on: flux, distribution: gaussian, sigma: 0.1}", "sigma", "1.5 is above the largest, 1"),
        ("{distribution: vacancy, density: 0.1}", "density", "1.5 is not below 1"),
        ("{on: spins, exchange: 0.1}", "width", "'width' belongs to uniform; disorder on spins takes exchange"),
        ("{on: spins, exchange: 0.1}", "on", "cannot be swept"),
    ],
)
def test_a_sweep_keeps_to_what_the_law_is_on(law: str, key: str, message: str) -> None:
    """Seen to fail with the swept values checked by themselves alone."""
    (found,) = problems(law, sweep=f"disorder.0.{key}: [0.1, 1.5]")
    assert found.startswith("f.yaml:10:")
    assert message in found


def test_every_key_of_every_law_has_its_help() -> None:
    """Seen to fail with the help on fractions taken out."""
    assert {f"disorder.*.{key}" for law in LAWS for key in law_keys(law)} <= set(FIELDS)
