"""Joint moments of correlated columns, streamed over realizations.

Every statistic here is a smooth function of sample means of powers, so its influence function is a linear combination
of theirs. The Gram matrix of the powers, gathered once, therefore holds the covariance of any two statistics that share
realizations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Moments:
    """Means of the features (x - shift)^k, k = 1 ... order, of every column x, and the covariance of those means.

    A column is one variable at one length or point. Features are numbered power by power: (k - 1) * columns + column.

    shifts        : (columns,) what was subtracted from each column; NaN where it has no sample
    minima        : (columns,)
    maxima        : (columns,)
    absolute_sums : (columns,) sum of |x|
    counts        : (columns,) samples in each column
    means         : (features,) NaN for a column without samples
    covariance    : (features, features) of the means; NaN for a column with fewer than two samples
    """

    shifts: NDArray[np.float64]
    minima: NDArray[np.float64]
    maxima: NDArray[np.float64]
    absolute_sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    means: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def feature(self, column: int, power: int) -> int:
        """Index of (x - shift)^power of a column among the features."""
        return (power - 1) * len(self.counts) + column


class MomentSums:
    """The running sums behind `Moments`; realizations arrive in chunks of any size.

    columns : number of columns
    order   : highest power; 2 gives means, variances and ratios their errors
    """

    def __init__(self, columns: int, order: int = 2) -> None:
        self._columns = columns
        self._order = order
        # The mean of a column's first samples: it keeps the sums free of cancellation, and changes nothing else.
        self._shifts = np.full(columns, np.nan)
        self._minima = np.full(columns, np.inf)
        self._maxima = np.full(columns, -np.inf)
        self._absolute = np.zeros(columns)
        self._shared = np.zeros((columns, columns))
        self._sums = np.zeros((order * columns, columns))
        self._products = np.zeros((order * columns, order * columns))

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in a chunk of realizations.

        values : (columns, realizations) float64, finite, or NaN for a sample left out of that column
        """
        present = ~np.isnan(values)
        new = np.isnan(self._shifts) & present.any(axis=1)
        if new.any():
            self._shifts[new] = np.nanmean(values[new], axis=1)
        self._minima = np.fmin(self._minima, np.fmin.reduce(values, axis=1, initial=np.inf))
        self._maxima = np.fmax(self._maxima, np.fmax.reduce(values, axis=1, initial=-np.inf))
        self._absolute += np.nansum(np.abs(values), axis=1)
        features = self._features(values, present)
        self._products += features @ features.T
        if present.all():
            self._shared += values.shape[1]
            self._sums += features.sum(axis=1)[:, None]
        else:
            weights = present.astype(np.float64)
            self._shared += weights @ weights.T
            self._sums += features @ weights.T

    def _features(self, values: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Powers of the shifted values, zero where a sample is left out: (order * columns, realizations)."""
        powers = np.empty((self._order, *values.shape))
        np.subtract(values, np.nan_to_num(self._shifts)[:, None], out=powers[0])
        powers[0][~present] = 0.0
        for power in range(1, self._order):
            np.multiply(powers[power - 1], powers[0], out=powers[power])
        return powers.reshape(self._order * self._columns, -1)

    def moments(self) -> Moments:
        """Means and their covariance from what has been taken in.

        cov(a, b) = sum_i psi_a(i) psi_b(i) / sqrt(n_a (n_a - 1) n_b (n_b - 1)), psi = feature - mean

        The sum runs over the samples that both columns have.
        """
        owner = np.tile(np.arange(self._columns), self._order)
        counts = np.diag(self._shared)
        means = self._sums[np.arange(len(owner)), owner] / np.where(counts > 0, counts, np.nan)[owner]
        crossed = self._sums[:, owner] * means[None, :]
        gram = self._products - crossed - crossed.T + np.outer(means, means) * self._shared[np.ix_(owner, owner)]
        scale = np.sqrt(np.where(counts > 1, counts * (counts - 1.0), np.nan))[owner]
        return Moments(
            shifts=self._shifts,
            minima=self._minima,
            maxima=self._maxima,
            absolute_sums=self._absolute,
            counts=counts.astype(np.int64),
            means=means,
            covariance=gram / np.outer(scale, scale),
        )
