"""The figure of a results file: conductance by mean, variance and histogram, or localization lengths; with theory."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesogpu.errors import ConfigError, EnvironmentFault, StoreError
from mesogpu.report.counts import of_bars, span, unfinished, used
from mesogpu.report.records import find_drawable
from mesogpu.report.series import Layout, lay_out

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")
WIDTH = 7.0
"""Two-column width of a journal page, inches."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.5,
    "pdf.fonttype": 42,
    "svg.hashsalt": "mesogpu",
    "figure.dpi": 100.0,
    "savefig.dpi": 300.0,
}


def plot_results(
    results: xarray.Dataset, summary: Mapping[str, Any], path: str | os.PathLike[str], *, analysis: str | None = None
) -> None:
    """Draw a results file: <g>, var g and the histogram of g, with errors, theory and asymptotes.

    Localized samples are drawn by ln g instead; a sweep of many points is drawn over the swept parameter. Of bars
    Lambda = xi/M is drawn, or 1/xi of chains, over the swept parameter; of one point the spectrum.

    results  : as `open_results` gives it (the histogram needs the samples)
    summary  : as `analyze` returns it
    path     : figure to write; .png (300 dpi), .pdf or .svg by its suffix
    analysis : draw this one of `records.drawable` instead
    raises   : ConfigError for another suffix or an unknown analysis; StoreError where no sample is computed yet;
               EnvironmentFault where the file cannot be written
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{target}: a figure cannot be written as {target.suffix or 'a file without suffix'!r}; "
            f"use a name that ends in {', '.join(SUFFIXES)}"
        )
    if not any(used(entry) for entry in summary["points"]):
        raise StoreError(f"{target}: no sample is computed yet, so there is nothing to plot; run the experiment first")
    try:
        _save(results, summary, analysis, target, target.suffix.lower())
    except OSError as error:
        raise EnvironmentFault(
            f"{target}: the figure cannot be written: {error.strerror or error}; choose a folder "
            "that exists and has room"
        ) from None


def figure_svg(results: xarray.Dataset, summary: Mapping[str, Any], analysis: str | None = None) -> bytes:
    """The same figure as SVG, for a page; the same bytes each time.

    results, summary, analysis : as for `plot_results`, with at least one sample computed
    """
    image = io.BytesIO()
    _save(results, summary, analysis, image, ".svg")
    return image.getvalue()


def _save(
    results: xarray.Dataset, summary: Mapping[str, Any], analysis: str | None, target: Path | io.BytesIO, suffix: str
) -> None:
    # Matplotlib takes half a second to import, and only figures need it.
    import matplotlib

    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        draw(results, summary, analysis).savefig(target, format=suffix[1:], metadata=_metadata(suffix))


def draw(results: xarray.Dataset, summary: Mapping[str, Any], analysis: str | None = None) -> Figure:
    """The figure itself, on no screen."""
    if analysis is not None:
        from mesogpu.report.analysis_figure import draw_analysis

        return draw_analysis(find_drawable(summary, analysis), summary)
    if of_bars(summary):
        from mesogpu.report.bars_figure import draw_bars

        return draw_bars(results, summary)
    return _draw_samples(results, summary)


def _draw_samples(results: xarray.Dataset, summary: Mapping[str, Any]) -> Figure:
    from matplotlib.figure import Figure

    from mesogpu.report import panels

    layout = lay_out(results, summary)
    single = layout.axis is None
    figure = Figure(figsize=(WIDTH / 2 if single else WIDTH, 2.9), layout="constrained")
    axes = [figure.add_subplot()] if single else list(figure.subplots(1, 3))
    if not single:
        panels.draw_mean(axes[0], layout)
        panels.draw_variance(axes[1], layout)
    panels.draw_histogram(axes[-1], results, layout)
    for letter, axis in zip("abc", axes, strict=False):
        axis.set_title(f"({letter})" if not single else "", loc="left", fontweight="bold")
    if not single:
        panels.draw_legend(figure, axes[0], layout)
    figure.suptitle(_title(summary, layout), fontsize=8.0)
    return figure


def _title(summary: Mapping[str, Any], layout: Layout) -> str:
    entries = summary["points"]
    counts = [entry["realizations"] for entry in entries]
    several = layout.points_left_out + len(layout.histograms) > 1
    noun = "realization" if set(counts) == {1} else "realizations"
    parts = [summary["name"] or "results", f"{span(counts)} {noun}" + (" a point" if several else "")]
    if layout.points_left_out:
        total = layout.points_left_out + len(layout.histograms)
        parts.append(f"histograms of {len(layout.histograms)} of {total} points")
    failed = sum(entry["failed"] for entry in entries)
    if failed:
        parts.append(f"{failed} failed samples left out")
    closed = sum(entry["closed"] for entry in entries)
    if closed and layout.localized:
        parts.append(rf"{closed} samples with $g = 0$ left out of $\ln g$")
    if not summary["complete"]:
        parts.append(unfinished(summary))
    return ", ".join(parts)


def _metadata(suffix: str) -> dict[str, Any]:
    """Nothing that changes from run to run."""
    metadata: dict[str, dict[str, Any]] = {
        ".png": {"Software": "mesogpu"},
        ".pdf": {"CreationDate": None},
        ".svg": {"Date": None},
    }
    return metadata[suffix]
