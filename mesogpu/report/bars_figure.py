"""The figure of a file of bars, drawn; imported only where a figure is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from mesogpu.report.bars_series import BarsLayout, Curve, lay_out_bars
from mesogpu.report.counts import span, unfinished
from mesogpu.report.numbers import quantity
from mesogpu.report.panels import CURVE_POINTS, GREY, LOG_SPAN, draw_points, place_legend
from mesogpu.report.series import COLOURS, MARKERS

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Entry = Mapping[str, Any]

SIZE = (4.6, 3.0)
"""Inches: one and a half columns of a journal page."""

TITLE_LETTERS = 76
"""In one line."""

HEADROOM = 1.2
DECADES = 3.0
"""From which only powers of ten are labelled."""

GUIDE = "guide"
RING: dict[str, Any] = {"ms": 8.0, "mfc": "none", "mew": 0.6}


def draw_bars(results: xarray.Dataset, summary: Mapping[str, Any]) -> Figure:
    """Localization lengths over the swept parameter, or the spectrum of one point, with errors and theory.

    results, summary : as for `plot_results`
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    axes, notes, name = figure.add_subplot(), [], "lyapunov_exponent"
    if len(summary["points"]) == 1:
        _draw_spectrum(axes, summary["points"][0])
    else:
        layout = lay_out_bars(results, summary)
        name = layout.quantity
        _draw_sweep(axes, layout)
        if layout.curves_left_out:
            notes.append(f"{len(layout.curves)} of {len(layout.curves) + layout.curves_left_out} curves")
    _draw_legend(figure, axes, summary["points"], name)
    figure.suptitle(textwrap.fill(", ".join([*_title(summary), *notes]), TITLE_LETTERS), fontsize=8.0)
    return figure


def _draw_sweep(axes: Axes, layout: BarsLayout) -> None:
    name = layout.quantity
    for curve in layout.curves:
        if _knows(curve.entries, "theory", name):
            _draw_theory(axes, curve, name)
        else:
            values = [entry[name]["value"] for entry in curve.entries]
            axes.plot(curve.x, values, color=curve.colour, linewidth=0.6, alpha=0.6, zorder=1, gid=GUIDE)
        _draw_table(axes, curve, name)
        items = [entry[name] for entry in curve.entries]
        draw_points(axes, curve.x, items, colour=curve.colour, marker=curve.marker, label=curve.label)
    _scale(axes.set_xscale, axes.xaxis, layout.abscissas())
    _scale(axes.set_yscale, axes.yaxis, layout.values())
    axes.set_xlabel(layout.axis_label)
    axes.set_ylabel(layout.value_label)


def _draw_spectrum(axes: Axes, entry: Entry) -> None:
    """Every exponent over its rank, and in words what follows from the smallest."""
    items = [item for item in entry["spectrum"] if item["value"] is not None]
    ranks = [float(rank) for rank in range(1, len(items) + 1)]
    if items:
        marked = [items[0] | {"reliable": entry["lyapunov_exponent"]["reliable"]}, *items[1:]]
        curve = Curve("", COLOURS[0], MARKERS[0], (1.0,), (entry,))
        _draw_theory(axes, curve, "lyapunov_exponent")
        draw_points(axes, ranks, marked, colour=COLOURS[0], marker=MARKERS[0], label="")
    axes.set_xlim(0.5, max(len(items), 1) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True) if len(items) > 8 else FixedLocator(ranks))
    axes.set_xlabel("rank $n$ of the exponent")
    axes.set_ylabel(r"$\gamma_n$ (1/slice)")
    words = [rf"$\xi = 1/\gamma_1$ = {quantity(entry['localization_length'])} slices"]
    if entry["lambda"] is not None and entry["width"] > 1:
        words.append(rf"$\Lambda = \xi/M$ = {quantity(entry['lambda'])}")
    axes.text(0.03, 0.97, "\n".join(words), transform=axes.transAxes, va="top", color=GREY)
    # From zero, for the spacing to be seen; with room for the words above the points at the left.
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.0), HEADROOM * high)


