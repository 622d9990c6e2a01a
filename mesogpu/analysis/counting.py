"""Statistics of the transmission eigenvalues: cumulants of the current at zero temperature, and their density."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.estimators import mean, ratio_of_means, standard_errors
from mesogpu.analysis.moments import MomentSums
from mesogpu.analysis.record import Analysis, Curve, Line, Result, Series, Theory
from mesogpu.analysis.theory import expectation
from mesogpu.physics.closed_forms import DIFFUSIVE_CURRENT_CUMULANTS

NEEDED = "transmission_eigenvalues"
MISSING = f"the file has no {NEEDED}; run with observables: [{NEEDED}]"
LABELS = {2: ("fano", "F"), 3: ("third_current_cumulant", "C_3/C_1"), 4: ("fourth_current_cumulant", "C_4/C_1")}
HOW = "ratio of the ensemble means of sum_n c_k(T_n) and sum_n T_n; error by the infinitesimal jackknife"
THIRD_ERROR = 0.08
THIRD_S = 6.0
THIRD_CONDUCTANCE = 4.0
"""Model error of 1/15 at beta = 2, and the L/l and <g> from which it is claimed."""

SOURCE = "the third cumulant of a long diffusive wire, 1/15 (Levitov, Lee & Yakovets 1996; model error 8 %)"
LONG = "long diffusive wires (Levitov, Lee & Yakovets 1996)"
DOROKHOV = "Dorokhov's law of diffusive wires (1984)"
POWERS = (("second_power", "<T^2>/<T>", 2.0 / 3.0), ("third_power", "<T^3>/<T>", 8.0 / 15.0))
BINS = 24
OPEN = 6.0
"""Largest x drawn, T = 1/cosh^2 x: T = 2.5e-5."""


def current_statistics(ensemble: Ensemble) -> list[Analysis]:
    """Cumulants and density of every point's eigenvalues; what is missing where noise was asked for without them."""
    if NEEDED not in ensemble.results:
        asked = "shot_noise" in ensemble.results
        return [Analysis("current_cumulants", "Cumulants of the current", {}, missing=MISSING)] if asked else []
    found = [_of_point(ensemble, point) for point in range(len(ensemble.parameters))]
    return [cumulants for cumulants, _ in found] + [density for _, density in found]


def _of_point(ensemble: Ensemble, point: int) -> tuple[Analysis, Analysis]:
    """Both records of one point, its eigenvalues being read once."""
    lengths = [int(length) for length in ensemble.slices[point]]
    edges = np.linspace(0.0, OPEN, BINS + 1)
    sums, counts = MomentSums(4 * len(lengths), order=1), MomentSums(BINS + 3, order=1)
    for values in ensemble.eigenvalues(point):
        sums.add(current_cumulants(values).reshape(4 * len(lengths), -1))
        powers = [np.sum(values[-1] ** power, axis=-1) for power in (1, 2, 3)]
        counts.add(np.vstack([_histogram(values[-1], edges), *powers]))
    return _cumulants(ensemble, point, lengths, sums), _density(ensemble, point, lengths[-1], counts, edges)


