"""The panels of the figure, each drawn into the axes it is given; imported only where a figure is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from mesogpu.physics.closed_forms import box_sum_variance, mean_conductance
from mesogpu.plan.blocks import Status
from mesogpu.report.series import Histogram, Layout, Series

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE_POINTS = 60
MOST_SAMPLES = 2**20
"""Samples in a histogram at most: more change nothing that can be seen."""

MOST_BINS = 50
LOG_SPAN = 20.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""

ZERO_SHARE = 0.7
"""Smallest over largest mean below which the axis starts at zero."""

SAME = 1e-9
"""Relative spread of samples that differ by rounding alone."""

HEADROOM = 1.05
LEGEND_LETTERS = 130
"""Letters in one line of the legend."""

NARROW_LEGEND_LETTERS = 84
"""The same in a figure of one panel."""

GREY = "0.45"


def draw_mean(axes: Axes, layout: Layout) -> None:
    """Panel (a): <g>, or <ln g> of localized samples, and the one-l curves."""
    name = "log_conductance_mean" if layout.localized else "conductance_mean"
    for series in layout.series:
        _draw_series(axes, series, name)
        if series.fit and not layout.localized:
            lengths = np.linspace(min(series.x), max(series.x), CURVE_POINTS)
            fit = series.fit
            value, beta = fit["l"]["value"], fit["symmetry_class"]
            one = np.asarray(mean_conductance(lengths, channels=fit["channels"], mean_free_path=value, beta=beta))
            curve = fit["multiplicity"] * one
            used = (lengths >= min(fit["lengths_used"])) & (lengths <= max(fit["lengths_used"]))
            axes.plot(lengths, curve, color=series.colour, linestyle=":", zorder=1)
            axes.plot(lengths[used], curve[used], color=series.colour, zorder=1)
    _label_axes(
        axes, layout, r"$\langle \ln g \rangle$" if layout.localized else rf"$\langle g \rangle$ ({layout.unit})"
    )
    if not layout.localized:
        _make_logarithmic(axes, layout, name)


def draw_variance(axes: Axes, layout: Layout) -> None:
    """Panel (b): var g with the box sum and the asymptotes of long wires, or var ln g of localized samples."""
    name = "log_conductance_variance" if layout.localized else "conductance_variance"
    for series in layout.series:
        _draw_series(axes, series, name)
        if layout.over_length and not layout.localized:
            _draw_table(axes, series)
            if series.fit:
                _draw_box_sum(axes, series, series.fit)
    if layout.localized:
        _label_axes(axes, layout, r"var $\ln g$")
        axes.set_ylim(0.0, HEADROOM * axes.get_ylim()[1])
        return
    unit = r"$(e^2/h)^2$ per spin" if "spin" in layout.unit else r"$(e^2/h)^2$"
    _label_axes(axes, layout, rf"var $g$ ({unit})")
    axes.set_ylim(0.0, HEADROOM * axes.get_ylim()[1])
    _draw_asymptotes(axes, layout)


def draw_histogram(axes: Axes, results: xarray.Dataset, layout: Layout) -> None:
    """Panel (c): distribution of g (or ln g) at the longest length, beside the normal law of equal mean and variance.

    A long sweep shows outlines alone, in shades that follow the swept parameter.
    """
    variable = "log_conductance" if layout.localized else "conductance"
    for histogram in layout.histograms:
        samples = _samples(results, variable, histogram)
        # Samples that are all alike have no distribution; theirs would hide the others'.
        if len(samples) < 2 or np.ptp(samples) <= SAME * max(1.0, float(np.abs(samples).max())):
            continue
        bins = min(MOST_BINS, max(8, round(2.0 * len(samples) ** (1.0 / 3.0))))
        if layout.over_length:
            axes.hist(samples, bins=bins, density=True, histtype="stepfilled", color=histogram.colour, alpha=0.3, lw=0)
            _draw_normal(axes, histogram, variable)
        else:
            label = histogram.label
            axes.hist(samples, bins=bins, density=True, histtype="step", color=histogram.colour, lw=0.9, label=label)
    axes.set_xlabel(r"$\ln g$" if layout.localized else f"$g$ ({layout.unit})")
    axes.set_ylabel(r"$P(\ln g)$" if layout.localized else "$P(g)$")
    if not axes.patches:
        axes.text(0.5, 0.5, "too few samples\nfor a histogram", transform=axes.transAxes, ha="center", color=GREY)
    note = f"$L$ = {layout.longest}" + ("\nlines: normal law" if layout.over_length else "")
    axes.text(0.02, 0.99, note, transform=axes.transAxes, ha="left", va="top", fontsize=6.5, color=GREY)
    # Room above the curves for the note and the legend.
    axes.set_ylim(0.0, (1.2 if layout.over_length else 1.5) * axes.get_ylim()[1])
    if not layout.over_length:
        axes.legend(loc="upper right", fontsize=6.0, handlelength=1.2, labelspacing=0.2, borderaxespad=0.0)


def draw_legend(figure: Figure, axes: Axes, layout: Layout) -> None:
    """One legend below the panels: the series, then what the lines and hollow circles are."""
    handles, labels = axes.get_legend_handles_labels()
    if any(series.fit for series in layout.series) and not layout.localized:
        handles.append(Line2D([], [], color=GREY))
        labels.append("theory: (a) one-$l$ curve, (b) box sum")
        handles.append(Line2D([], [], color=GREY, linestyle=":"))
        labels.append("outside its regime")
    if layout.over_length and not layout.localized and any(_tabulated(series) for series in layout.series):
        handles.append(Line2D([], [], linestyle="none", marker="o", ms=7.0, mfc="none", mec=GREY, mew=0.6))
        labels.append("finite-size table")
    if handles:
        columns = len(handles) if sum(len(label) + 6 for label in labels) < LEGEND_LETTERS else 3
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, handletextpad=0.4, columnspacing=1.2)


def draw_points(
    axes: Axes, x: Sequence[float], items: Sequence[Mapping[str, Any]], *, colour: str, marker: str, label: str
) -> None:
    """Values with their errors, of any analysis; hollow where the error is not to be trusted."""
    for reliable in (True, False):
        chosen = [k for k, item in enumerate(items) if item.get("reliable", True) is reliable]
        axes.errorbar(
            [x[k] for k in chosen],
            [items[k]["value"] for k in chosen],
            yerr=[items[k]["error"] or 0.0 for k in chosen],
            color=colour,
            marker=marker,
            markerfacecolor=colour if reliable else "white",
            linestyle="none",
            label=label if reliable else None,
            zorder=3,
        )


def place_legend(figure: Figure, handles: list[Any], labels: list[str]) -> None:
    """The legend below a figure of one panel, in as many columns as fit."""
    if handles:
        one_line = sum(len(label) + 6 for label in labels) < NARROW_LEGEND_LETTERS
        columns = len(labels) if one_line else max(1, NARROW_LEGEND_LETTERS // (max(map(len, labels)) + 6))
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, handletextpad=0.4, columnspacing=1.2)


def _draw_normal(axes: Axes, histogram: Histogram, variable: str) -> None:
    mean, variance = (histogram.entry[f"{variable}_{moment}"]["value"] for moment in ("mean", "variance"))
    if variance:
        x = mean + np.sqrt(variance) * np.linspace(-4.0, 4.0, 2 * CURVE_POINTS)
        normal = np.exp(-((x - mean) ** 2) / (2.0 * variance)) / np.sqrt(2.0 * np.pi * variance)
        axes.plot(x, normal, color=histogram.colour)


def _draw_series(axes: Axes, series: Series, name: str) -> None:
    present = [
        (x, entry[name]) for x, entry in zip(series.x, series.entries, strict=True) if entry[name]["value"] is not None
    ]
    if not present:
        return
    axes.errorbar(
        [x for x, _ in present],
        [item["value"] for _, item in present],
        yerr=[item["error"] or 0.0 for _, item in present],
        color=series.colour,
        marker=series.marker,
        linestyle="none",
        label=series.label or None,
        zorder=3,
    )


def _draw_box_sum(axes: Axes, series: Series, fit: Mapping[str, Any]) -> None:
    """The box sum: drawn through where the law is claimed to hold, dotted where the wire is too short for it."""
    lengths = np.geomspace(min(series.x), max(series.x), CURVE_POINTS)
    periodic, beta = fit["edges"] == "periodic", fit["symmetry_class"]
    box = [box_sum_variance(length / fit["width"], periodic=periodic, beta=beta) for length in lengths]
    curve = fit["multiplicity"] ** 2 * np.array(box)
    axes.plot(lengths, curve, color=series.colour, linestyle=":", zorder=1)
    valid = [entry["length"] for entry in series.entries if "conductance_variance" in entry.get("theory", {})]
    if valid:
        inside = (lengths >= fit["box_sum_from"]) & (lengths <= max(valid))
        axes.plot(lengths[inside], curve[inside], color=series.colour, zorder=1)


def _tabulated(series: Series) -> list[tuple[float, float]]:
    return [
        (x, entry["reference"]["conductance_variance"]["value"])
        for x, entry in zip(series.x, series.entries, strict=True)
        if "conductance_variance" in entry.get("reference", {})
    ]


def _draw_table(axes: Axes, series: Series) -> None:
    """Tabulated finite-size values, hollow and larger than the measured points."""
    pairs = _tabulated(series)
    if pairs:
        x, values = zip(*pairs, strict=True)
        axes.plot(x, values, marker="o", ms=7.0, mfc="none", mec=series.colour, mew=0.6, linestyle="none", zorder=2)


def _draw_asymptotes(axes: Axes, layout: Layout) -> None:
    """The values of long diffusive wires in the classes at hand, 2/15 and the like, where they are in view."""
    top = axes.get_ylim()[1]
    for fraction in layout.asymptotes:
        value = float(fraction)
        if value < top:
            axes.axhline(value, color=GREY, linestyle="--", linewidth=0.7, zorder=0)
            axes.annotate(
                str(fraction),
                (1.0, value),
                xycoords=("axes fraction", "data"),
                xytext=(2, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.5,
                color=GREY,
            )


def _label_axes(axes: Axes, layout: Layout, label: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(layout.axis_label)
    axes.set_ylabel(label)


def _make_logarithmic(axes: Axes, layout: Layout, name: str) -> None:
    values = [e[name]["value"] for series in layout.series for e in series.entries if e[name]["value"]]
    if values and min(values) > 0.0 and max(values) > LOG_SPAN * min(values):
        axes.set_yscale("log")
    elif values and min(values) < ZERO_SHARE * max(values):
        axes.set_ylim(0.0, HEADROOM * max(values))


def _samples(results: xarray.Dataset, variable: str, histogram: Histogram) -> NDArray[np.float64]:
    chosen = results.isel(point=histogram.point, length=-1, realization=slice(0, MOST_SAMPLES))
    values, status = chosen[variable].to_numpy(), chosen["status"].to_numpy()
    return np.asarray(values[(status < int(Status.FAILED_UNITARITY)) & np.isfinite(values)], dtype=np.float64)
