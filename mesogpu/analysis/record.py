"""The record of one analysis, as it stands in a summary under "analyses": the one form that every renderer reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Where = dict[str, Any]
"""{"parameters": {name: value}, "length": slices}, either of them missing where it is not one."""

Theory = dict[str, Any]
"""{"value", "model_error", "source"}; a model error of None makes it an asymptote, drawn and never judged."""


@dataclass(frozen=True, slots=True)
class Result:
    """One number of an analysis.

    name     : in a program: "correlation_energy"
    label    : in a sentence or a table: "E_c"
    unit     : "" for a plain number
    value    : NaN where there are too few samples
    error    : one standard error; NaN where it is not known
    samples  : realizations behind it
    reliable : whether the error is to be trusted
    how      : estimator and error in words
    where    : what of sweep and length is this number's own, beside the record's `where`
    theory   : what it is compared with
    """

    name: str
    label: str
    unit: str
    value: float
    error: float
    samples: int
    reliable: bool
    how: str
    where: Where = field(default_factory=dict)
    theory: Theory | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points to draw with error bars, one a value of the curve's x."""

    label: str
    value: list[float]
    error: list[float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of theory on its own abscissas; claimed where it is more than an asymptote drawn for the eye."""

    label: str
    x: list[float]
    value: list[float]
    claimed: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """What one figure of the analysis shows.

    x      : abscissas of every series
    unit   : of x, "" for a plain number; y_unit likewise
    scales : "linear", or the axis that is better logarithmic: "x", "y" or "xy"
    """

    x: list[float]
    x_label: str
    unit: str
    y_label: str
    y_unit: str
    series: list[Series]
    theory: list[Line] = field(default_factory=list)
    scales: str = "linear"


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """A fit behind some of the results.

    parameters : as results
    chi_square : with the full covariance of the data; None without one
    p_value    : probability of one at least as large if the model were exact; None without freedom
    window     : which data entered, in words
    rule       : how the window was chosen, stated before any data
    """

    parameters: list[Result]
    chi_square: float | None
    degrees_of_freedom: int | None
    p_value: float | None
    window: str
    rule: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis of one part of a sweep.

    kind    : which analysis: "paired_difference", "correlation", ...
    title   : what it is, for a heading
    where   : the part of the sweep
    results : its numbers, the most telling first
    words   : what the numbers say, where that is not a number; "" where it is
    missing : what the analysis lacks and how to get it; "" where it lacks nothing. It then has no results, or fewer
    """

    kind: str
    title: str
    where: Where
    results: list[Result] = field(default_factory=list)
    curve: Curve | None = None
    fit: FitOutcome | None = None
    words: str = ""
    missing: str = ""


def plain(records: Iterable[Analysis]) -> list[dict[str, Any]]:
    """The records as plain data, what is absent left out."""
    return [_without_absent(asdict(record)) for record in records]


def judged(records: Sequence[Analysis]) -> list[tuple[Analysis, Result]]:
    """Every result whose theory states a model error, with its record."""
    return [
        (record, result)
        for record in records
        for result in record.results
        if result.theory is not None and result.theory["model_error"] is not None
    ]


def merged(where: Where, own: Where) -> Where:
    """The place of a result: its record's and its own."""
    return where | own | {"parameters": where.get("parameters", {}) | own.get("parameters", {})}


def _without_absent(value: Any) -> Any:
    if isinstance(value, dict):
        absent = {key for key in ("theory", "curve", "fit") if value.get(key, 0) is None}
        absent |= {key for key in ("words", "missing") if value.get(key) == ""}
        return {key: _without_absent(item) for key, item in value.items() if key not in absent}
    return [_without_absent(item) for item in value] if isinstance(value, list) else value
