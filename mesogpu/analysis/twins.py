"""Realizations that two results files share: the same sample computed twice, so each must be the same number twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.samples import CHUNK_VALUES, FIRST_FAILURE
from mesogpu.backends.bars import LOSS_BOUND
from mesogpu.backends.certify import log_conductance_bound
from mesogpu.config.experiment import Experiment
from mesogpu.plan.points import Point

if TYPE_CHECKING:
    import xarray

Halves = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(columns, rows) float64 of the first and of the second file; NaN where either lacks the sample; ln g may be -inf."""


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """One of the two."""

    results: xarray.Dataset
    experiment: Experiment
    summary: dict[str, Any]
    points: list[Point]
    bars: bool

    def entry(self, point: int, length: int) -> dict[str, Any]:
        """The summary's entry of a point at its length of that number."""
        lengths = 1 if self.bars else self.results.sizes["length"]
        found: dict[str, Any] = self.summary["points"][point * lengths + length]
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """One (point, length) that both files have: its numbers in either, and what their realizations have in common.

    shared   : whether they are the same
    overlaps : whether they are bars of unequal length that begin with the same random numbers
    """

    where: dict[str, Any]
    first: tuple[int, int]
    second: tuple[int, int]
    shared: bool
    overlaps: bool


def shared_rows(first: ResultsFile, second: ResultsFile, place: Place, columns: list[str]) -> Iterator[Halves]:
    """Columns of the realizations that both files have."""
    rows = min(file.results.sizes["realization"] for file in (first, second)) if place.shared else 0
    for start in range(0, rows, CHUNK_VALUES):
        span = slice(start, min(rows, start + CHUNK_VALUES))
        halves = [_rows(file, *at, span, columns) for file, at in ((first, place.first), (second, place.second))]
        both = ~(np.isnan(halves[0]) | np.isnan(halves[1]))
        yield np.where(both, halves[0], np.nan), np.where(both, halves[1], np.nan)


def _rows(file: ResultsFile, point: int, length: int, span: slice, columns: list[str]) -> NDArray[np.float64]:
    chosen = file.results.isel(point=point, length=length, realization=span)
    if file.bars:
        values = [chosen["lyapunov_exponents"].isel(channel=0).to_numpy() for _ in columns]
    else:
        values = [chosen[name].to_numpy() for name in columns]
    usable = chosen["status"].to_numpy() < FIRST_FAILURE
    return np.where(usable, np.array(values, dtype=np.float64), np.nan)


class Pairs:
    """Running comparison of the realizations that both files have.

    bars     : whether of bars, by their smallest exponent, or of samples, by ln g
    compared : pairs so far
    bound    : the largest that two certificates allow, so far
    """

    def __init__(self, bars: bool) -> None:
        self.column = "exponent" if bars else "log_conductance"
        self.compared = 0
        self.bound = 0.0
        self._bars = bars
        self._largest = 0.0
        self._apart = 0
        self._equal = True

    def add(self, halves: Halves, column: int) -> None:
        """Take in some realizations.

        column : number of the one that is compared
        """
        before, after = (half[column] for half in halves)
        found = ~np.isnan(before)
        before, after = before[found], after[found]
        # A sample that transmits nothing, ln g = -inf, must do so in both files.
        deviation = np.abs(np.subtract(after, before, out=np.zeros_like(after), where=after != before))
        bound = np.full(before.shape, LOSS_BOUND)
        if not self._bars:
            bound = np.fmin(log_conductance_bound(before), log_conductance_bound(after))
        self.compared += int(found.sum())
        self.bound = max(self.bound, 2.0 * float(bound.max(initial=0.0, where=np.isfinite(bound))))
        self._largest = max(self._largest, float(deviation.max(initial=0.0, where=np.isfinite(deviation))))
        self._apart += int((deviation > 2.0 * bound).sum())
        self._equal = self._equal and np.array_equal(*halves, equal_nan=True)

    def told(self) -> dict[str, Any]:
        """How many pairs, the largest deviation, how many are beyond their bounds, whether all are the same bits."""
        return {
            "compared": self.compared,
            "largest": self._largest if self.compared else None,
            "same_bits": self._equal if self.compared else None,
            "apart": self._apart,
            "agrees": self._apart == 0,
        }
