"""The summary of a results file of bars: Lyapunov exponents, localization lengths, and whether bars are long enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mesogpu.analysis.bars import MANY_BARS, NEEDED, OUTLIER, VARIABLES, Estimates, PointBars, read_bars
from mesogpu.analysis.chains import chain_theory
from mesogpu.analysis.samples import require_variables
from mesogpu.analysis.stored import sweep_parameters, systems
from mesogpu.analysis.tabulated import tabulated_bar
from mesogpu.analysis.theory import DISTANCE, entry_checks, expectation
from mesogpu.backends.bars import BATCHES
from mesogpu.config.experiment import Experiment
from mesogpu.physics.systems import System

if TYPE_CHECKING:
    import xarray

LONG_BATCH = 10.0
"""Localization lengths in a batch from which batches are independent of each other and normally distributed."""

METHOD = {
    "lyapunov_exponent": "the smallest positive exponent, 1/xi, per slice: mean over bars of equal length",
    "errors": (
        f"one standard error: from the scatter between bars, which are independent; of fewer than {MANY_BARS} bars the "
        "larger of that and the error within bars; of one bar the latter: `error_source` says which"
    ),
    "within_bar_error": (
        f"from the scatter of {BATCHES} consecutive batches of each bar: root mean square over bars / sqrt(bars)"
    ),
    "error_ratio": (
        "error between bars / error within bars: one within its `scatter`, sqrt(1/(2(n-1)) + 1/(62n)) of n bars, where "
        "the batches of a bar are independent of each other"
    ),
    "drift": (
        "second half of the bars minus first half; `stationary` where it is within three standard errors. A warm-up "
        "too short shows here: what the start adds to the exponent is minus half the drift"
    ),
    "localization_length": "xi = 1/lyapunov_exponent in slices, <ln g> = -2 L/xi; error of first order",
    "lambda": "xi/M, M the width in sites (along y); none where the bar is not as deep as wide",
    "spectrum": "every stored exponent, smallest first, its error by the same rule",
    "reliable": (
        "false where there is something in `doubts`: no_error; short_batches, a batch (1/32 of a bar) shorter than "
        "10 xi; drift, the bars not stationary; outlier, one bar carrying more of the scatter than the farthest of so "
        "many normal ones does in one of 1000 ensembles (Grubbs 1950)"
    ),
    "failed": "bars that no certificate vouches for are left out and counted",
    "theory": (
        "given for chains without spin and with one uncorrelated law on the sites: Lloyd's closed form for Cauchy's, "
        "at any strength; the weak-disorder forms for symmetric laws of variance up to that of a box W = 0.5 t, at "
        "E = 0, at 10 variances <= |E| <= 1 and at |E| = 2 (t = 1)"
    ),
    "checks": "|value - reference| <= 3 sqrt(standard error^2 + reference error^2), model errors stated beforehand",
}


def holds_bars(results: xarray.Dataset) -> bool:
    """Whether a file is of bars rather than of samples between leads."""
    return any(name in results for name in VARIABLES)


def summarise_bars(results: xarray.Dataset, experiment: Experiment | None) -> dict[str, Any]:
    """Lyapunov exponents of every point with their errors, drift and theory.

    raises : StoreError where the dataset lacks what statistics need, or holds other points than the experiment
    """
    require_variables(results, NEEDED)
    slices, warmup = results["slices"].to_numpy()[:, 0], results["warmup"].to_numpy()
    parameters = sweep_parameters(results)
    known: list[System | None] = [None] * len(parameters)
    if experiment is not None:
        known = [*systems(experiment, len(parameters))]
    entries: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    for index, bars in enumerate(read_bars(results)):
        entry: dict[str, Any] = {
            "parameters": parameters[index],
            "slices": int(slices[index]),
            "warmup": int(warmup[index]),
        }
        entry |= _counts(bars) | _exponent(bars, int(slices[index]))
        system = known[index]
        if system is not None:
            entry |= _width(system, entry["localization_length"]) | _expected(system)
            checks += entry_checks(entry)
        entries.append(entry)
    return {
        "name": experiment.name if experiment else None,
        "complete": not any(entry["not_computed"] for entry in entries),
        "bars": int(results.sizes["realization"]),
        "points": entries,
        "fits": {},
        "method": METHOD,
        "checks": checks,
        "analyses": [],
    }


def _counts(bars: PointBars) -> dict[str, int]:
    return {"bars": bars.used, "failed": bars.failed, "not_computed": bars.missing}


def _exponent(bars: PointBars, slices: int) -> dict[str, Any]:
    """The smallest exponent, all that tells whether to believe it, and what follows from it."""
    value, error = float(bars.exponents.values[0]), float(bars.exponents.errors[0])
    drift, spread = float(bars.drift.values[0]), float(bars.drift.errors[0])
    stationary = abs(drift) <= DISTANCE * spread if math.isfinite(drift) and math.isfinite(spread) else None
    doubts = {
        "no_error": not math.isfinite(error),
        "short_batches": not value * slices >= LONG_BATCH * BATCHES,
        "drift": stationary is False,
        "outlier": bars.outlier < OUTLIER,
    }
    reliable = not any(doubts.values())
    length, relative = (1.0 / value, error / value) if value > 0.0 else (math.nan, math.nan)
    ratio, scatter = bars.error_ratio
    return {
        "lyapunov_exponent": {"value": value, "error": error, "reliable": reliable},
        "error_source": "between_bars" if error == float(bars.exponents.between[0]) else "within_bars",
        "between_bar_error": float(bars.exponents.between[0]),
        "within_bar_error": float(bars.exponents.within[0]),
        "error_ratio": {"value": ratio, "scatter": scatter},
        "drift": {"value": drift, "error": spread, "stationary": stationary},
        "doubts": [name for name, present in doubts.items() if present],
        "localization_length": {"value": length, "error": relative * length, "reliable": reliable},
        "lambda": None,
        "spectrum": _spectrum(bars.exponents),
    }


def _spectrum(exponents: Estimates) -> list[dict[str, float]]:
    pairs = zip(exponents.values.tolist(), exponents.errors.tolist(), strict=True)
    return [{"value": value, "error": error} for value, error in pairs]


def _width(system: System, length: dict[str, Any]) -> dict[str, Any]:
    """The cross-section in sites, and xi in units of it."""
    lattice = system.lattice
    found: dict[str, Any] = {"width": lattice.width}
    if lattice.kind == "cubic":
        found["depth"] = lattice.depth
        if lattice.depth != lattice.width:
            return found
    scaled = {name: length[name] / lattice.width for name in ("value", "error")}
    return found | {"lambda": scaled | {"reliable": length["reliable"]}}


def _expected(system: System) -> dict[str, Any]:
    """Closed forms and tabulated values beside the measurement, where there are any."""
    theory = chain_theory(system)
    table = {name: expectation(*found) for name, found in tabulated_bar(system).items()}
    return ({"theory": theory} if theory else {}) | ({"reference": table} if table else {})
