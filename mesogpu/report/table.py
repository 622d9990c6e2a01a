"""The summary as a table of plain strings, whatever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesogpu.report.numbers import plain, quantity

UNRELIABLE = "* one sample carries more than 2 % of a sum: this error bar is not to be trusted"
CLOSED = "g = 0: samples that transmit nothing; they count in <g>, var g and F, and are left out of <ln g>"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of strings.

    title     : one line
    columns   : headings
    rows      : one tuple a row, as long as the headings
    footnotes : one line each
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...]


def summary_table(summary: Mapping[str, Any]) -> Table:
    """One row per (point, length): statistics with their errors, and what is expected where there is an expectation.

    summary : as `analyze` returns it
    """
    entries = summary["points"]
    parameters = list(entries[0]["parameters"]) if entries else []
    columns: dict[str, list[str]] = {name: [plain(e["parameters"][name]) for e in entries] for name in parameters}
    columns |= {
        "L": [str(entry["length"]) for entry in entries],
        "<g>": [quantity(entry["conductance_mean"]) for entry in entries],
        "var g": [quantity(entry["conductance_variance"]) for entry in entries],
        "expected var g": [quantity(_expected(entry, "conductance_variance")) for entry in entries],
        "F": [quantity(entry.get("fano")) for entry in entries],
        "expected F": [quantity(_expected(entry, "fano")) for entry in entries],
        "<ln g>": [quantity(entry["log_conductance_mean"]) for entry in entries],
        "n": [str(entry["realizations"]) for entry in entries],
        "g = 0": [str(entry["closed"] or "") for entry in entries],
        "failed": [str(entry["failed"] or "") for entry in entries],
    }
    shown = {heading: cells for heading, cells in columns.items() if any(cells)}
    return Table(
        title=_title(summary),
        columns=tuple(shown),
        rows=tuple(zip(*shown.values(), strict=True)),
        footnotes=_footnotes(summary, shown),
    )


def _expected(entry: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The tabulated finite-size value where there is one, else the law that holds in this regime."""
    for group in ("reference", "theory"):
        if name in entry.get(group, {}):
            expected: Mapping[str, Any] = entry[group][name]
            return expected
    return None


def _title(summary: Mapping[str, Any]) -> str:
    unit = "e^2/h" + (" per spin" if summary.get("degeneracy") == 2 else "")
    state = "" if summary["complete"] else ", not complete yet"
    return f"{summary['name'] or 'results'}: {summary['realizations']} realizations a point{state}; g in {unit}"


def _footnotes(summary: Mapping[str, Any], shown: Mapping[str, list[str]]) -> tuple[str, ...]:
    notes = []
    for name, heading in (("conductance_variance", "expected var g"), ("fano", "expected F")):
        expected = [_expected(entry, name) for entry in summary["points"]] if heading in shown else []
        sources = dict.fromkeys(item["source"] for item in expected if item)
        notes += [f"{heading}: {source}" for source in sources]
    if any(cell.endswith("*") for cells in shown.values() for cell in cells):
        notes.append(UNRELIABLE)
    if "g = 0" in shown:
        notes.append(CLOSED)
    return tuple(notes)
