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
"""Lee, Stone & Fukuyama, PRB 35, 1039 (1987), with hard walls at beta = 1; the sum evaluated to six digits."""


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
    return [check("xi_ratio", {"parameters": {"flux": "0.02 / 0"}}, ratio, error, expected)]


def wire(runs: Runs) -> list[Check]:
    """xi of a long wire against (N + 1) l, l from the mean conductance of the same strip; exponents evenly spaced."""
    fit = runs["quickstart"]["fits"]["one_l"][0]
    unit = (fit["channels"] + 1.0) * fit["l"]["value"]
    relative = fit["l"]["error"] / fit["l"]["value"]
    point = runs["wire"]["points"][0]
    length = point["localization_length"]
    source = "(N + 1) l, l from <g>(L) of the same strip (2 %)"
    expected = expectation(unit, math.hypot(relative, 0.02 / 3.0) * unit, source)
    found = [check("localization_length", {"parameters": {}}, length["value"], length["error"], expected)]
    for rank, exponent in enumerate(point["spectrum"][: (fit["channels"] + 1) // 2 - 1], start=1):
        value, error = exponent["value"] * unit / rank, exponent["error"] * unit / rank
        even = demanded(1.0, 5.0, "evenly spaced exponents, gamma_n = n / xi up to N/2 (Beenakker 1997; 5 %)")
        found.append(check("spacing", {"parameters": {"n": rank}}, value, error, even))
    return found


def squares(runs: Runs) -> list[Check]:
    """var g at <g> = 3.5 of squares of three widths, extrapolated to infinite width linearly in 1/M."""
    entries = runs["squares"]["points"]
    widths = sorted({entry["length"] for entry in entries})
    at_g = [_variance_at(SQUARE_CONDUCTANCE, [e for e in entries if e["length"] == width]) for width in widths]
    if any(pair is None for pair in at_g):
        return []
    values, errors = np.array(at_g, dtype=float).T
    terms = np.stack([np.ones(len(widths)), 1.0 / np.array(widths)], axis=1) / errors[:, None]
    covariance = np.linalg.inv(terms.T @ terms)
    limit = float((covariance @ terms.T @ (values / errors))[0])
    source = "the box sum of a square (Lee, Stone & Fukuyama 1987; 10 % for the width)"
    expected = demanded(BOX_SUM_OF_A_SQUARE, 10.0, source)
    where = {"parameters": {"M": "infinite", "<g>": SQUARE_CONDUCTANCE}}
    return [check("conductance_variance", where, limit, math.sqrt(covariance[0, 0]), expected)]


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
}
"""By the landmark that they are listed under: the landmarks that they need, and what makes them."""
