"""Differences of the conductance between sweep points that share their realizations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mesogpu.analysis.ensemble import Ensemble, Family
from mesogpu.analysis.estimators import Statistic, mean, standard_errors
from mesogpu.analysis.moments import Moments, MomentSums
from mesogpu.analysis.record import Analysis, Curve, Line, Result, Series, Theory
from mesogpu.analysis.tabulated import tabulated
from mesogpu.analysis.theory import expectation
from mesogpu.physics.weak_localization import wire_correction

HOW = "mean over realizations of the difference that each of them shows, which counts their correlation"
NO_COMMON_NOISE = (
    "the points drew realizations of their own (randomness: independent), so no noise cancels in a difference; "
    "run the sweep with randomness: common"
)
LINE_POINTS = 60


@dataclass(frozen=True, slots=True)
class Differences:
    """<g> of every point of a family minus that of its reference point, at one length.

    index      : number of the length
    moments    : of the differences, one column a value of the family
    statistics : their means
    errors     : (values,) one standard error each
    """

    index: int
    moments: Moments
    statistics: list[Statistic]
    errors: list[float]


def paired_differences(ensemble: Ensemble) -> list[Analysis]:
    """Differences over every family: from the point nearest to zero flux, or from the first value of another axis."""
    return [_analysis(ensemble, family) for family in ensemble.families()]


def measure_differences(ensemble: Ensemble, family: Family, origin: int) -> list[Differences]:
    """The differences at every length from point number `origin` of the family."""
    lengths = ensemble.slices.shape[1]
    sums = [MomentSums(len(family.values), order=1) for _ in range(lengths)]
    for samples in ensemble.stream(family.points):
        for index, each in enumerate(sums):
            each.add(samples[:, index] - samples[origin, index])
    found = []
    for index, each in enumerate(sums):
        moments = each.moments()
        statistics = [mean(moments, column) for column in range(len(family.values))]
        found.append(Differences(index, moments, statistics, standard_errors(moments, statistics).tolist()))
    return found


def origin_of(family: Family) -> int:
    """Number of the reference among the values of a family."""
    return int(np.argmin(np.abs(family.values))) if family.axis == "flux" else 0


def _analysis(ensemble: Ensemble, family: Family) -> Analysis:
    kind, title = "paired_difference", f"Paired differences of <g> over {family.axis}"
    if not ensemble.shares_realizations:
        return Analysis(kind, title, family.where, missing=NO_COMMON_NOISE)
    origin = origin_of(family)
    found = measure_differences(ensemble, family, origin)
    lengths = [int(length) for length in ensemble.slices[family.points[0]]]
    curve = Curve(
        x=list(family.values),
        x_label=family.axis,
        unit=ensemble.unit(family.axis),
        y_label=f"<g> - <g> at {family.axis} = {family.values[origin]:g}",
        y_unit=ensemble.conductance_unit,
        series=[Series(f"L = {lengths[d.index]}", [s.value for s in d.statistics], d.errors) for d in found],
        theory=_lines(ensemble, family, origin),
    )
    results = [result for each in reversed(found) for result in _results(ensemble, family, origin, each)]
    known = any(np.isfinite(result.error) for result in results)
    missing = (
        "" if known else "fewer than two realizations are there at both points; let the run go on, or ask for more"
    )
    return Analysis(kind, title, family.where, results, curve, missing=missing)


def _results(ensemble: Ensemble, family: Family, origin: int, found: Differences) -> list[Result]:
    """The difference farthest along the axis, and every one that a table has."""
    distances = np.abs(np.array(family.values) - family.values[origin])
    length = int(ensemble.slices[family.points[0], found.index])
    results: list[Result] = []
    for number in np.argsort(-distances, kind="stable"):
        theory = _tabulated(ensemble, family, origin, int(number), length)
        if number == origin or (results and theory is None):
            continue
        value, statistic = family.values[number], found.statistics[number]
        results.append(
            Result(
                name="conductance_difference",
                label=f"<g>({value:g}) - <g>({family.values[origin]:g})",
                unit=ensemble.conductance_unit,
                value=statistic.value,
                error=found.errors[number],
                samples=int(found.moments.counts[number]),
                reliable=statistic.reliable,
                how=HOW,
                where={"parameters": {family.axis: value}, "length": length},
                theory=theory,
            )
        )
    return results


def _tabulated(ensemble: Ensemble, family: Family, origin: int, number: int, length: int) -> Theory | None:
    """The finite-size value of the difference from zero flux, where there is one."""
    reference = tabulated(ensemble.strips[family.points[number]].system, length).get("conductance_difference")
    if reference is None or family.axis != "flux" or family.values[origin] != 0.0:
        return None
    return expectation(*reference)


def _lines(ensemble: Ensemble, family: Family, origin: int) -> list[Line]:
    """The law of coherent diffusive wires: asymptotic in L/l, so it is drawn and not claimed."""
    first, last = (ensemble.strips[family.points[k]] for k in (origin, -1))
    if family.axis != "flux" or family.values[origin] != 0.0 or first.obstacle or last.obstacle:
        return []
    if first.symmetry.beta != 1:
        return []
    fluxes, width = np.linspace(family.values[0], family.values[-1], LINE_POINTS), first.system.lattice.width
    lines, entries = [], ensemble.entries[family.points[origin]]
    for entry in entries:
        length, one = entry["length"], first.one(entry["conductance_mean"]["value"])
        if length >= first.verified.aspect * width and one >= first.verified.conductance:
            law = first.symmetry.multiplicity * (wire_correction(float(length), fluxes, width=width) + 1.0 / 3.0)
            lines.append(Line(f"coherent wire, L >> l, at L = {length}", fluxes.tolist(), law.tolist(), False))
    return lines
