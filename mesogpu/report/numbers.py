"""Numbers as people write them: 0.1284(28), flux = 0.006."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SMALLEST_PLAIN = 1e-4
LARGEST_PLAIN = 1e6
SYMBOLS = {
    "conductance_mean": "<g>",
    "conductance_variance": "var g",
    "log_conductance_mean": "<ln g>",
    "fano": "F",
    "one_l": "l",
    "lyapunov_exponent": "gamma",
    "lambda": "Lambda",
}
"""What the quantities of a summary are called in a sentence or a heading."""


def with_error(value: float | None, error: float | None) -> str:
    """A number with its standard error in units of the last digits, two of them.

    0.12843, 0.00281 -> "0.1284(28)"; without an error four significant digits; an empty string for no value
    """
    if value is None:
        return ""
    if error is None:
        return f"{value:.4g}"
    if error == 0.0 or error < 1e-14 * abs(value):
        return f"{value:.10g}"
    size = max(abs(value), error)
    exponent = 0 if SMALLEST_PLAIN <= size < LARGEST_PLAIN else math.floor(math.log10(size))
    mantissa, spread = value / 10.0**exponent, error / 10.0**exponent
    # Two digits of the error; 0.0996 rounds to 0.10 and needs one place less.
    places = 1 - math.floor(math.log10(spread))
    if round(spread * 10.0**places) >= 100:
        places -= 1
    if places > 0:
        # An error of one or more keeps its point: 12.3(1.5).
        rounded = round(spread, places)
        shown = f"{rounded:.{places}f}" if rounded >= 1.0 else f"{round(spread * 10.0**places)}"
        text = f"{mantissa:.{places}f}({shown})"
    else:
        text = f"{round(mantissa, places):.0f}({round(spread, places):.0f})"
    return text if exponent == 0 else f"{text}e{exponent:+03d}"


def quantity(entry: Mapping[str, Any] | None) -> str:
    """A summary's {"value", "error"} with its error; an asterisk where the error is not to be trusted."""
    if entry is None or entry["value"] is None:
        return ""
    mark = "" if entry.get("reliable", True) else "*"
    return with_error(entry["value"], entry.get("error", entry.get("model_error"))) + mark


def plain(value: float) -> str:
    """A parameter as short as it can be: 0.006, 30."""
    return f"{value:.6g}"


def where(parameters: Mapping[str, float], length: int | None = None) -> str:
    """A point in words: "flux = 0.006, L = 240"."""
    parts = [f"{name} = {plain(value)}" for name, value in parameters.items()]
    return ", ".join(parts if length is None else [*parts, f"L = {length}"])


def at(parameters: Mapping[str, float], length: int | None = None) -> str:
    """The same in the middle of a sentence: " at flux = 0.006, L = 240"; nothing where there is neither."""
    place = where(parameters, length)
    return f" at {place}" if place else ""
