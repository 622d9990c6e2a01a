"""Correlation of the conductance over energy or flux, and the energy or field over which it is lost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.ensemble import Ensemble, Family
from mesogpu.analysis.jackknife import GroupedSums
from mesogpu.analysis.record import Analysis, Curve, Result, Series

AXES = {"energy": ("correlation_energy", "E_c"), "flux": ("correlation_flux", "Phi_c")}
"""Over which parameters, and what the half width is called."""

FEWEST_POINTS = 4
MOST_POINTS = 128
"""Points whose covariance is kept, in each of the jackknife's groups."""

SAME_STEP = 1e-6
"""Relative difference of two steps that are the same."""

HOW = "half width at half maximum of C, straight between steps; error by the delete-a-group jackknife over realizations"
RULE = (
    "C(d) = mean over pairs d apart of cov(g, g') / mean over them of (var g + var g')/2; of fluxes only those that "
    "break time reversal fully, where that is known, else all but zero: near zero field time-reversed paths add to C"
)


def correlations(ensemble: Ensemble) -> list[Analysis]:
    """C over energy and flux of every family of enough points that share realizations: one record for each length."""
    records: list[Analysis] = []
    if not ensemble.shares_realizations:
        return records
    for family in ensemble.families():
        if family.axis in AXES and len(family.values) >= FEWEST_POINTS:
            records += _of_family(ensemble, family)
    return records


def _of_family(ensemble: Ensemble, family: Family) -> list[Analysis]:
    title = f"Correlation of g over {family.axis}"
    records = []
    for index, length in enumerate(ensemble.slices[family.points[0]]):
        chosen = [n for n in range(len(family.values)) if _enters(ensemble, family, n, int(length))]
        # Most sweeps of the flux are about weak localization: too few large ones are no failure.
        if len(chosen) >= FEWEST_POINTS:
            records.append(_at_length(ensemble, family, chosen, index, title))
    return records


def _enters(ensemble: Ensemble, family: Family, number: int, length: int) -> bool:
    if family.axis != "flux":
        return True
    strip = ensemble.strips[family.points[number]]
    if strip.system.flux == 0.0:
        return False
    return bool(strip.obstacle) or strip.symmetry.beta != 2 or strip.class_is_definite(length)


def _at_length(ensemble: Ensemble, family: Family, entering: list[int], index: int, title: str) -> Analysis:
    chosen = entering[:MOST_POINTS]
    cut = f"from the first {MOST_POINTS} of {len(entering)} points" if len(entering) > MOST_POINTS else ""
    points, values = [family.points[n] for n in chosen], np.array([family.values[n] for n in chosen])
    length = int(ensemble.slices[points[0], index])
    sums = GroupedSums(len(points), ensemble.results.sizes["realization"])
    for samples in ensemble.stream(points):
        sums.add(samples[:, index])
    steps, numbers, errors = curve_and_width(values, sums)
    name, label = AXES[family.axis]
    result = Result(
        name=name,
        label=label,
        unit=ensemble.unit(family.axis),
        value=float(numbers[-1]),
        error=float(errors[-1]),
        samples=sums.samples,
        reliable=bool(np.isfinite(errors[-1])),
        how="; ".join(part for part in (HOW, cut, RULE) if part),
    )
    curve = Curve(
        x=steps.tolist(),
        x_label=f"step of {family.axis}",
        unit=ensemble.unit(family.axis),
        y_label="C",
        y_unit="",
        series=[Series(f"L = {length}", numbers[:-1].tolist(), errors[:-1].tolist())],
    )
    where = family.where | {"length": length}
    return Analysis("correlation", title, where, [result], curve, words=cut, missing=_missing(sums, numbers, family))


def curve_and_width(
    values: NDArray[np.float64], sums: GroupedSums
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """C of every step, and its half width at half maximum.

    values  : (P,) of the swept parameter, ascending
    sums    : of g, one column a value
    returns : (K,) steps from 0; (K + 1,) C and then the half width, NaN where C does not fall to 1/2; (K + 1,) errors
    """
    steps, pairs = _steps(values)

    def function(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        curve = _normalised(matrix, pairs)
        return np.append(curve, _half_width(steps, curve))

    return (steps, *sums.estimate(function))


def _missing(sums: GroupedSums, numbers: NDArray[np.float64], family: Family) -> str:
    """What the half width lacks to be one."""
    if sums.samples < 4:
        return f"{sums.samples} realizations are there at every point; let the run go on, or ask for more"
    if math.isnan(numbers[-1]):
        return f"C stays above 1/2 up to the largest step; sweep {family.axis} over a wider range"
    if numbers[1] < 0.5:
        return f"C falls below 1/2 within one step, so its width is at most that step; sweep {family.axis} more finely"
    return ""


def _steps(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], list[tuple[NDArray[np.int64], NDArray[np.int64]]]]:
    """The different distances between values, ascending from 0, and the pairs that far apart."""
    first, second = np.triu_indices(len(values))
    distance = values[second] - values[first]
    order = np.argsort(distance, kind="stable")
    jumps = np.diff(distance[order]) > SAME_STEP * (values[-1] - values[0])
    groups = np.split(order, np.flatnonzero(jumps) + 1)
    return np.array([distance[group].mean() for group in groups]), [(first[g], second[g]) for g in groups]


def _normalised(
    matrix: NDArray[np.float64], pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> NDArray[np.float64]:
    """C of every step from the covariance matrix of the points."""
    variances = np.diag(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([2.0 * matrix[a, b].sum() / (variances[a] + variances[b]).sum() for a, b in pairs])


def _half_width(steps: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """Where C first falls to 1/2; NaN where it does not."""
    below = np.flatnonzero(curve < 0.5)
    if len(below) == 0 or below[0] == 0:
        return math.nan
    k = int(below[0])
    share = (curve[k - 1] - 0.5) / (curve[k - 1] - curve[k])
    return float(steps[k - 1] + share * (steps[k] - steps[k - 1]))
