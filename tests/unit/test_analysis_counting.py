"""Higher cumulants of g and of the current, and the density of transmission eigenvalues."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import dataset, strip_experiment
from scipy.integrate import quad
from scipy.stats import kstat

from mesogpu.analysis import analyze
from mesogpu.analysis.counting import current_cumulants
from mesogpu.analysis.estimators import fourth_cumulant, standard_errors, third_cumulant
from mesogpu.analysis.moments import MomentSums
from mesogpu.physics.closed_forms import DIFFUSIVE_CURRENT_CUMULANTS


def moments_of(columns):
    sums = MomentSums(len(columns), order=4)
    sums.add(columns)
    return sums.moments()


def test_cumulants_are_the_k_statistics_of_scipy():
    # Fault seen to fail it: 3 m_2^2 without its factor (n - 1).
    columns = 5.0 + np.random.default_rng(1).gamma(2.0, size=(2, 60))
    for column, moments in ((k, moments_of(columns)) for k in range(2)):
        assert third_cumulant(moments, column).value == pytest.approx(kstat(columns[column], 3), rel=1e-10)
        assert fourth_cumulant(moments, column).value == pytest.approx(kstat(columns[column], 4), rel=1e-9)


def test_errors_of_cumulants_are_the_jackknife_and_cover_the_truth():
    columns = np.random.default_rng(2).gamma(9.0, size=(1, 400))
    moments = moments_of(columns)
    for order, statistic in ((3, third_cumulant), (4, fourth_cumulant)):
        left_out = np.array([kstat(np.delete(columns[0], k), order) for k in range(400)])
        jackknife = math.sqrt(399 / 400 * np.sum((left_out - left_out.mean()) ** 2))
        assert standard_errors(moments, [statistic(moments, 0)])[0] == pytest.approx(jackknife, rel=0.03)
    # Normal numbers: both cumulants vanish.
    draws = np.random.default_rng(3).standard_normal((2000, 400))
    for statistic in (third_cumulant, fourth_cumulant):
        inside = 0
        for batch in np.array_split(draws, 200):
            moments = moments_of(batch)
            found = [statistic(moments, k) for k in range(len(batch))]
            inside += np.sum(np.abs([each.value for each in found]) <= standard_errors(moments, found))
        assert 0.63 < inside / len(draws) < 0.72


def test_a_fourth_cumulant_that_one_sample_makes_is_not_to_be_trusted():
    calm, heavy = np.random.default_rng(4).uniform(size=(1, 2000)), np.random.default_rng(4).pareto(3.0, size=(1, 2000))
    assert fourth_cumulant(moments_of(calm), 0).reliable
    assert not fourth_cumulant(moments_of(heavy), 0).reliable
    assert not third_cumulant(moments_of(heavy), 0).reliable


def test_current_cumulants_are_those_of_the_binomial_law():
    for t in (0.0, 0.3, 0.8, 1.0):
        h = 1e-2
        s = np.arange(-4, 5) * h
        generating = np.polynomial.Polynomial.fit(s, np.log1p(t * np.expm1(s)), 8)
        expected = [generating.deriv(k)(0.0) for k in (1, 2, 3, 4)]
        np.testing.assert_allclose(current_cumulants(np.array([t])), expected, atol=1e-6)


def test_dorokhovs_density_has_the_asymptotic_cumulants():
    # x is evenly spread, T = 1/cosh^2 x.
    numbers = [quad(lambda x, k=k: current_cumulants(np.array([np.cosh(x) ** -2]))[k], 0, 40)[0] for k in range(4)]
    for order, value in DIFFUSIVE_CURRENT_CUMULANTS.items():
        assert numbers[order - 1] / numbers[0] == pytest.approx(value, rel=1e-9)


def wire(generator, *, channels=84, s=12.0, realizations=600):
    """Eigenvalues evenly spread over x up to 1 + s, one random shift a realization."""
    x = (np.arange(channels) + generator.random((realizations, 1))) * (1.0 + s) / channels
    return np.cosh(x) ** -2.0


def records(flux=0.006, recorded=True, **options):
    t = wire(np.random.default_rng(5), **options)
    g, noise = t.sum(1), (t * (1 - t)).sum(1)
    results = dataset(g[None, None], lengths=(480,), shot_noise=noise[None, None], channels=t.shape[1])
    if recorded:
        results["transmission_eigenvalues"] = (("point", "length", "realization", "channel"), t[None, None])
    experiment = replace(strip_experiment(lengths=(480,), fluxes=(flux,), width=120), flux=flux)
    summary = analyze(results, experiment=experiment)
    return summary, {record["kind"]: record for record in summary["analyses"]}


def test_a_diffusive_wire_shows_its_third_cumulant_and_is_judged_at_beta_2():
    summary, found = records(flux=0.002)
    numbers = {result["name"]: result for result in found["current_cumulants"]["results"]}
    assert numbers["fano"]["value"] == pytest.approx(1 / 3, rel=0.02)
    assert numbers["fano"]["value"] == pytest.approx(summary["points"][0]["fano"]["value"], rel=1e-12)
    assert numbers["third_current_cumulant"]["value"] == pytest.approx(1 / 15, rel=0.05)
    assert numbers["fourth_current_cumulant"]["theory"]["model_error"] is None
    assert "third_current_cumulant" in {c["what"] for c in summary["checks"]}
    assert "third_current_cumulant" not in {c["what"] for c in records(flux=0.0)[0]["checks"]}


def test_the_density_is_flat_where_dorokhov_has_it_flat():
    # Fault seen to fail it: padding counted into the last bin.
    summary, found = records(flux=0.0)
    curve = found["transmission_density"]["curve"]
    series, line = curve["series"][0], curve["theory"][0]
    g = summary["points"][0]["conductance_mean"]["value"]
    np.testing.assert_allclose(series["value"], 84 / 13.0, rtol=0.1)
    assert line["value"][0] == pytest.approx(g, rel=0.15)
    ratios = [result["value"] for result in found["transmission_density"]["results"]]
    assert ratios == pytest.approx([2 / 3, 8 / 15], rel=0.02)


def test_noise_without_eigenvalues_says_how_to_get_them():
    _, found = records(recorded=False)
    assert "observables: [transmission_eigenvalues]" in found["current_cumulants"]["missing"]
