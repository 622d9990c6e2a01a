"""The analyses of a summary, whatever their kind: a name for each figure, and their numbers as tables and facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mesogpu.errors import ConfigError
from mesogpu.report.numbers import quantity, where
from mesogpu.report.tabular import Table, filled

Record = Mapping[str, Any]


def drawable(summary: Mapping[str, Any]) -> dict[str, Record]:
    """Every analysis that has a curve, by the name of its figure: its kind, numbered from the second of that kind."""
    found: dict[str, Record] = {}
    counts: dict[str, int] = {}
    for record in summary.get("analyses", ()):
        if record.get("curve"):
            kind = record["kind"]
            counts[kind] = counts.get(kind, 0) + 1
            found[kind if counts[kind] == 1 else f"{kind}-{counts[kind]}"] = record
    return found


def find_drawable(summary: Mapping[str, Any], name: str) -> Record:
    """The analysis of that name.

    raises : ConfigError that names the choices
    """
    found = drawable(summary)
    if name not in found:
        remedy = f"choose one of {', '.join(found)}" if found else "this file has none with a figure of its own"
        raise ConfigError(f"analysis {name!r}: there is no such figure; {remedy}")
    return found[name]


def analysis_tables(record: Record) -> list[Table]:
    """The numbers of an analysis, and the parameters of its fit."""
    tables = [_results("Numbers", record["results"])] if record.get("results") else []
    fitted = (record.get("fit") or {}).get("parameters")
    return [*tables, *([_results("Parameters of the fit", fitted)] if fitted else [])]


def fit_facts(record: Record) -> list[tuple[str, str]]:
    """Window, rule and goodness of the fit; empty without one."""
    fit = record.get("fit")
    if not fit:
        return []
    facts = [("data of the fit", fit["window"]), ("chosen by the rule", fit["rule"])]
    if fit.get("chi_square") is not None:
        good = f"chi-square {fit['chi_square']:.1f} for {fit['degrees_of_freedom']}"
        facts.append(("goodness", good + (f", p = {fit['p_value']:.2g}" if fit.get("p_value") is not None else "")))
    return [(term, text) for term, text in facts if text]


def heading(record: Record) -> str:
    """What an analysis is, and where in the sweep."""
    return ", ".join(part for part in (record["title"], place(record)) if part)


def place(record: Record) -> str:
    """Where in the sweep, in words; empty for all of it."""
    found = record.get("where") or {}
    return where(found.get("parameters", {}), found.get("length"))


def _results(title: str, results: Sequence[Record]) -> Table:
    theories = [result.get("theory") for result in results]
    columns = {
        "quantity": [result["label"] for result in results],
        "at": [place(result) for result in results],
        "value": [quantity(result) for result in results],
        "unit": [result["unit"] for result in results],
        "expected": [quantity(theory) for theory in theories],
        "n": [f"{result['samples']:,}" if result["samples"] else "" for result in results],
    }
    shown = filled(columns)
    rows = tuple(zip(*shown.values(), strict=True))
    notes = _grouped((result["label"], result["how"]) for result in results)
    notes += _grouped(
        (f"expected {result['label']}", theory["source"])
        for result, theory in zip(results, theories, strict=True)
        if theory
    )
    if any(not result["reliable"] for result in results):
        notes.append("* this error bar is not to be trusted")
    return Table(title=title, columns=tuple(shown), rows=rows, footnotes=tuple(notes), keys=1)


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """One footnote for every text, after the labels that it is of."""
    labels: dict[str, dict[str, None]] = {}
    for label, text in pairs:
        labels.setdefault(text, {})[label] = None
    return [f"{', '.join(found)}: {text}" for text, found in labels.items() if text]
