"""The localization length from <ln g>(L), and whether g is log-normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.estimators import Statistic, covariance, mean, variance
from mesogpu.analysis.fits import Fit, fit_correlated
from mesogpu.analysis.moments import MomentSums
from mesogpu.analysis.record import Analysis, Curve, FitOutcome, Line, Result, Series, Theory
from mesogpu.analysis.theory import expectation
from mesogpu.errors import PhysicsError
from mesogpu.physics.closed_forms import localization_length

LOCALIZED = -1.0
"""<ln g> at the longest length below which a wire is taken for a localized one."""

FEWEST_XI = 3.0
RULE = (
    "the slope between the two longest lengths gives a first xi; every length of 3 first xi or more enters a "
    "generalised least-squares fit of <ln g> = a - 2 L/xi with the full covariance between lengths"
)
XI_ERROR = 0.02
"""Relative model error of (beta N + 2 - beta) l with l of the one-l curve."""

SLOPE_ERROR = 0.05
SLOPE_XI = 15.0
SLOPE_SAMPLES = 20_000
"""Model error of d var ln g / d|<ln g>| = 2, and the length and the samples from which it is claimed."""

XI_SOURCE = "(beta N + 2 - beta) l, l from the one-l curve (Beenakker 1997; model error 2 %)"
GOLDEN_SOURCE = "(beta N + 2 - beta) l, l of the golden rule, which holds as W -> 0"
SLOPE_SOURCE = "log-normal g in a localized wire (Beenakker 1997; model error 5 %)"
KIND, TITLE = "localization", "Localization from ln g"


@dataclass(frozen=True, slots=True)
class Logarithms:
    """ln g of one wire at all its lengths.

    lengths   : (K,) slices, ascending
    means     : of ln g; variances likewise
    matrix    : (2K, 2K) covariance of the means, then of the variances
    counts    : (K,) samples
    """

    lengths: NDArray[np.float64]
    means: list[Statistic]
    variances: list[Statistic]
    matrix: NDArray[np.float64]
    counts: NDArray[np.int64]


def localizations(ensemble: Ensemble) -> list[Analysis]:
    """One record for each wire that is localized at its longest length: one point, or points that differ in length."""
    wires: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for point, parameters in enumerate(ensemble.parameters):
        key = tuple((name, value) for name, value in parameters.items() if name != "length")
        wires.setdefault(key, []).append(point)
    records = []
    for key, points in wires.items():
        # The entries say whether a wire is localized before any sample is read again.
        if any(_is_localized(ensemble.entries[point][-1]) for point in points):
            records.append(_of_wire(ensemble, points, {"parameters": dict(key)}))
    return records


def _is_localized(entry: dict[str, dict[str, float]]) -> bool:
    return bool(entry["log_conductance_mean"]["value"] <= LOCALIZED)


def _of_wire(ensemble: Ensemble, points: list[int], where: dict[str, dict[str, float]]) -> Analysis:
    data = _logarithms(ensemble, points)
    errors = np.sqrt(np.diag(data.matrix)).tolist()
    count = len(data.lengths)
    series = [
        Series("<ln g>", [s.value for s in data.means], errors[:count]),
        Series("var ln g", [s.value for s in data.variances], errors[count:]),
    ]
    x = data.lengths.tolist()
    try:
        fit, used = _fit(data)
    except PhysicsError as reason:
        return Analysis(KIND, TITLE, where, [], Curve(x, "length", "slices", "ln g", "", series), missing=str(reason))
    xi = float(fit.parameters[1])
    error = float(np.sqrt(fit.covariance[1, 1]))
    samples, reliable = int(data.counts[used].min()), all(data.means[k].reliable for k in used)
    theory = _xi_theory(ensemble, points[0])
    results = [
        Result(
            "localization_length",
            "xi",
            "slices",
            xi,
            error,
            samples,
            reliable,
            "from the slope of the fit",
            theory=theory,
        )
    ]
    results += _log_normality(data, used, xi)
    ends = [x[used[0]], x[-1]]
    line = Line("fit: a - 2 L/xi", ends, [float(fit.parameters[0]) - 2.0 * end / xi for end in ends], False)
    outcome = FitOutcome(
        parameters=[
            Result(
                "intercept",
                "a",
                "",
                float(fit.parameters[0]),
                float(np.sqrt(fit.covariance[0, 0])),
                samples,
                reliable,
                RULE,
            ),
            results[0],
        ],
        chi_square=fit.chi_square,
        degrees_of_freedom=fit.degrees_of_freedom,
        p_value=fit.p_value if fit.degrees_of_freedom else None,
        window="L = " + ", ".join(f"{x[k]:g}" for k in used),
        rule=RULE,
    )
    return Analysis(KIND, TITLE, where, results, Curve(x, "length", "slices", "ln g", "", series, [line]), outcome)


def _logarithms(ensemble: Ensemble, points: list[int]) -> Logarithms:
    """Joint moments over points and lengths; points that drew numbers of their own have no covariance."""
    lengths = ensemble.slices[points].ravel()
    order = np.argsort(lengths, kind="stable")
    sums = MomentSums(len(lengths))
    for samples in ensemble.stream(points, "log_conductance"):
        sums.add(samples.reshape(len(lengths), -1)[order])
    moments = sums.moments()
    means, variances = ([of(moments, k) for k in range(len(lengths))] for of in (mean, variance))
    matrix = covariance(moments, means + variances)
    owner = np.tile(np.repeat(points, ensemble.slices.shape[1])[order], 2)
    matrix = ensemble.joint_covariance(matrix, owner.tolist())
    return Logarithms(lengths[order].astype(np.float64), means, variances, matrix, moments.counts)


def _fit(data: Logarithms) -> tuple[Fit, NDArray[np.int64]]:
    """The straight line and the lengths in it.

    raises : PhysicsError, saying what is missing, where there is no such line
    """
    values = np.array([statistic.value for statistic in data.means])
    if len(values) < 2:
        raise PhysicsError("there is one length, and a slope needs two or more; list several under model.length")
    if not np.isfinite(values).all():
        raise PhysicsError("some lengths have no sample of ln g yet; let the run go on")
    fall = float(values[-2] - values[-1])
    if not fall > 0.0:
        raise PhysicsError("<ln g> does not fall between the two longest lengths; record longer ones")
    first = 2.0 * float(data.lengths[-1] - data.lengths[-2]) / fall
    used = np.flatnonzero(data.lengths >= FEWEST_XI * first)
    if len(used) < 2:
        raise PhysicsError(
            f"{len(used)} of the lengths are 3 xi or more, xi being about {first:.3g} slices, and two are needed; "
            f"record lengths beyond {FEWEST_XI * first:.0f} slices"
        )
    lengths = data.lengths[used]

    def line(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(parameters[0] - 2.0 * lengths / parameters[1])

    matrix, samples = data.matrix[np.ix_(used, used)], int(data.counts[used].min())
    return fit_correlated(line, values[used], matrix, start=[1.0, first], samples=samples), used


def _log_normality(data: Logarithms, used: NDArray[np.int64], xi: float) -> list[Result]:
    """d var ln g / d|<ln g>| between the first length beyond 15 xi, or else the first of the fit, and the last one."""
    last, count = int(used[-1]), len(data.lengths)
    far = [int(k) for k in used[:-1] if data.lengths[k] > SLOPE_XI * xi]
    first = far[0] if far else int(used[0])
    rise = data.variances[last].value - data.variances[first].value
    fall = data.means[first].value - data.means[last].value
    gradient = np.zeros(2 * count)
    gradient[[count + last, count + first]] = 1.0 / fall, -1.0 / fall
    gradient[[last, first]] = rise / fall**2, -rise / fall**2
    samples = int(data.counts[[first, last]].min())
    claimed = bool(far) and samples >= SLOPE_SAMPLES
    asymptote: Theory = {"value": 2.0, "model_error": None, "source": SLOPE_SOURCE}
    return [
        Result(
            name="log_normal_slope",
            label="d var ln g / d|<ln g>|",
            unit="",
            value=rise / fall,
            error=float(np.sqrt(gradient @ data.matrix @ gradient)),
            samples=samples,
            reliable=data.variances[first].reliable and data.variances[last].reliable,
            how=f"between L = {data.lengths[first]:g} and {data.lengths[last]:g}, with all covariances",
            theory=expectation(2.0, 2.0 * SLOPE_ERROR, SLOPE_SOURCE) if claimed else asymptote,
        )
    ]


def _xi_theory(ensemble: Ensemble, point: int) -> Theory | None:
    """xi of the mean free path: claimed with l of the one-l curve, an asymptote with that of the golden rule."""
    strip, one_l = ensemble.strips[point], ensemble.one_l[point]
    if strip.obstacle:
        return None
    if one_l is not None:
        value = localization_length(one_l.value, channels=strip.modes, beta=strip.symmetry.beta)
        return expectation(value, XI_ERROR * value, XI_SOURCE)
    if strip.golden_rule is None:
        return None
    value = localization_length(strip.golden_rule, channels=strip.modes, beta=strip.symmetry.beta)
    return {"value": value, "model_error": None, "source": GOLDEN_SOURCE}
