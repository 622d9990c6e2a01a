"""Correlation functions: the width that the samples were made with comes back, with an honest error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import dataset, strip_experiment

from mesogpu.analysis import analyze, correlation
from mesogpu.analysis.correlation import curve_and_width
from mesogpu.analysis.jackknife import GroupedSums
from mesogpu.config.experiment import SweepAxis

STEPS = np.arange(13)
WIDTH = 0.02
"""C(d) = exp(-ln 2 (d / WIDTH)^2): half at WIDTH."""


def field(generator, x, realizations, width=WIDTH):
    """g at every x, normal, with that correlation."""
    matrix = np.exp(-np.log(2.0) * (np.subtract.outer(x, x) / width) ** 2)
    root = np.linalg.cholesky(matrix + 1e-9 * np.eye(len(x)))
    return 4.0 + 0.36 * root @ generator.standard_normal((len(x), realizations))


def summary(conductance, x, axis="energy", randomness="common", lengths=(240,)):
    experiment = strip_experiment(lengths=lengths, fluxes=(0.0,))
    sweep = (SweepAxis((axis,), tuple((value,) for value in x)),)
    results = dataset(conductance, lengths=lengths, parameters={axis: x})
    return analyze(results, experiment=replace(experiment, sweep=sweep, randomness=randomness))


def record(*arguments, **options):
    (found,) = [each for each in summary(*arguments, **options)["analyses"] if each["kind"] == "correlation"]
    return found


def test_the_correlation_energy_comes_back_with_an_error_that_covers_it():
    # Fault seen to fail it: the jackknife's factor (G - 1)/G left as 1/G.
    x = 0.5 + 0.005 * STEPS
    generator, found = np.random.default_rng(1), []
    for _ in range(150):
        sums = GroupedSums(len(x), 400)
        sums.add(field(generator, x, 400))
        found.append([numbers[-1] for numbers in curve_and_width(x, sums)[1:]])
    values, errors = np.array(found).T
    # Straight lines between steps may move it by a fraction of its error.
    assert values.mean() == pytest.approx(WIDTH, abs=0.5 * errors.mean())
    assert errors.mean() == pytest.approx(values.std(), rel=0.2)
    assert np.mean(np.abs(values - WIDTH) < errors) == pytest.approx(0.683, abs=0.13)


def test_the_curve_is_one_at_zero_and_the_covariance_of_numpy():
    # Fault seen to fail it: the covariance over the variance of one point of each pair.
    x = 0.5 + 0.005 * STEPS
    conductance = field(np.random.default_rng(2), x, 300)
    found = record(conductance[:, None], x)
    series = found["curve"]["series"][0]
    matrix = np.cov(conductance)
    assert found["curve"]["x"] == pytest.approx((0.005 * STEPS).tolist())
    assert (series["value"][0], series["error"][0]) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))
    expected = 2 * np.diag(matrix, 3).sum() / (np.diag(matrix)[3:] + np.diag(matrix)[:-3]).sum()
    assert series["value"][3] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("spacing", "remedy"), [(0.0005, "wider range"), (0.1, "more finely")])
def test_a_sweep_too_narrow_or_too_coarse_says_so(spacing, remedy):
    x = 0.5 + spacing * STEPS
    assert remedy in record(field(np.random.default_rng(3), x, 300)[:, None], x)["missing"]


def test_only_fluxes_that_break_time_reversal_enter():
    x = np.concatenate([[0.0, 1e-4], 0.004 + 0.0005 * np.arange(8)])
    found = record(field(np.random.default_rng(4), x, 300, width=0.001)[:, None], x, axis="flux")
    assert len(found["curve"]["x"]) == 8
    assert found["results"][0]["value"] == pytest.approx(0.001, rel=0.1)


def test_a_sweep_that_was_not_made_for_it_is_not_told_that_it_lacks_a_correlation():
    # Fault seen to fail it: a record that says what is missing wherever there are four fluxes.
    x = np.concatenate([[0.0, 1e-4], 0.004 + 0.0005 * np.arange(8)])
    few = summary(field(np.random.default_rng(4), x[:5], 300, width=0.001)[:, None], x[:5], axis="flux")
    x = 0.5 + 0.005 * STEPS
    apart = summary(field(np.random.default_rng(5), x, 50)[:, None], x, randomness="independent")
    assert not [each for found in (few, apart) for each in found["analyses"] if each["kind"] == "correlation"]


def test_a_very_long_sweep_says_which_points_its_correlation_is_of(monkeypatch):
    monkeypatch.setattr(correlation, "MOST_POINTS", 8)
    x = 0.5 + 0.005 * STEPS
    found = record(field(np.random.default_rng(6), x, 300)[:, None], x)
    assert len(found["curve"]["x"]) == 8
    assert found["words"] == "from the first 8 of 13 points"
    assert found["words"] in found["results"][0]["how"]


def test_one_realization_says_what_is_missing():
    x = 0.5 + 0.005 * STEPS
    assert "let the run go on" in record(field(np.random.default_rng(6), x, 1)[:, None], x)["missing"]


def test_grouped_errors_do_not_depend_on_chunks_and_leave_failed_samples_out():
    columns = np.random.default_rng(7).standard_normal((3, 1000))
    columns[1, ::9] = np.nan
    whole, pieces = GroupedSums(3, 1000), GroupedSums(3, 1000)
    whole.add(columns)
    for start in range(0, 1000, 37):
        pieces.add(columns[:, start : start + 37])
    kept = columns[:, ~np.isnan(columns[1])]
    assert whole.samples == pieces.samples == kept.shape[1]
    np.testing.assert_allclose(whole.covariance(), np.cov(kept), rtol=1e-10)
    for a, b in zip(whole.estimate(np.diag), pieces.estimate(np.diag), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
