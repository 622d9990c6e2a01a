"""The figure of one analysis, whatever its kind: points with errors, theory as lines; imported only where drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import cycle
from typing import Any

from matplotlib.figure import Figure

from mesogpu.report.counts import span, unfinished
from mesogpu.report.panels import GREY, draw_points, place_legend
from mesogpu.report.records import place
from mesogpu.report.series import COLOURS, MARKERS

SIZE = (4.6, 3.0)
"""Inches: one and a half columns of a journal page."""

TITLE_LETTERS = 76
ROOM = 0.05
"""Of the points' height, above and below."""


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
    for series, colour, marker in zip(curve["series"], cycle(COLOURS), cycle(MARKERS), strict=False):
        pairs = zip(curve["x"], series["value"], series["error"], strict=True)
        present = [(x, {"value": value, "error": error}) for x, value, error in pairs if value is not None]
        x, items = [x for x, _ in present], [item for _, item in present]
        draw_points(axes, x, items, colour=colour, marker=marker, label=series["label"])
    if curve.get("scales", "linear") in ("linear", "x"):
        _keep_in_view(axes, curve)
    for number, line in enumerate(curve.get("theory", ())):
        shade = COLOURS[number % len(COLOURS)] if len(curve["theory"]) == len(curve["series"]) > 1 else GREY
        style = "-" if line["claimed"] else "--"
        axes.plot(line["x"], line["value"], color=shade, linestyle=style, zorder=1, label=line["label"], scaley=False)
    axes.set_xlabel(_labelled(curve["x_label"], curve["unit"]))
    axes.set_ylabel(_labelled(curve["y_label"], curve["y_unit"]))
    place_legend(figure, *axes.get_legend_handles_labels())
    figure.suptitle(textwrap.fill(", ".join(_title(record, summary)), TITLE_LETTERS), fontsize=8.0)
    return figure


def _keep_in_view(axes: Any, curve: Mapping[str, Any]) -> None:
    """Limits that hold the points and the claimed theory; an asymptote may leave the picture."""
    claimed = [line["value"] for line in curve.get("theory", ()) if line["claimed"]]
    heights = [*axes.get_ylim(), *(value for values in claimed for value in values if value is not None)]
    margin = ROOM * (max(heights) - min(heights))
    axes.set_ylim(min(heights) - margin, max(heights) + margin)


def _labelled(label: str, unit: str) -> str:
    """What an axis is, with its unit; a dollar sign of the label's own is no mathematics unless it comes in pairs."""
    text = label if label.count("$") % 2 == 0 else label.replace("$", r"\$")
    return f"{text} ({unit})" if unit else text


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