def _draw_theory(axes: Axes, curve: Curve, name: str) -> None:
    """Each closed form as a line through its values at neighbouring points; a dash where it stands alone."""
    pairs = [(x, entry.get("theory", {}).get(name)) for x, entry in zip(curve.x, curve.entries, strict=True)]
    for source, group in groupby(pairs, key=lambda pair: pair[1] and pair[1]["source"]):
        run = list(group)
        x, values = [each for each, _ in run], [found["value"] for _, found in run if found]
        if source and len(run) > 1:
            axes.plot(*_smooth(x, values), color=curve.colour, zorder=1)
        elif source:
            axes.plot(x, values, color=curve.colour, linestyle="none", marker="_", markersize=14.0, zorder=1)


def _smooth(x: Sequence[float], values: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A curve through points of a positive smooth function; exact for a power law of positive x."""
    logarithmic = x[0] > 0.0
    places = np.log(x) if logarithmic else np.asarray(x)
    between = np.linspace(places[0], places[-1], CURVE_POINTS)
    smooth = np.exp(PchipInterpolator(places, np.log(values))(between))
    return np.exp(between) if logarithmic else between, smooth


def _draw_table(axes: Axes, curve: Curve, name: str) -> None:
    """Tabulated values, hollow and larger than the measured points."""
    known = [
        (x, entry["reference"][name]["value"])
        for x, entry in zip(curve.x, curve.entries, strict=True)
        if name in entry.get("reference", {})
    ]
    if known:
        x, values = zip(*known, strict=True)
        axes.plot(x, values, marker="o", mec=curve.colour, linestyle="none", zorder=2, **RING)


def _scale(set_scale: Callable[[str], None], axis: Axis, numbers: Sequence[float]) -> None:
    """A logarithmic axis for positive numbers of different size; whole ticks for whole numbers, few plain ones else."""
    if numbers and min(numbers) > 0.0 and max(numbers) > LOG_SPAN * min(numbers):
        set_scale("log")
        decades = np.log10(max(numbers) / min(numbers))
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < DECADES else (1.0,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    elif all(float(number).is_integer() for number in numbers):
        axis.set_major_locator(MaxNLocator(8, integer=True))


def _knows(entries: Sequence[Entry], group: str, name: str) -> bool:
    """Whether theory, or a table, says anything of the quantity drawn."""
    return any(name in entry.get(group, {}) for entry in entries)


def _draw_legend(figure: Figure, axes: Axes, entries: Sequence[Entry], name: str) -> None:
    """The curves, then what lines, circles and hollow points are."""
    handles, labels = axes.get_legend_handles_labels()
    doubtful = any(entry["doubts"] for entry in entries if entry["bars"])
    kinds: list[tuple[str, bool, dict[str, Any]]] = [
        ("theory", _knows(entries, "theory", name), {}),
        ("guide to the eye", any(line.get_gid() == GUIDE for line in axes.lines), {"linewidth": 0.6}),
        ("table", _knows(entries, "reference", name), {"linestyle": "none", "marker": "o", **RING}),
        ("error not to be trusted", doubtful, {"linestyle": "none", "marker": "o", "mfc": "white"}),
    ]
    for label, present, style in kinds:
        if present:
            handles.append(Line2D([], [], color=GREY, **style))
            labels.append(label)
    place_legend(figure, handles, labels)


def _title(summary: Mapping[str, Any]) -> list[str]:
    """Name, number and length of the bars, and what is missing."""
    entries = [entry for entry in summary["points"] if entry["bars"]]
    counts = [entry["bars"] for entry in entries]
    several = " a point" if len(summary["points"]) > 1 else ""
    bars = "bar" if set(counts) == {1} else "bars"
    slices = span([entry["slices"] for entry in entries])
    parts = [summary["name"] or "results", f"{span(counts)} {bars} \N{MULTIPLICATION SIGN} {slices} slices{several}"]
    failed = sum(entry["failed"] for entry in entries)
    if failed:
        parts.append(f"{failed} failed bars left out")
    if not summary["complete"]:
        parts.append(unfinished(summary))
    return parts
