"""The mean free path of a wire: one l for all lengths, fitted to <g>(L) with the full covariance between lengths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.analysis.estimators import covariance, mean
from mesogpu.analysis.fits import Fit, fit_correlated
from mesogpu.analysis.regime import ONE_L_CONDUCTANCE, ONE_L_S, Strip
from mesogpu.analysis.samples import PointSamples
from mesogpu.errors import PhysicsError
from mesogpu.physics.closed_forms import localization_length, mean_conductance, mean_free_path

RULE = (
    "the longest length with <g> >= 1.2, L >= W and a definite symmetry class gives a first l by inverting the one-l "
    "curve; every such length with L >= 1.5 l enters a generalised least-squares fit of one l, with the full "
    "covariance of <g> between lengths; p-value by Hotelling's law. Where g is the sum of `multiplicity` equal "
    "conductances (2 for Kramers pairs, at beta = 4), curve and <g> >= 1.2 are for one of them, with its share "
    "`channels` of the modes; at beta = 4 lengths enter from L >= 1.2 W"
)


@dataclass(frozen=True, slots=True)
class LengthEstimate:
    """The mean free path that one length alone gives.

    index  : number of the length
    length : slices
    value  : l, slices
    error  : one standard error; NaN from a single realization
    used   : whether the length enters the joint fit
    """

    index: int
    length: int
    value: float
    error: float
    used: bool


@dataclass(frozen=True, slots=True)
class OneL:
    """The mean free path of a sweep point.

    value       : l, slices
    error       : one standard error of l; NaN from a single realization
    model_error : relative error of the one-l curve
    fit         : chi-square and what goes with it; None with too few realizations for a covariance
    per_length  : l from each length in the window
    """

    value: float
    error: float
    model_error: float
    fit: Fit | None
    per_length: tuple[LengthEstimate, ...]

    def drift(self) -> tuple[int, float, float] | None:
        """Where l of one length departs most from the joint l: that length, (l_i - l)/l, and its standard error.

        Var(l_i - l) = Var(l_i) - Var(l), l being the best combination of the l_i
        """
        if self.fit is None or self.fit.degrees_of_freedom == 0:
            return None
        departures = [
            (
                item.length,
                item.value / self.value - 1.0,
                math.sqrt(max(0.0, item.error**2 - self.error**2)) / self.value,
            )
            for item in self.per_length
            if item.used
        ]
        return max(departures, key=lambda entry: abs(entry[1]) / math.hypot(entry[2], self.model_error))


def fit_one_l(strip: Strip, samples: PointSamples, lengths: NDArray[np.int64]) -> OneL:
    """Fit the one-l curve to the mean conductance of one sweep point, over the lengths that `RULE` lets in.

    lengths : (lengths,) slices
    raises  : PhysicsError, saying why, where the curve does not apply or no length enters
    """
    if strip.obstacle:
        raise PhysicsError(f"the one-l curve of a disordered strip is not claimed for {strip.obstacle}")
    per_length, means, matrix = _invert_each(strip, samples, lengths)
    used = np.array([item.used for item in per_length], dtype=bool)
    if not used.any():
        raise PhysicsError(f"no length has {_window(strip)}, L >= {ONE_L_S:g} l; record other lengths")
    longest, model_error = per_length[-1], strip.verified.one_l_error
    realizations = int(min(samples.used[item.index] for item in per_length if item.used))
    if realizations <= used.sum() + 1:
        return OneL(longest.value, longest.error, model_error, None, per_length)
    fitted = np.array([item.length for item in per_length if item.used])

    def curve(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(_curve(strip, fitted, float(parameters[0])))

    fit = fit_correlated(curve, means[used], matrix[np.ix_(used, used)], start=[longest.value], samples=realizations)
    return OneL(float(fit.parameters[0]), float(np.sqrt(fit.covariance[0, 0])), model_error, fit, per_length)


def _curve(strip: Strip, lengths: ArrayLike, value: float) -> NDArray[np.float64] | np.float64:
    """One of the equal conductances on the one-l curve with mean free path `value`."""
    return mean_conductance(lengths, channels=strip.modes, mean_free_path=value, beta=strip.symmetry.beta)


def _window(strip: Strip) -> str:
    one = "<g>" if strip.symmetry.multiplicity == 1 else f"<g>/{strip.symmetry.multiplicity}"
    aspect = strip.verified.one_l_aspect
    wire = "L >= W" if aspect == 1.0 else f"L >= {aspect:g} W"
    return f"{one} >= {ONE_L_CONDUCTANCE:g}, {wire} and a definite symmetry class"


def _invert_each(
    strip: Strip, samples: PointSamples, lengths: NDArray[np.int64]
) -> tuple[tuple[LengthEstimate, ...], NDArray[np.float64], NDArray[np.float64]]:
    """l from each length in the window alone; those lengths' means of one equal conductance, and their covariance."""
    statistics = [mean(samples.moments, samples.column("conductance", index)) for index in range(len(lengths))]
    window = [k for k, length in enumerate(lengths) if strip.in_one_l_window(int(length), statistics[k].value)]
    if not window:
        raise PhysicsError(f"no length has {_window(strip)}; record other lengths")
    matrix = covariance(samples.moments, [statistics[k] for k in window]) / strip.symmetry.multiplicity**2
    means = np.array([strip.one(statistics[k].value) for k in window])
    values = [
        mean_free_path(float(g), length=float(lengths[k]), channels=strip.modes, beta=strip.symmetry.beta)
        for k, g in zip(window, means, strict=True)
    ]
    slopes = [_slope(strip, float(lengths[k]), value) for k, value in zip(window, values, strict=True)]
    errors = np.sqrt(np.diag(matrix)) / slopes
    shortest = ONE_L_S * values[-1]
    per_length = tuple(
        LengthEstimate(k, int(lengths[k]), value, float(error), bool(lengths[k] >= shortest))
        for k, value, error in zip(window, values, errors, strict=True)
    )
    return per_length, means, matrix


def _slope(strip: Strip, length: float, value: float) -> float:
    """d<g>/dl of the one-l curve, by a central difference."""
    step = 1e-4 * value
    above, below = (float(_curve(strip, length, value + h)) for h in (step, -step))
    return (above - below) / (2.0 * step)


def describe(result: OneL, strip: Strip) -> dict[str, Any]:
    """The fit as plain data for `analyze`."""
    fit, drift, beta, lattice = result.fit, result.drift(), strip.symmetry.beta, strip.system.lattice
    return {
        "symmetry_class": beta,
        "multiplicity": strip.symmetry.multiplicity,
        "channels": strip.modes,
        "width": lattice.width,
        "edges": "periodic" if lattice.periodic[0] else "hard",
        "l": {"value": result.value, "error": result.error, "model_error": result.model_error * result.value},
        "lengths_used": [item.length for item in result.per_length if item.used],
        "chi_square": fit.chi_square if fit else None,
        "degrees_of_freedom": fit.degrees_of_freedom if fit else None,
        "p_value": fit.p_value if fit else None,
        "per_length": [{"length": item.length, "value": item.value, "error": item.error} for item in result.per_length],
        "drift": {"length": drift[0], "value": drift[1], "error": drift[2]} if drift else None,
        "golden_rule": strip.golden_rule,
        "box_sum_from": strip.box_sum_from(result.value),
        "localization_length": localization_length(result.value, channels=strip.modes, beta=beta),
    }
