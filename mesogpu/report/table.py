"""The summary as a table of plain strings, whatever shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesogpu.report.bars_table import bars_table
from mesogpu.report.counts import of_bars
from mesogpu.report.numbers import plain, quantity
from mesogpu.report.tabular import Table, expected, filled, sources

UNRELIABLE = "* one sample carries more than 2 % of a sum: this error bar is not to be trusted"
EXPECTED = {"conductance_variance": "expected var g", "fano": "expected F"}
CLOSED = "g = 0: samples that transmit nothing; they count in <g>, var g and F, and are left out of <ln g>"


def summary_table(summary: Mapping[str, Any]) -> Table:
    """One row per (point, length), of bars per point: statistics with errors, and what is expected where anything is.

    summary : as `analyze` returns it
    """
    return bars_table(summary) if of_bars(summary) else _samples_table(summary)


def _samples_table(summary: Mapping[str, Any]) -> Table:
    entries = summary["points"]
    parameters = list(entries[0]["parameters"]) if entries else []
    columns: dict[str, Sequence[str]] = {name: [plain(e["parameters"][name]) for e in entries] for name in parameters}
    columns |= {
        "L": [str(entry["length"]) for entry in entries],
        "<g>": [quantity(entry["conductance_mean"]) for entry in entries],
        "var g": [quantity(entry["conductance_variance"]) for entry in entries],
        "expected var g": [quantity(expected(entry, "conductance_variance")) for entry in entries],
        "F": [quantity(entry.get("fano")) for entry in entries],
        "expected F": [quantity(expected(entry, "fano")) for entry in entries],
        "<ln g>": [quantity(entry["log_conductance_mean"]) for entry in entries],
        "n": [str(entry["realizations"]) for entry in entries],
        "g = 0": [str(entry["closed"] or "") for entry in entries],
        "failed": [str(entry["failed"] or "") for entry in entries],
    }
    shown = filled(columns)
    return Table(
        title=_title(summary),
        columns=tuple(shown),
        rows=tuple(zip(*shown.values(), strict=True)),
        footnotes=_footnotes(entries, shown),
        keys=len(parameters) + 1,
    )


def _title(summary: Mapping[str, Any]) -> str:
    unit = "e^2/h" + (" per spin" if summary.get("degeneracy") == 2 else "")
    state = "" if summary["complete"] else ", not complete yet"
    return f"{summary['name'] or 'results'}: {summary['realizations']} realizations a point{state}; g in {unit}"


def _footnotes(entries: Sequence[Mapping[str, Any]], shown: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    notes = sources(entries, EXPECTED)
    if any(cell.endswith("*") for cells in shown.values() for cell in cells):
        notes.append(UNRELIABLE)
    if "g = 0" in shown:
        notes.append(CLOSED)
    return tuple(notes)
