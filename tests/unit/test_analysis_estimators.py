"""Estimators against NumPy and brute-force resampling, and their error bars against repeated experiments."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_datasets import correlated_normal

from mesogpu.analysis.estimators import covariance, mean, ratio_of_means, standard_errors, variance
from mesogpu.analysis.moments import MomentSums


def moments_of(columns, chunk=10**9):
    sums = MomentSums(len(columns))
    for start in range(0, columns.shape[1], chunk):
        sums.add(columns[:, start : start + chunk])
    return sums.moments()


def delete_one_jackknife(estimate, columns):
    """Standard error from all samples but one, by brute force."""
    count = columns.shape[1]
    values = np.array([estimate(np.delete(columns, k, axis=1)) for k in range(count)])
    return np.sqrt((count - 1) / count * np.sum((values - values.mean()) ** 2))


def test_mean_variance_and_ratio_are_those_of_numpy():
    columns = 3.0 + np.random.default_rng(1).standard_normal((3, 57))
    moments = moments_of(columns, chunk=10)
    for column in range(3):
        assert mean(moments, column).value == pytest.approx(columns[column].mean(), rel=1e-13)
        assert variance(moments, column).value == pytest.approx(columns[column].var(ddof=1), rel=1e-12)
    assert ratio_of_means(moments, 0, 2).value == pytest.approx(columns[0].mean() / columns[2].mean(), rel=1e-13)


def test_statistics_do_not_depend_on_the_chunks():
    columns = np.exp(np.random.default_rng(2).standard_normal((4, 1000)))
    columns[1, ::7] = np.nan
    whole, pieces = moments_of(columns), moments_of(columns, chunk=33)
    for moments_whole, moments_pieces in ((mean, mean), (variance, variance)):
        a = [moments_whole(whole, k) for k in range(4)]
        b = [moments_pieces(pieces, k) for k in range(4)]
        np.testing.assert_allclose([s.value for s in a], [s.value for s in b], rtol=1e-12)
        np.testing.assert_allclose(covariance(whole, a), covariance(pieces, b), rtol=1e-9)


def test_a_large_offset_costs_no_digits_of_the_variance():
    # Fault seen to fail it: no shift by the first chunk's mean.
    numbers = np.random.default_rng(3).standard_normal((1, 4000))
    small, large = variance(moments_of(numbers), 0), variance(moments_of(numbers + 1e6, chunk=100), 0)
    assert large.value == pytest.approx(small.value, rel=1e-9)


def test_error_of_the_mean_is_exactly_the_jackknife():
    columns = np.random.default_rng(4).exponential(size=(1, 40))
    moments = moments_of(columns)
    error = standard_errors(moments, [mean(moments, 0)])[0]
    assert error == pytest.approx(delete_one_jackknife(lambda c: c[0].mean(), columns), rel=1e-12)


@pytest.mark.parametrize(
    ("statistic", "estimate"),
    [
        (lambda m: variance(m, 0), lambda c: c[0].var(ddof=1)),
        (lambda m: ratio_of_means(m, 0, 1), lambda c: c[0].mean() / c[1].mean()),
    ],
    ids=["variance", "ratio"],
)
def test_error_of_variance_and_ratio_is_near_the_jackknife(statistic, estimate):
    # Fault seen to fail it: the ratio's denominator taken as exact.
    columns = 4.0 + correlated_normal(np.random.default_rng(5), 600, 2, 0.7)
    moments = moments_of(columns)
    error = standard_errors(moments, [statistic(moments)])[0]
    assert error == pytest.approx(delete_one_jackknife(estimate, columns), rel=0.01)


def test_covariance_of_means_is_the_sample_covariance():
    columns = correlated_normal(np.random.default_rng(6), 500, 4, 0.8)
    moments = moments_of(columns, chunk=77)
    expected = np.cov(columns) / columns.shape[1]
    np.testing.assert_allclose(covariance(moments, [mean(moments, k) for k in range(4)]), expected, rtol=1e-11)


def test_covariance_between_statistics_is_that_of_repeated_experiments():
    generator = np.random.default_rng(8)
    draws, predicted = [], np.zeros((3, 3))
    for _ in range(3000):
        columns = 5.0 + correlated_normal(generator, 50, 2, 0.8)
        moments = moments_of(columns)
        statistics = [mean(moments, 0), variance(moments, 1), ratio_of_means(moments, 0, 1)]
        draws.append([statistic.value for statistic in statistics])
        predicted += covariance(moments, statistics) / 3000
    observed = np.cov(np.array(draws).T)
    scale = np.sqrt(np.outer(np.diag(observed), np.diag(observed)))
    np.testing.assert_allclose(predicted / scale, observed / scale, atol=0.08)


def test_samples_left_out_are_as_if_they_were_never_drawn():
    columns = correlated_normal(np.random.default_rng(8), 300, 2, 0.8)
    holed = columns.copy()
    holed[:, 40:90] = np.nan
    kept = np.delete(columns, slice(40, 90), axis=1)
    a, b = moments_of(holed, chunk=64), moments_of(kept)
    for statistics in (mean, variance):
        ours, theirs = [statistics(a, k) for k in range(2)], [statistics(b, k) for k in range(2)]
        np.testing.assert_allclose([s.value for s in ours], [s.value for s in theirs], rtol=1e-12)
        np.testing.assert_allclose(covariance(a, ours), covariance(b, theirs), rtol=1e-9)
    assert a.counts.tolist() == [250, 250]


def test_samples_missing_at_one_length_keep_the_covariance_positive():
    generator = np.random.default_rng(9)
    columns = correlated_normal(generator, 60, 5, 0.99)
    columns[generator.random(columns.shape) < 0.3] = np.nan
    moments = moments_of(columns)
    matrix = covariance(moments, [mean(moments, k) for k in range(5)])
    assert np.linalg.eigvalsh(matrix).min() > 0.0
    for k in range(5):
        kept = columns[k][~np.isnan(columns[k])]
        assert matrix[k, k] == pytest.approx(kept.var(ddof=1) / len(kept), rel=1e-12)


def test_one_sample_has_a_mean_and_no_error():
    moments = moments_of(np.array([[2.5], [np.nan]]))
    statistics = [mean(moments, 0), variance(moments, 0), mean(moments, 1), ratio_of_means(moments, 1, 0)]
    assert statistics[0].value == 2.5
    assert np.isnan([statistic.value for statistic in statistics[1:]]).all()
    assert np.isnan(standard_errors(moments, statistics)).all()


def test_an_empty_column_spoils_no_other():
    columns = np.vstack([np.random.default_rng(10).standard_normal(30), np.full(30, np.nan)])
    moments = moments_of(columns)
    errors = standard_errors(moments, [mean(moments, 0), mean(moments, 1)])
    assert errors[0] == pytest.approx(columns[0].std(ddof=1) / np.sqrt(30))
    assert np.isnan(errors[1])


def test_constant_data_have_zero_variance_and_zero_error():
    moments = moments_of(np.full((1, 100), 12.3456789), chunk=7)
    statistics = [mean(moments, 0), variance(moments, 0)]
    assert statistics[0].value == pytest.approx(12.3456789, rel=1e-15)
    np.testing.assert_allclose(standard_errors(moments, statistics), 0.0, atol=1e-14)
    assert statistics[1].value == pytest.approx(0.0, abs=1e-28)


def test_a_sample_that_carries_more_than_two_percent_is_reported():
    # Fault seen to fail it: the share measured from zero instead of from the mean.
    generator = np.random.default_rng(11)
    calm = moments_of(10.0 + generator.standard_normal((1, 4000)))
    assert mean(calm, 0).reliable
    assert variance(calm, 0).reliable
    heavy = moments_of(np.exp(2.0 * generator.standard_normal((1, 4000))))
    assert not variance(heavy, 0).reliable
    outlier = np.full((1, 4000), 10.0)
    outlier[0] += 0.01 * generator.standard_normal(4000)
    outlier[0, 17] += 1.0
    assert mean(moments_of(outlier), 0).reliable
    assert not variance(moments_of(outlier), 0).reliable
    assert not mean(moments_of(np.array([[1.0] * 20])), 0).reliable


@pytest.mark.parametrize("law", ["normal", "log-normal"])
def test_error_bars_cover_the_truth_as_often_as_they_claim(law):
    # Fault seen to fail it: every error bar 6 % too long.
    generator = np.random.default_rng(20261120)
    draws, realizations, lengths = 4000, 500 if law == "normal" else 2000, 3
    truths = {
        "normal": (5.0, 0.36**2, 0.34),
        "log-normal": (np.exp(0.05), np.exp(0.1) * (np.exp(0.1) - 1.0), 0.34),
    }
    truth = np.repeat(truths[law], lengths)
    hits = np.zeros(3 * lengths)
    for _ in range(draws):
        numbers = correlated_normal(generator, realizations, lengths, 0.8)
        conductance = 5.0 + 0.36 * numbers if law == "normal" else np.exp(np.sqrt(0.1) * numbers)
        noise = 0.34 * conductance + 0.1 * generator.standard_normal(numbers.shape)
        moments = moments_of(np.concatenate([conductance, noise]))
        statistics = [mean(moments, k) for k in range(lengths)]
        statistics += [variance(moments, k) for k in range(lengths)]
        statistics += [ratio_of_means(moments, lengths + k, k) for k in range(lengths)]
        values = np.array([statistic.value for statistic in statistics])
        hits += np.abs(values - truth) <= standard_errors(moments, statistics)
    coverage = hits / draws
    assert coverage.min() > 0.65, coverage
    assert coverage.max() < 0.71, coverage