def current_cumulants(transmissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Zero-temperature cumulants of the transmitted charge in each realization, per attempt of each channel.

    sum T, sum T(1-T), sum T(1-T)(1-2T), sum T(1-T)(1-6T+6T^2)

    transmissions : (..., channels) float64
    returns       : (4, ...) float64; NaN where a T_n is
    source        : Levitov & Lesovik, JETP Lett. 58, 230 (1993)
    """
    t = transmissions
    noise = t * (1.0 - t)
    return np.stack([each.sum(axis=-1) for each in (t, noise, noise * (1.0 - 2.0 * t), noise * (1.0 - 6.0 * noise))])


def _cumulants(ensemble: Ensemble, point: int, lengths: list[int], sums: MomentSums) -> Analysis:
    kind, title, where = "current_cumulants", "Cumulants of the current", {"parameters": ensemble.parameters[point]}
    moments, count = sums.moments(), len(lengths)
    if moments.counts.max(initial=0) < 2:
        return Analysis(kind, title, where, missing="fewer than two realizations are there; run more of them")
    orders = {order: [ratio_of_means(moments, (order - 1) * count + k, k) for k in range(count)] for order in LABELS}
    errors = {order: standard_errors(moments, statistics).tolist() for order, statistics in orders.items()}
    results = [
        Result(
            name=LABELS[order][0],
            label=LABELS[order][1],
            unit="",
            value=orders[order][k].value,
            error=errors[order][k],
            samples=int(moments.counts[k]),
            reliable=orders[order][k].reliable,
            how=HOW,
            where={"length": lengths[k]},
            theory=_theory(ensemble, point, k, order),
        )
        for k in reversed(range(count))
        for order in LABELS
    ]
    x = [float(length) for length in lengths]
    curve = Curve(
        x=x,
        x_label="length",
        unit="slices",
        y_label="cumulant / mean current",
        y_unit="",
        series=[Series(LABELS[n][1], [s.value for s in orders[n]], errors[n]) for n in LABELS],
        theory=[Line(f"{LABELS[n][1]} of {LONG}", x, [DIFFUSIVE_CURRENT_CUMULANTS[n]] * count, False) for n in LABELS],
    )
    return Analysis(kind, title, where, results, curve)


def _theory(ensemble: Ensemble, point: int, index: int, order: int) -> Theory | None:
    """1/15 where it is claimed; the asymptote of any diffusive wire elsewhere. F has its own law among the points."""
    strip, one_l = ensemble.strips[point], ensemble.one_l[point]
    if one_l is None or order == 2:
        return None
    length, value = int(ensemble.slices[point, index]), DIFFUSIVE_CURRENT_CUMULANTS[order]
    conductance = ensemble.entries[point][index]["conductance_mean"]["value"]
    claimed = strip.symmetry.beta == 2 and strip.one(conductance) >= THIRD_CONDUCTANCE
    # Unlike var g, it is the same in a diffusive conductor of any shape (Nazarov 1994).
    claimed = claimed and length >= THIRD_S * one_l.value and strip.class_is_definite(length)
    if order == 3 and claimed:
        return expectation(value, THIRD_ERROR * value, SOURCE)
    return {"value": value, "model_error": None, "source": LONG}


def _histogram(transmissions: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues of each realization in each bin of x, over the bin's width: (bins, realizations)."""
    t = np.clip(transmissions, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        x = np.arccosh(1.0 / np.sqrt(t))
    # Padding, T = 0, has x infinite: beyond the last bin, as are channels too closed to be drawn.
    place = np.searchsorted(edges, x, side="right") - 1
    place[np.isnan(t)] = len(edges)
    bins = len(edges) - 1
    rows = np.arange(len(t))[:, None] * (bins + 2)
    flat = np.bincount((rows + np.minimum(place, bins)).ravel(), minlength=len(t) * (bins + 2))
    counts = flat.reshape(len(t), bins + 2)[:, :bins] / np.diff(edges)
    left_out = np.asarray(np.isnan(t).any(axis=1))
    return np.where(left_out[:, None], np.nan, counts).T


def _density(ensemble: Ensemble, point: int, length: int, counts: MomentSums, edges: NDArray[np.float64]) -> Analysis:
    kind, title = "transmission_density", "Density of x, T = 1/cosh^2 x"
    where = {"parameters": ensemble.parameters[point], "length": length}
    moments = counts.moments()
    if moments.counts[0] < 2:
        return Analysis(kind, title, where, missing="fewer than two realizations are there; run more of them")
    statistics = [mean(moments, column) for column in range(BINS)]
    errors = standard_errors(moments, statistics).tolist()
    ratios = [ratio_of_means(moments, BINS + power, BINS) for power in (1, 2)]
    results = [
        Result(
            name=name,
            label=label,
            unit="",
            value=ratio.value,
            error=float(error),
            samples=int(moments.counts[0]),
            reliable=ratio.reliable,
            how="ratio of the ensemble means of the sums over channels; error by the infinitesimal jackknife",
            theory={"value": asymptote, "model_error": None, "source": DOROKHOV},
        )
        for (name, label, asymptote), ratio, error in zip(POWERS, ratios, standard_errors(moments, ratios), strict=True)
    ]
    strip, one_l = ensemble.strips[point], ensemble.one_l[point]
    theory = []
    if one_l is not None:
        s = length / one_l.value
        flat, end = strip.channels / (1.0 + s), min(OPEN, 1.0 + s)
        theory = [Line(f"{DOROKHOV}: N/(1 + L/l) at every x below 1 + L/l", [0.0, end], [flat, flat], False)]
    middles = (0.5 * (edges[1:] + edges[:-1])).tolist()
    series = [Series(f"L = {length}", [s.value for s in statistics], errors)]
    return Analysis(kind, title, where, results, Curve(middles, "x", "", "channels per unit of x", "", series, theory))
