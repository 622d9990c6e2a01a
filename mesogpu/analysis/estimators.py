"""Mean, variance, higher cumulants, ratio of means: their influence on the error, and when one sample rules it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.moments import Moments

HEAVY_SHARE = 0.02
"""Share of a sum carried by one sample above which an error bar is not to be trusted."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number estimated from `Moments`, and how it moves with them.

    value    : the estimate, NaN where there are too few samples
    gradient : (features,) its derivative with respect to the features' means
    reliable : whether no single sample carries more than 2 % of the sums it is made of
    """

    value: float
    gradient: NDArray[np.float64]
    reliable: bool


def mean(moments: Moments, column: int) -> Statistic:
    """Sample mean of a column."""
    feature = moments.feature(column, 1)
    gradient = np.zeros(len(moments.means))
    gradient[feature] = 1.0
    return Statistic(float(moments.shifts[column] + moments.means[feature]), gradient, _sum_is_shared(moments, column))


def variance(moments: Moments, column: int) -> Statistic:
    """Unbiased sample variance of a column.

    sum (x - <x>)^2 / (n - 1)
    """
    means, count = moments.means, int(moments.counts[column])
    first, second = moments.feature(column, 1), moments.feature(column, 2)
    gradient = np.zeros(len(means))
    if count < 2:
        return Statistic(float("nan"), gradient, False)
    unbiased = count / (count - 1.0)
    gradient[first], gradient[second] = -2.0 * means[first] * unbiased, unbiased
    value = max(0.0, float(means[second] - means[first] ** 2) * unbiased)
    centre = float(moments.shifts[column] + means[first])
    farthest = max(float(moments.maxima[column]) - centre, centre - float(moments.minima[column]))
    reliable = farthest**2 <= HEAVY_SHARE * value * (count - 1)
    return Statistic(value, gradient, reliable)


def ratio_of_means(moments: Moments, numerator: int, denominator: int) -> Statistic:
    """Ratio of the means of two columns.

    <x> / <y>
    """
    above, below = mean(moments, numerator), mean(moments, denominator)
    if below.value == 0.0 or math.isnan(below.value):
        return Statistic(float("nan"), np.zeros_like(below.gradient), False)
    value = above.value / below.value
    gradient = (above.gradient - value * below.gradient) / below.value
    return Statistic(value, gradient, above.reliable and below.reliable)


def third_cumulant(moments: Moments, column: int) -> Statistic:
    """Unbiased third cumulant of a column.

    n / ((n - 1)(n - 2)) sum (x - <x>)^3
    """
    count = int(moments.counts[column])
    if count < 3:
        return _unknown(moments)
    m, central, gradients = _central(moments, column)
    unbiased = count**2 / ((count - 1.0) * (count - 2.0))
    return Statistic(unbiased * central[3], unbiased * gradients[3], _fourth_is_shared(moments, column, m, central))


def fourth_cumulant(moments: Moments, column: int) -> Statistic:
    """Unbiased fourth cumulant of a column.

    n^2 [(n + 1) m_4 - 3 (n - 1) m_2^2] / ((n - 1)(n - 2)(n - 3)), m_k central moments

    source : Kendall & Stuart, The Advanced Theory of Statistics, vol. 1, ch. 12
    """
    count = int(moments.counts[column])
    if count < 4:
        return _unknown(moments)
    m, central, gradients = _central(moments, column)
    scale = count**2 / ((count - 1.0) * (count - 2.0) * (count - 3.0))
    value = scale * ((count + 1.0) * central[4] - 3.0 * (count - 1.0) * central[2] ** 2)
    gradient = scale * ((count + 1.0) * gradients[4] - 6.0 * (count - 1.0) * central[2] * gradients[2])
    return Statistic(value, gradient, _fourth_is_shared(moments, column, m, central))


def _unknown(moments: Moments) -> Statistic:
    return Statistic(float("nan"), np.zeros(len(moments.means)), False)


def _central(moments: Moments, column: int) -> tuple[float, dict[int, float], dict[int, NDArray[np.float64]]]:
    """The shifted mean of a column, its central moments of order 2 to 4, and their gradients."""
    index = [moments.feature(column, power) for power in (1, 2, 3, 4)]
    m, second, third, fourth = (float(moments.means[k]) for k in index)
    central = {
        2: second - m**2,
        3: third - 3.0 * m * second + 2.0 * m**3,
        4: fourth - 4.0 * m * third + 6.0 * m**2 * second - 3.0 * m**4,
    }
    slopes = {
        2: (-2.0 * m, 1.0, 0.0, 0.0),
        3: (6.0 * m**2 - 3.0 * second, -3.0 * m, 1.0, 0.0),
        4: (12.0 * m * second - 4.0 * third - 12.0 * m**3, 6.0 * m**2, -4.0 * m, 1.0),
    }
    gradients = {}
    for power, slope in slopes.items():
        gradients[power] = np.zeros(len(moments.means))
        gradients[power][index] = slope
    return m, central, gradients


def _fourth_is_shared(moments: Moments, column: int, m: float, central: dict[int, float]) -> bool:
    """Whether no sample carries more than its share of the sum of fourth powers, the stricter of the two sums."""
    centre = float(moments.shifts[column]) + m
    farthest = max(float(moments.maxima[column]) - centre, centre - float(moments.minima[column]))
    return bool(farthest**4 <= HEAVY_SHARE * central[4] * float(moments.counts[column]))


def covariance(moments: Moments, statistics: Sequence[Statistic]) -> NDArray[np.float64]:
    """Covariance matrix of statistics of the same moments, by the infinitesimal jackknife.

    cov(a, b) = sum_i psi_a(i) psi_b(i) / (n (n - 1)), psi the influence of sample i

    returns : (statistics, statistics) float64; NaN for a statistic with fewer than two samples
    source  : Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982), ch. 6
    """
    gradients = np.array([statistic.gradient for statistic in statistics])
    unknown = np.isnan(np.diag(moments.covariance))
    matrix = gradients @ np.where(unknown[:, None] | unknown[None, :], 0.0, moments.covariance) @ gradients.T
    undefined = (gradients[:, unknown] != 0.0).any(axis=1) | ~np.isfinite([s.value for s in statistics])
    matrix[undefined, :] = matrix[:, undefined] = np.nan
    return np.asarray(matrix)


def standard_errors(moments: Moments, statistics: Sequence[Statistic]) -> NDArray[np.float64]:
    """One standard error of each statistic, (statistics,); NaN where there are fewer than two samples."""
    return np.sqrt(np.maximum(np.diag(covariance(moments, statistics)), 0.0))


def _sum_is_shared(moments: Moments, column: int) -> bool:
    largest = max(abs(float(moments.maxima[column])), abs(float(moments.minima[column])))
    return largest <= HEAVY_SHARE * float(moments.absolute_sums[column])
