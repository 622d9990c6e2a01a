"""Rows of the landmark table that compare points or experiments with each other, in the form of a summary's checks.

A demand in percent is three standard errors of the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from mesogpu.analysis.theory import check, expectation

Summary = Mapping[str, Any]
Runs = Mapping[str, Summary]
"""Summaries by the names of their landmarks."""

Check = dict[str, Any]

SQUARE_CONDUCTANCE = 3.5
"""<g> at which squares of different width are compared."""

CLASSES_CHANNELS = 7
"""N of the wire in configs/landmarks/classes.yaml."""

BOX_SUM_OF_A_SQUARE = 0.185613
BOX_SUM_OF_A_TUBE = 0.154078
"""Lee, Stone & Fukuyama, PRB 35, 1039 (1987), hard walls and periodic sides at beta = 1; the sums to six digits."""

RATIO_DISORDER = 3.0
"""W at which squares and tubes of one width are compared."""

NOT_JUDGED = (
    "var g = 2/15, 1/15 and 8/15: limits of infinite length, judged by the box sum at the actual L/W and by tables",
    "d<g>/d ln L = -1/pi in two dimensions: squares of 32 to 64 sites are a few mean free paths long, where the "
    "contacts change <g> by more; drawn by `analyze`",
    "shot noise with SU(2) bonds: some 5 % below its law wherever <g> > 3, so no law is claimed",
    "W_c and nu of the Anderson transitions: they take scaling over many sizes, which is not here yet",
    "conductance fluctuations of cubes: the converged box sum and the published value disagree",
)
"""What has a known value and no verdict here, and why."""


def demanded(value: float, percent: float, source: str) -> dict[str, Any]:
    """A reference that a value must meet to so many percent."""
    return expectation(value, percent / 300.0 * abs(value), source)


def classes(runs: Runs) -> list[Check]:
    """xi in a field over xi without one: 2 N / (N + 1)."""
    plain, field = (point["localization_length"] for point in runs["classes"]["points"])
    ratio = field["value"] / plain["value"]
    error = ratio * math.hypot(field["error"] / field["value"], plain["error"] / plain["value"])
    expected = demanded(
        2.0 * CLASSES_CHANNELS / (CLASSES_CHANNELS + 1.0), 2.0, "xi = (beta N + 2 - beta) l (Beenakker 1997; 2 %)"
    )
    where = {"parameters": {"flux": "0.02 / 0"}}
    return [check("xi_ratio", where, ratio, error, expected) | {"label": "xi(flux)/xi(0)"}]


def wire(runs: Runs) -> list[Check]:
    """xi of a long wire against (N + 1) l, l from the mean conductance of the same strip; exponents evenly spaced."""
    fit = runs["quickstart"]["fits"]["one_l"][0]
    unit = (fit["channels"] + 1.0) * fit["l"]["value"]
    relative = fit["l"]["error"] / fit["l"]["value"]
    point = runs["wire"]["points"][0]
    length = point["localization_length"]
    source = "(N + 1) l, l from <g>(L) of the same strip (2 %)"
    expected = expectation(unit, math.hypot(relative, 0.02 / 3.0) * unit, source)
    found = [
        check("localization_length", {"parameters": {}}, length["value"], length["error"], expected) | {"label": "xi"}
    ]
    for rank, exponent in enumerate(point["spectrum"][: (fit["channels"] + 1) // 2 - 1], start=1):
        value, error = exponent["value"] * unit / rank, exponent["error"] * unit / rank
        even = demanded(1.0, 5.0, "evenly spaced exponents, gamma_n = n / xi up to N/2 (Beenakker 1997; 5 %)")
        found.append(check("spacing", {"parameters": {"n": rank}}, value, error, even) | {"label": "gamma_n xi/n"})
    return found


def squares(runs: Runs) -> list[Check]:
    """var g at <g> = 3.5 of squares of three widths, extrapolated to infinite width linearly in 1/M."""
    return _extrapolated(runs["squares"]["points"], BOX_SUM_OF_A_SQUARE, "square")


def tubes(runs: Runs) -> list[Check]:
    """The same of tubes; and at W = 3, how many times larger var g is with hard walls."""
    found = _extrapolated(runs["tubes"]["points"], BOX_SUM_OF_A_TUBE, "tube")
    ratio = BOX_SUM_OF_A_SQUARE / BOX_SUM_OF_A_TUBE
    expected = demanded(ratio, 5.0, "ratio of the box sums (Lee, Stone & Fukuyama 1987; 5 %)")
    rolled = {entry["length"]: entry["conductance_variance"] for entry in _at_disorder(runs["tubes"])}
    for entry in _at_disorder(runs["squares"]):
        hard, tube = entry["conductance_variance"], rolled[entry["length"]]
        value = hard["value"] / tube["value"]
        error = value * math.hypot(hard["error"] / hard["value"], tube["error"] / tube["value"])
        where = {"parameters": {"W": RATIO_DISORDER, "M": entry["length"]}}
        label = "var g, hard/periodic"
        found.append(check("variance_ratio", where, value, error, expected) | {"label": label})
    return found


def _at_disorder(summary: Summary) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = summary["points"]
    return [entry for entry in entries if RATIO_DISORDER in entry["parameters"].values()]


def _extrapolated(entries: list[Mapping[str, Any]], box_sum: float, shape: str) -> list[Check]:
    """var g at one conductance in the limit of infinite width; none where a width does not reach that conductance."""
    widths = sorted({entry["length"] for entry in entries})
    at_g = [_variance_at(SQUARE_CONDUCTANCE, [e for e in entries if e["length"] == width]) for width in widths]
    if any(pair is None for pair in at_g):
        return []
    values, errors = np.array(at_g, dtype=float).T
    terms = np.stack([np.ones(len(widths)), 1.0 / np.array(widths)], axis=1) / errors[:, None]
    covariance = np.linalg.inv(terms.T @ terms)
    limit = float((covariance @ terms.T @ (values / errors))[0])
    expected = demanded(box_sum, 10.0, f"the box sum of a {shape} (Lee, Stone & Fukuyama 1987; 10 % for the width)")
    where = {"parameters": {"M": "infinite", "<g>": SQUARE_CONDUCTANCE}}
    found = check("conductance_variance", where, limit, math.sqrt(covariance[0, 0]), expected)
    finite = [
        {"width": width, "value": value, "error": error}
        for width, value, error in zip(widths, values.tolist(), errors.tolist(), strict=True)
    ]
    return [found | {"finite": finite}]


def _variance_at(conductance: float, entries: list[Mapping[str, Any]]) -> tuple[float, float] | None:
    """var g and its error where <g> has a value, between the two neighbouring disorders; None beyond all of them."""
    ordered = sorted(entries, key=lambda entry: float(entry["conductance_mean"]["value"]))
    for below, above in pairwise(ordered):
        low, high = (entry["conductance_mean"]["value"] for entry in (below, above))
        if low <= conductance <= high:
            share = (conductance - low) / (high - low)
            first, second = below["conductance_variance"], above["conductance_variance"]
            value = (1.0 - share) * first["value"] + share * second["value"]
            return value, math.hypot((1.0 - share) * first["error"], share * second["error"])
    return None


COMPARISONS: Mapping[str, tuple[tuple[str, ...], Callable[[Runs], list[Check]]]] = {
    "classes": (("classes",), classes),
    "wire": (("quickstart", "wire"), wire),
    "squares": (("squares",), squares),
    "tubes": (("squares", "tubes"), tubes),
}
"""By the landmark that they are listed under: the landmarks that they need, and what makes them."""
