"""The figure of one analysis, whatever its kind: points with errors, theory as lines; imported only where drawn."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mesogpu.report.counts import span, unfinished
from mesogpu.report.numbers import plain
from mesogpu.report.panels import GREY, draw_points, place_legend
from mesogpu.report.records import place
from mesogpu.report.series import COLOURS, MARKERS, MOST_SERIES, spread

SIZE = (4.6, 3.0)
"""Inches: one and a half columns of a journal page."""

TITLE_LETTERS = 76
LABEL_LETTERS = 32
SHORT_LETTERS = 30
UNBROKEN = "\N{NO-BREAK SPACE}"
MOST_TICKS = 8
ROOM = 0.05
"""Of the points' height, above and below."""

MOST_ROOM = 3.0
"""Heights of points and claimed theory that the picture may have to hold an asymptote."""


def draw_analysis(record: Mapping[str, Any], summary: Mapping[str, Any]) -> Figure:
    """One record of a summary's analyses: every series with its errors, claimed theory solid, asymptotes dashed.

    record : with a curve
    """
    curve = record["curve"]
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    for axis in "xy":
        if axis in curve.get("scales", "linear").removeprefix("linear"):
            axes.set(**{f"{axis}scale": "log"})
    drawn = spread(curve["series"], MOST_SERIES)
    hidden = {series["label"]: "" for series in curve["series"] if series not in drawn}
    curve = {**curve, "theory": [line for line in curve.get("theory", ()) if not _named(line["label"], hidden)]}
    for series, colour, marker in zip(drawn, COLOURS, MARKERS, strict=False):
        pairs = zip(curve["x"], series["value"], series["error"], strict=True)
        present = [(x, {"value": value, "error": error}) for x, value, error in pairs if value is not None]
        x, items = [x for x, _ in present], [item for _, item in present]
        draw_points(axes, x, items, colour=colour, marker=marker, label=series["label"])
    beyond = _keep_in_view(axes, curve) if curve.get("scales", "linear") in ("linear", "x") else []
    shades = {series["label"]: colour for series, colour in zip(drawn, COLOURS, strict=False)}
    for line in curve["theory"]:
        style = "-" if line["claimed"] else "--"
        shade = shades.get(_named(line["label"], shades), GREY)
        label = line["label"] + (" (beyond the picture)" if line in beyond else "")
        axes.plot(line["x"], line["value"], color=shade, linestyle=style, zorder=1, label=label, scaley=False)
    if curve.get("scales", "linear") in ("x", "xy") and len(curve["x"]) <= MOST_TICKS:
        axes.set_xticks(curve["x"], [plain(x) for x in curve["x"]])
        axes.set_xticks([], minor=True)
    axes.set_xlabel(_labelled(curve["x_label"], curve["unit"]))
    axes.set_ylabel(_labelled(curve["y_label"], curve["y_unit"]))
    handles, labels = axes.get_legend_handles_labels()
    # The points first, then the theory.
    order = sorted(range(len(handles)), key=lambda number: isinstance(handles[number], Line2D))
    place_legend(figure, [handles[number] for number in order], [labels[number] for number in order])
    left_out = [f"{len(drawn)} of {len(curve['series'])} series"] if hidden else []
    title = ", ".join(_unbroken(part) for part in [*_title(record, summary), *left_out])
    figure.suptitle("\n".join(_wrapped(title, TITLE_LETTERS)), fontsize=8.0)
    return figure


def _keep_in_view(axes: Any, curve: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Limits that hold the points, the claimed theory, and asymptotes unless they dwarf these.

    returns : the asymptotes that are not in view all along
    """
    lines = [(line, [value for value in line["value"] if value is not None]) for line in curve.get("theory", ())]
    heights = [*axes.get_ylim(), *(value for line, values in lines if line["claimed"] for value in values)]
    room = MOST_ROOM * (max(heights) - min(heights))
    beyond = []
    for line, values in lines:
        if max([*heights, *values]) - min([*heights, *values]) <= room:
            heights += values
        else:
            beyond.append(line)
    margin = ROOM * (max(heights) - min(heights))
    axes.set_ylim(min(heights) - margin, max(heights) + margin)
    return beyond


def _named(label: str, names: Iterable[str]) -> str:
    """The series that a line's label names as a whole word; empty for a line of its own."""
    found = (name for name in names if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", label))
    return next(found, "")


def _unbroken(text: str, short: int = SHORT_LETTERS) -> str:
    """A short text with spaces at which no line ends; a longer one with those around an equals sign alone."""
    return text.replace(" ", UNBROKEN) if len(text) <= short else text.replace(" = ", f"{UNBROKEN}={UNBROKEN}")


def _wrapped(text: str, letters: int) -> list[str]:
    lines = textwrap.wrap(text, letters, break_long_words=False)
    return [line.replace(UNBROKEN, " ") for line in lines]


def _labelled(label: str, unit: str) -> str:
    """What an axis is, with its unit, in lines that the axis can hold."""
    lines = _wrapped(_unbroken(label, 0), LABEL_LETTERS) or [""]
    if unit:
        apart = "\n" if len(f"{lines[-1]} ({unit})") > LABEL_LETTERS else " "
        lines[-1] += f"{apart}({unit})"
    # A dollar sign of the text's own is no mathematics.
    return "\n".join(lines).replace("$", r"\$").replace("e^2/h", "$e^2/h$")


def _title(record: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    parts = [summary["name"] or "results", record["title"]]
    where = place(record)
    if where:
        parts.append(where)
    counts = [result["samples"] for result in record.get("results", ()) if result["samples"]]
    if counts:
        parts.append(f"{span(counts)} realizations")
    if not summary["complete"]:
        parts.append(unfinished(summary))
    return parts
