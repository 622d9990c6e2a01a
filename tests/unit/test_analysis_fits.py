"""Fits to correlated data: the parameters come back, and the p-values mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_datasets import correlated_normal, dataset, strip_experiment
from scipy.stats import kstest

from mesogpu.analysis import analyze
from mesogpu.analysis.fits import fit_correlated
from mesogpu.errors import PhysicsError
from mesogpu.physics.closed_forms import mean_conductance

LENGTHS = (60, 90, 120, 180, 240)


def wires(generator, realizations, mean_free_path=24.0):
    """<g>(L) exactly on the one-l curve, lengths correlated."""
    curve = mean_conductance(np.array(LENGTHS), channels=21, mean_free_path=mean_free_path, beta=1)
    return curve[:, None] + 0.36 * correlated_normal(generator, realizations, len(LENGTHS), 0.8)


def one_l_fit(conductance):
    results = dataset(conductance[None], lengths=LENGTHS)
    experiment = strip_experiment(lengths=LENGTHS, fluxes=(0.0,), disorder=1.4)
    return analyze(results, experiment=experiment)["fits"]["one_l"][0]


@pytest.mark.parametrize("realizations", [25, 300])
def test_p_values_of_the_one_l_fit_are_uniform_and_l_is_recovered(realizations):
    # Faults seen to fail it: only the diagonal of the covariance used; the chi-square law instead of Hotelling's.
    generator = np.random.default_rng(31)
    fits = [one_l_fit(wires(generator, realizations)) for _ in range(200)]
    p_values = [fit["p_value"] for fit in fits]
    pulls = np.array([(fit["l"]["value"] - 24.0) / fit["l"]["error"] for fit in fits])
    assert all(fit["lengths_used"] == list(LENGTHS) for fit in fits)
    assert kstest(p_values, "uniform").pvalue > 0.02
    assert abs(pulls.mean()) < 4.0 * pulls.std() / np.sqrt(len(pulls))
    if realizations > 100:
        assert pulls.std() == pytest.approx(1.0, abs=0.12)


def test_the_rule_leaves_out_short_and_localized_lengths():
    lengths = (10, 40, 80, 160, 4000)
    curve = np.asarray(mean_conductance(np.array(lengths), channels=21, mean_free_path=40.0, beta=1))
    conductance = np.maximum(curve, 0.3)[:, None] + 0.01 * np.random.default_rng(5).standard_normal((5, 500))
    results = dataset(conductance[None], lengths=lengths)
    fit = analyze(results, experiment=strip_experiment(lengths=lengths, fluxes=(0.0,)))["fits"]["one_l"][0]
    # L = 10 is shorter than wide, 40 shorter than 1.5 l, 4000 beyond <g> = 1.2.
    assert fit["lengths_used"] == [80, 160]
    assert [item["length"] for item in fit["per_length"]] == [40, 80, 160]
    assert fit["l"]["value"] == pytest.approx(40.0, rel=0.005)


def test_drift_is_found_where_one_length_leaves_the_curve():
    conductance = wires(np.random.default_rng(6), 4000)
    conductance[2] *= 1.2
    results = dataset(conductance[None], lengths=LENGTHS)
    summary = analyze(results, experiment=strip_experiment(lengths=LENGTHS, fluxes=(0.0,), disorder=1.4))
    verdict = next(check for check in summary["checks"] if check["what"] == "one_l")
    assert verdict["where"]["length"] == 120
    assert verdict["agrees"] is False
    assert summary["fits"]["one_l"][0]["p_value"] < 1e-6


def test_straight_line_through_correlated_points_is_recovered_exactly_without_scatter():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    matrix = 0.01 * (0.2 * np.eye(4) + 0.8)
    fit = fit_correlated(lambda p: p[0] + p[1] * x, 1.5 - 0.5 * x, matrix, start=[1.0, 1.0], samples=1000)
    np.testing.assert_allclose(fit.parameters, [1.5, -0.5], atol=1e-8)
    design = np.stack([np.ones(4), x])
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(design @ np.linalg.inv(matrix) @ design.T), rtol=1e-6)
    assert fit.degrees_of_freedom == 2
    assert fit.p_value == pytest.approx(1.0)


def test_a_fit_without_enough_information_is_refused_with_the_remedy():
    with pytest.raises(PhysicsError, match="run more realizations"):
        fit_correlated(lambda p: p * np.ones(3), np.ones(3), np.eye(3), start=[1.0], samples=4)
    with pytest.raises(PhysicsError, match="singular"):
        fit_correlated(lambda p: p * np.ones(3), np.ones(3), np.ones((3, 3)), start=[1.0], samples=400)
    with pytest.raises(PhysicsError, match="singular"):
        fit_correlated(lambda p: p * np.ones(3), np.ones(3), np.diag([1.0, 0.0, 1.0]), start=[1.0], samples=400)


def test_data_that_lead_a_fit_out_of_its_model_are_refused():
    # Fault seen to fail it: NaN handed to the solver, which ended in a traceback.
    with pytest.raises(PhysicsError, match="no value"):
        fit_correlated(lambda p: np.log(p) * np.ones(3), np.full(3, -1e4), np.eye(3), start=[1.0], samples=400)
