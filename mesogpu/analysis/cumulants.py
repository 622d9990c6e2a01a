"""Third and fourth cumulant of the conductance: how far its distribution is from a normal one."""

from __future__ import annotations

from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.estimators import fourth_cumulant, standard_errors, third_cumulant
from mesogpu.analysis.moments import MomentSums
from mesogpu.analysis.record import Analysis, Curve, Result, Series

HOW = "unbiased (k-statistic); error by the infinitesimal jackknife over realizations"
NAMES = (("conductance_third_cumulant", "<<g^3>>", 3), ("conductance_fourth_cumulant", "<<g^4>>", 4))
FEWEST = 4


def conductance_cumulants(ensemble: Ensemble) -> list[Analysis]:
    """One record a point, over its lengths."""
    return [_of_point(ensemble, point) for point in range(len(ensemble.parameters))]


def _of_point(ensemble: Ensemble, point: int) -> Analysis:
    kind, title = "conductance_cumulants", "Higher cumulants of g"
    where = {"parameters": ensemble.parameters[point]}
    lengths = [int(length) for length in ensemble.slices[point]]
    sums = MomentSums(len(lengths), order=4)
    for samples in ensemble.stream([point]):
        sums.add(samples[0])
    moments = sums.moments()
    if moments.counts.max(initial=0) < FEWEST:
        lacking = f"{FEWEST} realizations are needed and {moments.counts.max(initial=0)} there; run more of them"
        return Analysis(kind, title, where, missing=lacking)
    orders = {3: [third_cumulant(moments, k) for k in range(len(lengths))]}
    orders[4] = [fourth_cumulant(moments, k) for k in range(len(lengths))]
    errors = {order: standard_errors(moments, statistics).tolist() for order, statistics in orders.items()}
    results = [
        Result(
            name=name,
            label=label,
            unit=f"({ensemble.conductance_unit})^{order}",
            value=orders[order][k].value,
            error=errors[order][k],
            samples=int(moments.counts[k]),
            reliable=orders[order][k].reliable,
            how=HOW,
            where={"length": lengths[k]},
        )
        for k in reversed(range(len(lengths)))
        for name, label, order in NAMES
    ]
    series = [Series(label, [s.value for s in orders[order]], errors[order]) for _, label, order in NAMES]
    unit = f"({ensemble.conductance_unit})^k"
    curve = Curve([float(x) for x in lengths], "length", "slices", "cumulant of order k", unit, series)
    return Analysis(kind, title, where, results, curve)
