"""Second moments of many columns by groups of realizations: errors of anything made of them, however it is made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MOST_GROUPS = 100
"""Groups at most: an error is then known to 7 %, which takes nothing from what it covers."""

FEWEST_GROUPS = 20
BUDGET = 2**23
"""Numbers held for all groups together, 64 MB."""


class GroupedSums:
    """Counts, sums and products of columns in groups of realizations: realization i belongs to group i mod groups.

    A realization that lacks a column is left out altogether. The groups are alike also while a run is going on.

    columns      : number of columns
    realizations : how many are to come at most; no more groups than these
    """

    def __init__(self, columns: int, realizations: int) -> None:
        room = max(FEWEST_GROUPS, BUDGET // columns**2)
        self.groups = max(1, min(MOST_GROUPS, room, realizations))
        self._next = 0
        self._shift: NDArray[np.float64] | None = None
        self.counts = np.zeros(self.groups)
        self.sums = np.zeros((self.groups, columns))
        self.products = np.zeros((self.groups, columns, columns))

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in (columns, realizations) float64, NaN for a sample left out."""
        whole = ~np.isnan(values).any(axis=0)
        group = (self._next + np.arange(values.shape[1])) % self.groups
        self._next += values.shape[1]
        if self._shift is None and whole.any():
            # The mean of the first chunk keeps products free of cancellation, and changes no central moment.
            self._shift = values[:, whole].mean(axis=1)
        for number in range(self.groups):
            mine = values[:, whole & (group == number)]
            if mine.shape[1] and self._shift is not None:
                shifted = mine - self._shift[:, None]
                self.counts[number] += shifted.shape[1]
                self.sums[number] += shifted.sum(axis=1)
                self.products[number] += shifted @ shifted.T

    @property
    def samples(self) -> int:
        """Realizations that have every column."""
        return int(self.counts.sum())

    def covariance(self, left_out: int | None = None) -> NDArray[np.float64]:
        """Unbiased covariance matrix of the columns, (columns, columns), of all groups or of all but one."""
        counts, sums, products = self.counts.sum(), self.sums.sum(axis=0), self.products.sum(axis=0)
        if left_out is not None:
            counts, sums = counts - self.counts[left_out], sums - self.sums[left_out]
            products = products - self.products[left_out]
        if counts < 2:
            return np.full_like(products, np.nan)
        return np.asarray((products - np.outer(sums, sums) / counts) / (counts - 1.0))

    def estimate(
        self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Value and standard error of a function of the covariance matrix, by the delete-a-group jackknife.

        function : (columns, columns) -> (K,)
        returns  : (K,), (K,); errors NaN with fewer than three groups that hold anything
        source   : Shao & Tu, The Jackknife and Bootstrap (1995), ch. 2
        """
        value = function(self.covariance())
        filled = np.flatnonzero(self.counts)
        if len(filled) < 3 or self.samples < 4:
            return value, np.full_like(value, np.nan)
        replicates = np.array([function(self.covariance(int(number))) for number in filled])
        scatter = np.sum((replicates - replicates.mean(axis=0)) ** 2, axis=0)
        return value, np.sqrt(scatter * (len(filled) - 1.0) / len(filled))
