"""Statistics of bars: values against NumPy, and both error bars against repeated experiments."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_datasets import BATCHES, bar_dataset, batch_rates
from scipy.signal import lfilter

from mesogpu.analysis import samples
from mesogpu.analysis.bars import MANY_BARS, read_bars


def read_one(rates, **arguments):
    return next(read_bars(bar_dataset(rates, **arguments)))


def correlated_batches(generator, shape, *, cells, correlation):
    """Means over batches of a stationary process with mean 1, variance 1 and autocorrelation `correlation`^|i - j|."""
    start = generator.standard_normal((*shape, 1))
    noise = np.sqrt(1.0 - correlation**2) * generator.standard_normal((*shape, BATCHES * cells))
    process, _ = lfilter([1.0], [1.0, -correlation], noise, zi=correlation * start)
    return 1.0 + process.reshape(*shape, BATCHES, cells).mean(-1)


def test_values_and_both_errors_are_those_of_numpy():
    # Faults seen to fail it: the mean of the bars' errors for their root mean square; scatter over n, not n - 1.
    rates = batch_rates(np.random.default_rng(1), np.array([[0.02, 0.05]]), bars=40, slices=10**5)
    stored, bars = bar_dataset(rates), read_one(rates)
    exponents, errors = (stored[name].to_numpy()[0] for name in ("lyapunov_exponents", "lyapunov_errors"))
    drift = stored["lyapunov_drift"].to_numpy()[0, :, 0]
    np.testing.assert_allclose(bars.exponents.values, exponents.mean(0), rtol=1e-12)
    np.testing.assert_allclose(bars.exponents.between, exponents.std(0, ddof=1) / np.sqrt(40), rtol=1e-9)
    np.testing.assert_allclose(bars.exponents.within, np.sqrt((errors**2).sum(0)) / 40, rtol=1e-12)
    assert bars.drift.values[0] == pytest.approx(drift.mean())
    assert bars.drift.between[0] == pytest.approx(drift.std(ddof=1) / np.sqrt(40))
    assert bars.drift.within[0] == pytest.approx(2.0 * bars.exponents.within[0])
    ratio, scatter = bars.error_ratio
    assert ratio == pytest.approx(bars.exponents.between[0] / bars.exponents.within[0])
    assert scatter == pytest.approx(np.sqrt(1 / 78 + 1 / 2480))


def test_both_error_bars_cover_the_truth_two_times_in_three():
    # Correlated over a tenth of a batch, as where a batch is ten localization lengths.
    # Faults seen to fail it: sqrt(bars) left out of either; the drift within bars without its factor of two.
    draws, bars = 2000, 32
    rates = correlated_batches(np.random.default_rng(2), (draws, bars), cells=20, correlation=0.35)[..., None]
    found = list(read_bars(bar_dataset(rates)))
    for estimates, truth in (([f.exponents for f in found], 1.0), ([f.drift for f in found], 0.0)):
        distance = np.abs([each.values[0] - truth for each in estimates])
        for kind in ("between", "within"):
            covered = np.mean(distance <= [getattr(each, kind)[0] for each in estimates])
            assert 0.65 <= covered <= 0.71, kind


def test_the_ratio_of_the_errors_is_one_within_its_scatter():
    # Fault seen to fail it: the batches counted out of the scatter.
    for bars in (4, 16):
        rates = correlated_batches(np.random.default_rng(3), (1000, bars), cells=20, correlation=0.35)[..., None]
        ratios = [found.error_ratio for found in read_bars(bar_dataset(rates))]
        values, scatter = np.array(ratios).T
        # Correlation across the borders of batches makes the errors within bars 1 % too small, few bars skew the ratio.
        assert np.mean(values) == pytest.approx(1.0, abs=0.09 if bars == 4 else 0.03)
        assert np.std(values) == pytest.approx(scatter[0], rel=0.1)


def test_batches_that_are_too_short_show_in_the_ratio():
    rates = correlated_batches(np.random.default_rng(4), (1, 64), cells=4, correlation=0.9)[..., None]
    ratio, scatter = read_one(rates).error_ratio
    assert ratio > 1.0 + 5.0 * scatter


@pytest.mark.parametrize(("bars", "source"), [(1, "within"), (2, "larger"), (MANY_BARS - 1, "larger"), (16, "between")])
def test_the_error_comes_from_the_bars_where_there_are_enough(bars, source):
    # Fault seen to fail it: the error between two bars taken at its word.
    for seed in range(20):
        rates = batch_rates(np.random.default_rng(seed), np.array([[0.02]]), bars=bars, slices=10**5)
        found = read_one(rates).exponents
        between, within = float(found.between[0]), float(found.within[0])
        expected = {"within": within, "between": between, "larger": max(between, within)}[source]
        assert found.errors[0] == expected
        assert np.isnan(between) == (bars == 1)


def test_three_errors_are_three_errors_also_of_few_bars():
    # Fault seen to fail it: the error between bars alone, which 4 bars exceed threefold in 6 % of the draws.
    rates = batch_rates(np.random.default_rng(5), np.full((4000, 1), 0.02), bars=4, slices=10**5)
    distance = [abs(f.exponents.values[0] - 0.02) / f.exponents.errors[0] for f in read_bars(bar_dataset(rates))]
    assert np.mean(np.array(distance) > 3.0) < 0.005


def test_failed_and_missing_bars_are_left_out_and_counted():
    # Fault seen to fail it: failures counted but kept.
    rates = batch_rates(np.random.default_rng(6), np.array([[0.02, 0.04]]), bars=30, slices=10**5)
    status = np.zeros((1, 30), np.uint8)
    status[0, :3], status[0, 3:5], status[0, 5:7] = 17, 255, 1
    broken = rates.copy()
    broken[0, :3], broken[0, 3:5], broken[0, 7, :, 1] = 1e6, np.nan, np.inf
    ours, kept = read_one(broken, status=status), read_one(rates[:, [5, 6, *range(8, 30)]])
    assert (ours.used, ours.failed, ours.missing) == (24, 4, 2)
    np.testing.assert_allclose(ours.exponents.values, kept.exponents.values)
    np.testing.assert_allclose(ours.exponents.errors, kept.exponents.errors)
    assert ours.exponents.bars == 24


def test_points_with_fewer_exponents_are_read_without_their_padding():
    rates = batch_rates(np.random.default_rng(7), np.array([[0.02, 0.04], [0.03, np.nan]]), bars=20, slices=10**5)
    first, second = read_bars(bar_dataset(rates, channels=(2, 1)))
    assert (len(first.exponents.values), len(second.exponents.values)) == (2, 1)
    assert (second.used, second.failed) == (20, 0)


@pytest.mark.parametrize("chunk", [1, 37, 5000])
def test_statistics_do_not_depend_on_the_chunks(monkeypatch, chunk):
    rates = batch_rates(np.random.default_rng(8), np.array([[0.02, 0.04], [0.03, 0.05]]), bars=20, slices=10**5)
    expected = list(read_bars(bar_dataset(rates)))
    monkeypatch.setattr(samples, "CHUNK_VALUES", chunk)
    for ours, theirs in zip(read_bars(bar_dataset(rates)), expected, strict=True):
        np.testing.assert_allclose(ours.exponents.values, theirs.exponents.values, rtol=1e-12)
        np.testing.assert_allclose(ours.exponents.between, theirs.exponents.between, rtol=1e-8)
        np.testing.assert_allclose(ours.drift.between, theirs.drift.between, rtol=1e-8)
        assert ours.outlier == pytest.approx(theirs.outlier, rel=1e-6)


def test_normal_bars_are_outliers_as_rarely_as_is_said():
    # Faults seen to fail it: the tail taken on the other side; n - 1 for n.
    for bars in (5, 60):
        rates = batch_rates(np.random.default_rng(9), np.full((3000, 1), 0.02), bars=bars, slices=10**5)
        probabilities = np.array([found.outlier for found in read_bars(bar_dataset(rates))])
        assert np.mean(probabilities < 0.05) == pytest.approx(0.05, abs=0.014)


def test_one_bar_far_from_the_others_is_noticed():
    rates = batch_rates(np.random.default_rng(10), np.array([[0.02]]), bars=20, slices=10**5)
    assert read_one(rates).outlier > 1e-3
    rates[0, 13] += 0.05
    assert read_one(rates).outlier < 1e-6


@pytest.mark.parametrize("bars", [0, 1, 2])
def test_one_or_two_bars_cannot_be_outliers(bars):
    rates = batch_rates(np.random.default_rng(11), np.array([[0.02]]), bars=bars, slices=10**5)
    assert read_one(rates).outlier == 1.0
