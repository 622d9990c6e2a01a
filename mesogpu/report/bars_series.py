"""What goes into the figure of a file of bars: which axis, which curves, in which colour; no drawing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesogpu.report.bars_table import swept_width
from mesogpu.report.numbers import where
from mesogpu.report.series import COLOURS, MARKERS, MOST_SERIES, parameter_label, spread

if TYPE_CHECKING:
    import xarray

Entry = Mapping[str, Any]

LAMBDA_LABEL = r"$\Lambda = \xi / M$"
GAMMA_LABEL = r"$\gamma = 1/\xi$ (1/slice)"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points drawn with one marker.

    label   : for the legend; empty where there is one curve
    x       : swept value of each entry, ascending
    entries : of the summary, those with a value
    """

    label: str
    colour: str
    marker: str
    x: tuple[float, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class BarsLayout:
    """The figure in the abstract.

    quantity        : entry drawn, "lambda" or for chains "lyapunov_exponent"
    value_label     : with its unit
    axis_label      : likewise, of the swept parameter
    curves_left_out : how many there are besides
    """

    quantity: str
    value_label: str
    axis_label: str
    curves: tuple[Curve, ...]
    curves_left_out: int

    def values(self) -> list[float]:
        """Everything drawn."""
        return [entry[self.quantity]["value"] for curve in self.curves for entry in curve.entries]

    def abscissas(self) -> list[float]:
        """Where it is drawn."""
        return [x for curve in self.curves for x in curve.x]


def lay_out_bars(results: xarray.Dataset, summary: Mapping[str, Any]) -> BarsLayout:
    """Decide what is drawn over what: a curve for each width over the first other parameter.

    Where nothing but the width is swept, the axis is the width. Further parameters have curves of their own.
    """
    entries: Sequence[Entry] = summary["points"]
    scaled = all(entry["lambda"] is not None for entry in entries) and any(entry["width"] > 1 for entry in entries)
    quantity = "lambda" if scaled else "lyapunov_exponent"
    axis = _axis(entries)
    others = [name for name in entries[0]["parameters"] if name != axis and not _follows(entries, name, axis)]
    groups: dict[tuple[tuple[str, float], ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple((name, entry["parameters"][name]) for name in others), []).append(entry)
    shown = spread(list(groups), MOST_SERIES)
    width = swept_width(entries)
    return BarsLayout(
        quantity=quantity,
        value_label=LAMBDA_LABEL if scaled else GAMMA_LABEL,
        axis_label=parameter_label(results, axis),
        curves=tuple(
            _curve(groups[key], axis, quantity, _named(dict(key), width), number) for number, key in enumerate(shown)
        ),
        curves_left_out=len(groups) - len(shown),
    )


def _axis(entries: Sequence[Entry]) -> str:
    """The first parameter that varies at fixed width; else the width; else the first."""
    names: list[str] = list(entries[0]["parameters"])
    width = swept_width(entries)
    free = [name for name in names if name != width and not _follows(entries, name, width)]
    return (free or ([width] if width else names))[0]


def _follows(entries: Sequence[Entry], name: str, other: str | None) -> bool:
    """Whether one parameter is fixed by another, as in a `zip`, or is the same everywhere."""
    pairs = {(entry["parameters"][other] if other else None, entry["parameters"][name]) for entry in entries}
    return len({first for first, _ in pairs}) == len(pairs)


def _named(parameters: Mapping[str, float], width: str | None) -> str:
    return where({"$M$" if name == width else name: value for name, value in parameters.items()})


def _curve(entries: Sequence[Entry], axis: str, quantity: str, label: str, number: int) -> Curve:
    present = [entry for entry in entries if entry[quantity]["value"] is not None]
    present.sort(key=lambda entry: float(entry["parameters"][axis]))
    x = tuple(float(entry["parameters"][axis]) for entry in present)
    return Curve(label, COLOURS[number], MARKERS[number], x, tuple(present))
