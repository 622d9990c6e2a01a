"""What goes into a figure: which axis, which series, in which colour; no drawing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, Any

from mesogpu.report.numbers import where

if TYPE_CHECKING:
    import xarray

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette, told apart with any colour vision; yellow and black left out."""

SHADES = ("#00224E", "#35456C", "#666970", "#948E77", "#C8B866")
"""Five steps of the cividis map, dark to light in the order of the swept parameter, for histograms of a long sweep."""

LENGTH_LABEL = "length $L$ (sites)"
MARKERS = ("o", "s", "^", "D", "v", "P")
MOST_SERIES = len(COLOURS)
LOCALIZED = 0.5
"""Median over the points of <g> at the longest length below which ln g is drawn instead of g."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """Entries drawn with one marker.

    label   : for the legend; empty where there is one series
    x       : abscissa of each entry
    entries : of the summary, in the order of x
    fit     : one-l fit of the point, where the series is one point at all lengths
    """

    label: str
    colour: str
    marker: str
    x: tuple[float, ...]
    entries: tuple[Entry, ...]
    fit: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Samples of one point at its longest length.

    point : number of the point
    entry : its entry at that length
    """

    label: str
    colour: str
    point: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Layout:
    """The figure in the abstract.

    axis            : "length", the name of a swept parameter, or None for a single entry
    axis_label      : with its unit
    unit            : of g
    localized       : whether ln g is drawn instead of g
    longest         : longest length, slices
    points_left_out : sweep points without a histogram of their own
    asymptotes      : var g of long diffusive wires in each symmetry class that a one-l fit has found
    """

    axis: str | None
    axis_label: str
    unit: str
    localized: bool
    longest: int
    series: tuple[Series, ...]
    histograms: tuple[Histogram, ...]
    points_left_out: int
    asymptotes: tuple[Fraction, ...]

    @property
    def over_length(self) -> bool:
        """Whether each series is one point, so that colours mean the same in every panel."""
        return self.axis in ("length", None)


def lay_out(results: xarray.Dataset, summary: Mapping[str, Any]) -> Layout:
    """Decide what is drawn over what.

    A few points: over length, one series a point. Many points, or one length: over the swept parameter that has
    most values.
    """
    entries: Sequence[Entry] = summary["points"]
    lengths = int(results.sizes["length"])
    points = [tuple(entries[k : k + lengths]) for k in range(0, len(entries), lengths)]
    fits = summary["fits"]["one_l"] or [None] * len(points)
    axis: str | None = None
    if lengths > 1 and len(points) <= MOST_SERIES:
        axis, series = "length", _over_length(points, fits)
    elif len(points) > 1:
        axis = _widest_parameter(points)
        series = _over_parameter(points, axis)
    else:
        series = _over_length(points, fits)
    colours = COLOURS if axis in ("length", None) else SHADES
    shown = spread(range(len(points)), len(colours))
    last = [point[-1]["conductance_mean"]["value"] for point in points]
    return Layout(
        axis=axis,
        axis_label=LENGTH_LABEL if axis in ("length", None) else parameter_label(results, axis),
        unit=r"$e^2/h$ per spin" if summary.get("degeneracy") == 2 else r"$e^2/h$",
        localized=median([value for value in last if value is not None] or [1.0]) < LOCALIZED,
        longest=max(entry["length"] for entry in entries),
        series=tuple(series),
        histograms=tuple(
            Histogram(where(points[k][-1]["parameters"]), colours[n], k, points[k][-1]) for n, k in enumerate(shown)
        ),
        points_left_out=len(points) - len(shown),
        asymptotes=tuple(dict.fromkeys(_asymptote(fit) for fit in fits if fit and fit["l"])),
    )


def _asymptote(fit: Mapping[str, Any]) -> Fraction:
    """2/(15 beta) of each of the equal conductances that g sums."""
    return Fraction(2 * fit["multiplicity"] ** 2, 15 * fit["symmetry_class"])


def _over_length(points: Sequence[tuple[Entry, ...]], fits: Sequence[Any]) -> list[Series]:
    return [
        Series(
            label=where(point[0]["parameters"]),
            colour=COLOURS[k],
            marker=MARKERS[k],
            x=tuple(float(entry["length"]) for entry in point),
            entries=point,
            fit=fits[k] if fits[k] and fits[k]["l"] else None,
        )
        for k, point in enumerate(points)
    ]


def _over_parameter(points: Sequence[tuple[Entry, ...]], axis: str) -> list[Series]:
    """One series per length, or per combination of the other parameters at the longest length."""
    others = [{k: v for k, v in point[0]["parameters"].items() if k != axis} for point in points]
    combinations = list(dict.fromkeys(tuple(other.items()) for other in others))
    groups: list[tuple[str, list[Entry]]] = []
    if len(combinations) > 1:
        for combination in spread(combinations, MOST_SERIES):
            chosen = [p[-1] for p, other in zip(points, others, strict=True) if tuple(other.items()) == combination]
            groups.append((where(dict(combination)), chosen))
    else:
        for index in spread(range(len(points[0])), MOST_SERIES):
            chosen = [point[index] for point in points]
            same = len({entry["length"] for entry in chosen}) == 1
            groups.append((f"L = {chosen[0]['length']}" if same and len(points[0]) > 1 else "", chosen))
    series = []
    for k, (label, chosen) in enumerate(groups):
        ordered = sorted(chosen, key=lambda entry: float(entry["parameters"].get(axis, 0.0)))
        x = tuple(float(entry["parameters"].get(axis, 0.0)) for entry in ordered)
        series.append(Series(label, COLOURS[k], MARKERS[k], x, tuple(ordered), None))
    return series


def _widest_parameter(points: Sequence[tuple[Entry, ...]]) -> str:
    names: list[str] = list(points[0][0]["parameters"])
    return max(names, key=lambda name: len({point[0]["parameters"][name] for point in points}))


def parameter_label(results: xarray.Dataset, name: str) -> str:
    """What a swept parameter is, with its unit, from the coordinate's attributes."""
    attributes = results.coords[name].attrs
    meaning, unit = str(attributes.get("long_name", name)), str(attributes.get("units", ""))
    return meaning if unit in ("", "1") else f"{meaning} ({unit})"


def spread(items: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]
