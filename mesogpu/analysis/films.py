"""The slope of <g> over ln L in squares: weak localization in two dimensions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.estimators import covariance, mean
from mesogpu.analysis.fits import fit_correlated
from mesogpu.analysis.moments import MomentSums
from mesogpu.analysis.record import Analysis, Curve, FitOutcome, Line, Result, Series, Theory
from mesogpu.errors import PhysicsError

SIZES = ("width", "model.width", "length", "model.length")
"""Sweep parameters that make a square larger."""

RULE = "every square enters a generalised least-squares fit of <g> = a + b ln L, with the covariance between squares"
SLOPES = {1: -1.0 / math.pi, 2: 0.0, 4: 0.5 / math.pi}
"""By Dyson index, of one of the equal conductances that g sums."""

SOURCE = "weak localization of a film with L >> l (Gorkov, Larkin & Khmelnitskii 1979; Hikami, Larkin & Nagaoka 1980)"


def film_slopes(ensemble: Ensemble) -> list[Analysis]:
    """One record for each set of squares of the square lattice that differ in their size alone."""
    groups: dict[tuple[tuple[str, float], ...], dict[int, tuple[int, int]]] = {}
    for point, strip in enumerate(ensemble.strips):
        key = tuple((name, value) for name, value in ensemble.parameters[point].items() if name not in SIZES)
        for index in np.flatnonzero(ensemble.slices[point] == strip.system.lattice.width):
            if strip.system.lattice.kind == "square" and not strip.clean:
                groups.setdefault(key, {}).setdefault(strip.system.lattice.width, (point, int(index)))
    return [_of_squares(ensemble, dict(key), squares) for key, squares in groups.items() if len(squares) > 1]


def _of_squares(ensemble: Ensemble, others: dict[str, float], squares: dict[int, tuple[int, int]]) -> Analysis:
    kind, title, where = "film_slope", "Slope of <g> over ln L in squares", {"parameters": others}
    sizes = sorted(squares)
    cells = [squares[size] for size in sizes]
    points = [point for point, _ in cells]
    sums = MomentSums(len(cells), order=1)
    for samples in ensemble.stream(points):
        sums.add(np.stack([samples[k, index] for k, (_, index) in enumerate(cells)]))
    moments = sums.moments()
    means = [mean(moments, column) for column in range(len(cells))]
    matrix = ensemble.joint_covariance(covariance(moments, means), points)
    values, logarithms = np.array([each.value for each in means]), np.log(np.array(sizes, dtype=np.float64))
    samples_behind = int(moments.counts.min())
    series = [Series("<g>", values.tolist(), np.sqrt(np.diag(matrix)).tolist())]
    x, unit = [float(size) for size in sizes], ensemble.conductance_unit

    def line(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(parameters[0] + parameters[1] * logarithms)

    try:
        if not np.isfinite(values).all():
            raise PhysicsError("some squares have no sample yet; let the run go on")
        fit = fit_correlated(line, values, matrix, start=[float(values[0]), -1.0], samples=samples_behind)
    except PhysicsError as reason:
        curve = Curve(x, "L = W", "sites", "<g>", unit, series, scales="x")
        return Analysis(kind, title, where, [], curve, missing=str(reason))
    errors, reliable = np.sqrt(np.diag(fit.covariance)), all(each.reliable for each in means)
    offset, slope = (
        Result(name, label, unit, float(value), float(error), samples_behind, reliable, RULE, theory=theory)
        for name, label, value, error, theory in zip(
            ("offset", "slope"),
            ("a", "d<g>/d ln L"),
            fit.parameters,
            errors,
            (None, _theory(ensemble, points)),
            strict=True,
        )
    )
    fitted = Line("fit: a + b ln L", x, line(fit.parameters).tolist(), False)
    outcome = FitOutcome(
        parameters=[offset, slope],
        chi_square=fit.chi_square,
        degrees_of_freedom=fit.degrees_of_freedom,
        p_value=fit.p_value if fit.degrees_of_freedom else None,
        window="L = W = " + ", ".join(str(size) for size in sizes),
        rule=RULE,
    )
    curve = Curve(x, "L = W", "sites", "<g>", unit, series, [fitted], scales="x")
    return Analysis(kind, title, where, [slope], curve, outcome)


def _theory(ensemble: Ensemble, points: list[int]) -> Theory | None:
    """The asymptotic slope: while L is not far beyond l, contacts alone make <g> rise, so it is never judged."""
    strip = ensemble.strips[points[-1]]
    if strip.obstacle:
        return None
    value = strip.symmetry.multiplicity * SLOPES[strip.symmetry.beta]
    return {"value": value, "model_error": None, "source": SOURCE}
