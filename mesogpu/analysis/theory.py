"""What theory says beside each entry of a summary, and the verdict within three combined errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mesogpu.analysis.one_l import OneL
from mesogpu.analysis.record import Analysis, judged, merged
from mesogpu.analysis.regime import Strip
from mesogpu.analysis.tabulated import tabulated
from mesogpu.physics.closed_forms import box_sum_variance, diffusive_fano_factor, mean_conductance

DISTANCE = 3.0
"""Combined standard errors within which a value agrees with its reference."""

CLEAN_ERROR = 1e-10

ONE_L_SOURCE = "the one-l curve of a wire (Mello & Stone 1991; model error {:.3g} %)"
BOX_SOURCE = "the box sum at the actual L/W (Lee, Stone & Fukuyama 1987; model error {:.3g} %)"
FANO_SOURCE = "diffusive shot noise (Beenakker & Buettiker 1992; model error {:.3g} %)"
CLEAN_SOURCE = "the number of channels of a clean strip (exact)"


def entry_theory(strip: Strip, one_l: OneL | None, length: int, conductance: float) -> dict[str, dict[str, Any]]:
    """Theory beside one (point, length): per quantity its value, model error and source; empty out of regime.

    conductance : measured <g>
    """
    if strip.clean:
        return {"conductance_mean": expectation(float(strip.channels), CLEAN_ERROR, CLEAN_SOURCE)}
    if one_l is None:
        return {}
    theory = {}
    s, rule = length / one_l.value, strip.verified
    beta, copies = strip.symmetry.beta, strip.symmetry.multiplicity
    if any(item.used and item.length == length for item in one_l.per_length):
        curve = copies * float(mean_conductance(length, channels=strip.modes, mean_free_path=one_l.value, beta=beta))
        theory["conductance_mean"] = _law(curve, rule.one_l_error, ONE_L_SOURCE)
    if strip.is_diffusive_wire(length, conductance, s, rule.variance_s):
        lattice = strip.system.lattice
        box = box_sum_variance(length / lattice.width, periodic=lattice.periodic[0], beta=beta)
        theory["conductance_variance"] = _law(copies**2 * box, rule.variance_error, BOX_SOURCE)
    if strip.is_diffusive_wire(length, conductance, s, rule.fano_s):
        fano = diffusive_fano_factor(s, conductance=strip.one(conductance), beta=beta)
        theory["fano"] = _law(fano, rule.fano_error, FANO_SOURCE)
    return theory


def entry_references(strip: Strip, length: int) -> dict[str, dict[str, Any]]:
    """Tabulated finite-size values for exactly this system and length, in the form of `entry_theory`."""
    found = tabulated(strip.system, length)
    return {name: expectation(value, error, source) for name, (value, error, source) in found.items()}


def entry_checks(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Verdicts on one entry of a summary: against the table, and against every law in its regime."""
    where: dict[str, Any] = {key: entry[key] for key in ("parameters", "length") if key in entry}
    checks = []
    for group in ("reference", "theory"):
        for quantity, reference in entry.get(group, {}).items():
            # The one-l curve was fitted to these very means; its check is the drift of l.
            fitted = group == "theory" and quantity == "conductance_mean" and reference["source"] != CLEAN_SOURCE
            if quantity in entry and not fitted:
                measured = entry[quantity]
                error = measured["error"] if measured["reliable"] else math.nan
                checks.append(check(quantity, where, measured["value"], error, reference))
    return checks


def one_l_check(one_l: OneL, parameters: dict[str, float]) -> list[dict[str, Any]]:
    """Verdict on the one-l fit: whether l from the worst length equals the joint l within the model error."""
    drift = one_l.drift()
    if drift is None:
        return []
    length, departure, spread = drift
    where = {"parameters": parameters, "length": length}
    reference = _law(one_l.value, one_l.model_error, ONE_L_SOURCE)
    return [check("one_l", where, one_l.value * (1.0 + departure), one_l.value * spread, reference)]


def record_checks(records: Sequence[Analysis]) -> list[dict[str, Any]]:
    """Verdicts on every result of an analysis whose theory states a model error."""
    checks = []
    for record, result in judged(records):
        error = result.error if result.reliable else math.nan
        where = merged(record.where, result.where)
        checks.append(check(result.name, where, result.value, error, result.theory or {}) | {"label": result.label})
    return checks


def check(what: str, where: dict[str, Any], value: float, error: float, reference: dict[str, Any]) -> dict[str, Any]:
    """One verdict; `agrees` is None where the value has no trustworthy error, given as NaN."""
    distance = None
    if math.isfinite(value) and math.isfinite(error):
        distance = (value - reference["value"]) / math.hypot(error, reference["model_error"])
    return {
        "what": what,
        "where": where,
        "value": value,
        "error": error,
        "reference": reference["value"],
        "reference_error": reference["model_error"],
        "source": reference["source"],
        "agrees": None if distance is None else abs(distance) <= DISTANCE,
        "distance": distance,
    }


def expectation(value: float, error: float, source: str) -> dict[str, Any]:
    """What a value is compared with: a number, its error, where it comes from."""
    return {"value": value, "model_error": error, "source": source}


def _law(value: float, relative_error: float, source: str) -> dict[str, Any]:
    return expectation(value, relative_error * value, source.format(100.0 * relative_error))
