"""The analyses of a summary as sentences: one a record, whatever the analysis is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesogpu.report.numbers import at, quantity

MOST_RECORDS = 3
"""Records of one kind that are told; the others stand in the summary."""

MOST_RESULTS = 4
"""Results of one record that are told, the first ones."""

MOST_BRIEF = 2
"""Results in the one line that a kind has at the end of a run."""

Record = Mapping[str, Any]


def analyses_sentences(summary: Mapping[str, Any]) -> list[str]:
    """One sentence for each record under "analyses", of a long sweep for the first few of a kind.

    summary : as `analyze` returns it
    """
    sentences = []
    for records in _by_kind(summary):
        sentences += [sentence(record) for record in records[:MOST_RECORDS]]
        if len(records) > MOST_RECORDS:
            sentences.append(f"{records[0]['title']}: {len(records) - MOST_RECORDS} more of these in --json.")
    return sentences


def brief_sentences(summary: Mapping[str, Any]) -> list[str]:
    """One line for each kind of analysis: the first record that has numbers, its first ones.

    summary : as `analyze` returns it
    """
    chosen = [next(filter(_is_whole, records), records[0]) for records in _by_kind(summary)]
    return [_brief(record) for record in chosen]


def _by_kind(summary: Mapping[str, Any]) -> list[list[Record]]:
    kinds: dict[str, list[Record]] = {}
    for record in summary["analyses"]:
        kinds.setdefault(record["kind"], []).append(record)
    return list(kinds.values())


def _is_whole(record: Record) -> bool:
    return bool(record["results"]) and not record.get("missing")


def _brief(record: Record) -> str:
    if record.get("words") and _is_whole(record):
        return f"{record['title']}{_place(record['where'])}: {record['words']}."
    trusted = [result for result in record["results"] if result["reliable"]] or record["results"]
    return sentence({**record, "results": trusted[:MOST_BRIEF], "fit": None})


def sentence(record: Record) -> str:
    """One record in words: its place, its numbers, its fit, and what it lacks."""
    told = _results([result for result in record["results"][:MOST_RESULTS] if result["value"] is not None])
    rest = sum(result["value"] is not None for result in record["results"][MOST_RESULTS:])
    parts = [part for part in (record.get("words", ""), ", ".join(told)) if part]
    if rest:
        parts[-1] += f", and {rest} more in --json"
    fit = record.get("fit")
    if fit and fit["p_value"] is not None:
        parts.append(
            f"fit over {fit['window']}: chi-square {fit['chi_square']:.1f} for {fit['degrees_of_freedom']}, "
            f"p = {fit['p_value']:.2g}"
        )
    if record.get("missing"):
        parts.append(f"MISSING: {record['missing']}")
    return f"{record['title']}{_place(record['where'])}: {'; '.join(parts) or 'nothing to say'}."


def _results(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each number with its label, which those that follow under the same one do not repeat."""
    texts, label = [], None
    for result in results:
        unit = f" {result['unit']}" if result["unit"] else ""
        name = "" if result["label"] == label else f"{result['label']} = "
        texts.append(f"{name}{quantity(result)}{unit if name else ''}{_length(result['where'])}")
        label = result["label"]
    return texts


def _length(where: Mapping[str, Any]) -> str:
    return f" at L = {where['length']}" if "length" in where else ""


def _place(where: Mapping[str, Any]) -> str:
    return at(where.get("parameters", {}), where.get("length"))
