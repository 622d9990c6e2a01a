"""Localized wires: xi comes back from correlated lengths, the rule leaves the short ones out, and slopes are theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import correlated_normal, dataset, strip_experiment
from scipy.stats import kstest

from mesogpu.analysis import analyze
from mesogpu.config.experiment import SweepAxis
from mesogpu.physics.closed_forms import golden_rule_mean_free_path

LENGTHS = (100, 200, 400, 600, 800)
XI = 80.0


def logarithms(generator, realizations, lengths=LENGTHS, xi=XI, bend=0.0, correlation=0.8):
    """ln g of wires: mean 1 - 2 L/xi, variance twice its fall, lengths correlated; bent upwards where short."""
    x = np.array(lengths)
    centre = 1.0 - 2.0 * x / xi + bend * np.exp(-x / xi)
    spread = np.sqrt(4.0 * x / xi)
    return centre[:, None] + spread[:, None] * correlated_normal(generator, realizations, len(x), correlation)


def record(numbers, lengths=LENGTHS, experiment=None):
    # Capped, so that no accident of a heavy tail looks like a conductor.
    results = dataset(
        np.exp(np.minimum(numbers, -0.7))[None], lengths=lengths, log_conductance=numbers[None], channels=7
    )
    experiment = experiment or strip_experiment(lengths=lengths, fluxes=(0.0,), width=10, disorder=2.0)
    summary = analyze(results, experiment=experiment)
    found = [each for each in summary["analyses"] if each["kind"] == "localization"]
    return found[0] if found else None


def test_xi_comes_back_and_p_values_are_uniform_over_correlated_lengths():
    # Faults seen to fail it: only the diagonal of the covariance used; xi = -L/slope.
    generator = np.random.default_rng(1)
    found = [record(logarithms(generator, 200)) for _ in range(200)]
    pulls = np.array([(each["results"][0]["value"] - XI) / each["results"][0]["error"] for each in found])
    assert {each["fit"]["window"] for each in found} == {"L = 400, 600, 800"}
    assert kstest([each["fit"]["p_value"] for each in found], "uniform").pvalue > 0.02
    assert abs(pulls.mean()) < 0.3
    assert pulls.std() == pytest.approx(1.0, abs=0.15)


def test_the_pre_asymptotic_part_is_left_out():
    # Fault seen to fail it: every length in the fit.
    found = record(logarithms(np.random.default_rng(2), 4000, bend=3.0))
    assert found["fit"]["window"] == "L = 400, 600, 800"
    assert abs(found["results"][0]["value"] - XI) < 3.0 * found["results"][0]["error"] + 0.2


def test_the_slope_of_the_variance_is_two_with_an_error_that_covers_it():
    generator = np.random.default_rng(3)
    found = [record(logarithms(generator, 300))["results"][1] for _ in range(200)]
    values, errors = (np.array([each[key] for each in found]) for key in ("value", "error"))
    assert values.mean() == pytest.approx(2.0, abs=4.0 * values.std() / 200**0.5)
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)
    # Shorter than 15 xi and from 300 samples, so an asymptote and no verdict.
    assert {each["theory"]["model_error"] for each in found} == {None}


def test_long_wires_of_many_samples_are_judged_by_the_slope_beyond_15_xi():
    # Fault seen to fail it: the slope taken from the first length of the fit.
    lengths = (400, 1300, 2000)
    found = record(logarithms(np.random.default_rng(4), 20_000, lengths), lengths)
    assert "between L = 1300 and 2000" in found["results"][1]["how"]
    assert found["results"][1]["theory"]["model_error"] == pytest.approx(0.1)
    assert abs(found["results"][1]["value"] - 2.0) < 0.1


def test_the_golden_rule_stands_beside_xi_where_no_length_gives_l():
    theory = record(logarithms(np.random.default_rng(5), 300))["results"][0]["theory"]
    assert theory["value"] == pytest.approx(8 * golden_rule_mean_free_path(10, energy=0.8, variance=4 / 12))
    assert theory["model_error"] is None


def test_a_sweep_over_the_length_with_streams_of_its_own_is_one_wire():
    numbers = logarithms(np.random.default_rng(6), 500, correlation=0.0)[:, None]
    results = dataset(
        np.exp(np.minimum(numbers, -0.7)),
        lengths=(0,),
        log_conductance=numbers,
        channels=7,
        parameters={"length": LENGTHS},
    )
    results["slices"] = (("point", "length"), np.array(LENGTHS, np.int32)[:, None])
    experiment = replace(
        strip_experiment(fluxes=(0.0,), width=10, disorder=2.0),
        sweep=(SweepAxis(("model.length",), tuple((length,) for length in LENGTHS)),),
        randomness="independent",
    )
    (found,) = [each for each in analyze(results, experiment=experiment)["analyses"] if each["kind"] == "localization"]
    assert found["curve"]["x"] == list(LENGTHS)
    assert abs(found["results"][0]["value"] - XI) < 4.0 * found["results"][0]["error"]


@pytest.mark.parametrize(
    ("lengths", "realizations", "remedy"),
    [((400,), 300, "model.length"), ((90, 140), 300, "record lengths beyond"), (LENGTHS, 3, "run more realizations")],
)
def test_what_is_missing_is_said_with_the_remedy(lengths, realizations, remedy):
    found = record(logarithms(np.random.default_rng(7), realizations, lengths), lengths)
    assert found["results"] == []
    assert remedy in found["missing"]


def test_a_wire_that_conducts_has_no_localization_to_report():
    assert record(logarithms(np.random.default_rng(8), 300, xi=1600.0)) is None
