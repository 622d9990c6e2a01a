"""The summary of a file of bars as a table of plain strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesogpu.report.counts import span
from mesogpu.report.numbers import plain, quantity
from mesogpu.report.tabular import Table, expected, filled, sources

EXPECTED = {"lyapunov_exponent": "expected gamma", "lambda": "expected Lambda"}

DOUBTS = {
    "no_error": "there is none",
    "short_batches": "a batch (1/32 of a bar) is shorter than 10 xi",
    "drift": "gamma drifts along the bars",
    "outlier": "one bar is too far from the others",
}
"""What each of the doubts in an entry means."""


def bars_table(summary: Mapping[str, Any]) -> Table:
    """One row per point: the smallest exponent, what follows from it, and what is expected where anything is.

    summary : as `analyze` returns it for bars
    """
    entries = summary["points"]
    parameters = list(entries[0]["parameters"]) if entries else []
    keys: dict[str, Sequence[str]] = {
        name: [plain(entry["parameters"][name]) for entry in entries] for name in parameters
    }
    one_site = all(entry.get("width", 1) == entry.get("depth", 1) == 1 for entry in entries)
    if swept_width(entries) is None and not one_site:
        keys |= filled({"M": [_cross_section(entry) for entry in entries]})
    swept = {name.rpartition(".")[2] for name in parameters}
    columns: dict[str, Sequence[str]] = {
        "gamma": [quantity(entry["lyapunov_exponent"]) for entry in entries],
        "expected gamma": [quantity(expected(entry, "lyapunov_exponent")) for entry in entries],
        "xi": [quantity(entry["localization_length"]) for entry in entries],
        "Lambda": ["" if one_site else quantity(entry["lambda"]) for entry in entries],
        "expected Lambda": [quantity(expected(entry, "lambda")) for entry in entries],
        "bars": [str(entry["bars"]) for entry in entries],
        "slices": ["" if "slices" in swept else str(entry["slices"]) for entry in entries],
        "failed": [str(entry["failed"] or "") for entry in entries],
    }
    shown = keys | filled(columns)
    return Table(
        title=_title(summary, "Lambda" in shown),
        columns=tuple(shown),
        rows=tuple(zip(*shown.values(), strict=True)),
        footnotes=_footnotes(entries),
        keys=len(keys),
    )


def swept_width(entries: Sequence[Mapping[str, Any]]) -> str | None:
    """The swept parameter that is the width of the bars, if there is one."""
    for name in entries[0]["parameters"] if entries else ():
        last = name.rpartition(".")[2]
        if last == "width" and all(entry["parameters"][name] == entry.get("width") for entry in entries):
            return str(name)
    return None


def _cross_section(entry: Mapping[str, Any]) -> str:
    if "width" not in entry:
        return ""
    return f"{entry['width']} x {entry['depth']}" if "depth" in entry else str(entry["width"])


def _title(summary: Mapping[str, Any], scaled: bool) -> str:
    state = "" if summary["complete"] else ", not complete yet"
    count = f"{summary['bars']} bar{'' if summary['bars'] == 1 else 's'} a point"
    warmups = [entry["warmup"] for entry in summary["points"]]
    count += f", warm-up {span(warmups)}" if warmups else ""
    units = "gamma = 1/xi per slice" + (", Lambda = xi/M" if scaled else "")
    return f"{summary['name'] or 'results'}: {count}{state}; {units}"


def _footnotes(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    notes = sources(entries, EXPECTED)
    doubts = {doubt for entry in entries if entry["bars"] for doubt in entry["doubts"]}
    found = [meaning for name, meaning in DOUBTS.items() if name in doubts]
    if found:
        notes.append(f"* this error bar is not to be trusted: {'; or '.join(found)}")
    within = [entry["bars"] for entry in entries if entry["error_source"] == "within_bars" and entry["bars"]]
    if within:
        one = max(within) == 1
        notes.append(f"the error of {'one bar' if one else 'few bars, where that is larger,'} is from its 32 batches")
    return tuple(notes)
