"""Statistics over independent bars: exponents with the error between bars and that within them, and their drift."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from mesogpu.analysis.moments import Moments, MomentSums
from mesogpu.analysis.samples import FIRST_FAILURE, UNCOMPUTED, chunks
from mesogpu.backends.bars import BATCHES

if TYPE_CHECKING:
    import xarray

VARIABLES = ("lyapunov_exponents", "lyapunov_errors", "lyapunov_drift")
NEEDED = (*VARIABLES, "status", "slices", "warmup", "channels")

MANY_BARS = 16
"""Bars whose scatter alone gives an error to be trusted: it is then good to 18 %."""

OUTLIER = 1e-3
"""Probability below which one bar does not belong among normally distributed ones."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Means over bars, each with the two independent errors that it has.

    values  : (k,) float64, per slice; NaN without bars
    between : (k,) standard error from the scatter between bars; NaN from one bar
    within  : (k,) standard error from the scatter of the batches within each bar
    bars    : how many
    """

    values: NDArray[np.float64]
    between: NDArray[np.float64]
    within: NDArray[np.float64]
    bars: int

    @property
    def errors(self) -> NDArray[np.float64]:
        """(k,) the error between bars; of fewer than `MANY_BARS` the larger of both, of one bar that within it."""
        return self.between if self.bars >= MANY_BARS else np.fmax(self.between, self.within)


@dataclass(frozen=True, slots=True)
class PointBars:
    """What the bars of one sweep point say.

    used, failed, missing : bars in the statistics; left out because no certificate vouches for them; not computed yet
    exponents             : smallest first
    drift                 : of the smallest exponent, one value: second half of the bar minus first half
    outlier               : chance that the farthest of so many normally distributed bars is as far off; 1 if unknown
    """

    used: int
    failed: int
    missing: int
    exponents: Estimates
    drift: Estimates
    outlier: float

    @property
    def error_ratio(self) -> tuple[float, float]:
        """Error between bars over error within, of the smallest exponent, and how it scatters around one.

        sqrt(1 / 2(n - 1) + 1 / 2n(b - 1)), n bars of b batches; asymptotic in both
        """
        if self.used < 2:
            return math.nan, math.nan
        scatter = math.sqrt(0.5 / (self.used - 1.0) + 0.5 / (self.used * (BATCHES - 1.0)))
        within = float(self.exponents.within[0])
        return (float(self.exponents.between[0]) / within if within > 0.0 else math.nan), scatter


class _PointSums:
    """Running sums of one point.

    stored : exponents of each bar
    """

    def __init__(self, stored: int) -> None:
        self.stored = stored
        self.sums = MomentSums(2 * stored + 1, order=1)
        self.used = self.failed = self.missing = 0

    def add(self, values: dict[str, NDArray[np.float64]], status: NDArray[np.integer]) -> None:
        """Take in (bars, channels) of every variable."""
        exponents, errors, drift = (values[name][:, : self.stored] for name in VARIABLES)
        missing = status == UNCOMPUTED
        usable = (status < FIRST_FAILURE) & np.isfinite(exponents).all(axis=1)
        self.used += int(usable.sum())
        self.missing += int(missing.sum())
        self.failed += int((~missing & ~usable).sum())
        columns = np.concatenate([exponents, errors**2, drift[:, :1]], axis=1)[usable]
        self.sums.add(np.where(np.isfinite(columns), columns, np.nan).T)

    def result(self) -> PointBars:
        moments, stored = self.sums.moments(), self.stored
        values = moments.shifts + moments.means
        errors = np.sqrt(np.maximum(np.diag(moments.covariance), 0.0))
        within = np.sqrt(values[stored:-1] / max(self.used, 1))
        # The halves of a bar have twice its variance each.
        drift = Estimates(values[-1:], errors[-1:], 2.0 * within[:1], self.used)
        exponents = Estimates(values[:stored], errors[:stored], within, self.used)
        return PointBars(self.used, self.failed, self.missing, exponents, drift, _outlier_probability(moments))


def read_bars(results: xarray.Dataset) -> Iterator[PointBars]:
    """Every sweep point of a results file of bars, in order."""
    stored = results["channels"].to_numpy()
    for points, spans in chunks(results, results.sizes["channel"]):
        sums = [_PointSums(int(stored[point])) for point in points]
        for span in spans:
            chunk = results.isel(point=slice(points.start, points.stop), realization=span)
            status = chunk["status"].to_numpy()[:, 0]
            values = {name: chunk[name].to_numpy() for name in VARIABLES}
            for index, point in enumerate(sums):
                point.add({name: array[index] for name, array in values.items()}, status[index])
        yield from (point.result() for point in sums)


def _outlier_probability(moments: Moments) -> float:
    """Chance that the farthest of n normal numbers has as large a share of their scatter as that of column 0, at most.

    n P(B > d^2 n / ((n - 1) sum d_i^2)), B of the law Beta(1/2, (n - 2)/2), d the distance from the mean

    source : Grubbs, Ann. Math. Statist. 21, 27 (1950)
    """
    count = int(moments.counts[0])
    scatter = float(moments.covariance[0, 0]) * count * (count - 1.0)
    if count < 3 or not scatter > 0.0:
        return 1.0
    centre = float(moments.shifts[0] + moments.means[0])
    farthest = max(float(moments.maxima[0]) - centre, centre - float(moments.minima[0]))
    rest = max(0.0, 1.0 - farthest**2 * count / ((count - 1.0) * scatter))
    return min(1.0, count * float(betainc(0.5 * count - 1.0, 0.5, rest)))
