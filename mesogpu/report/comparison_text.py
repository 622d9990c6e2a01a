"""A comparison of two results files as a table and as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesogpu.report.numbers import SYMBOLS, at, plain, quantity, with_error
from mesogpu.report.tabular import Table, filled

Comparison = Mapping[str, Any]

OUTCOMES = {
    True: "The files agree.",
    False: "The files DIFFER.",
    None: "There is nothing that the files could be judged by.",
}

MOST_DIFFERENCES = 6
"""Disagreements that are told one by one."""


def comparison_table(comparison: Comparison) -> Table:
    """One row per common (point, length) and quantity: both values, their difference, and the distance in errors.

    comparison : as `analysis.compare` returns it
    """
    rows = [(entry, each) for entry in comparison["entries"] for each in entry["differences"]]
    parameters = list(comparison["entries"][0]["parameters"])
    columns = {name: [plain(entry["parameters"][name]) for entry, _ in rows] for name in parameters}
    columns |= {
        "L": [str(entry.get("length", "")) for entry, _ in rows],
        "quantity": [SYMBOLS[each["what"]] for _, each in rows],
        "first": [quantity(each["first"]) for _, each in rows],
        "second": [quantity(each["second"]) for _, each in rows],
        "difference": [with_error(each["value"], each["error"]) for _, each in rows],
        "errors apart": ["" if each["distance"] is None else f"{each['distance']:z.1f}" for _, each in rows],
        "n": [" and ".join(map(str, entry["counts"])) for entry, _ in rows],
        "shared": [str(entry["pairs"]["compared"]) if entry["pairs"] else "" for entry, _ in rows],
    }
    keys = len(filled({name: cells for name, cells in columns.items() if name in (*parameters, "L", "quantity")}))
    shown = filled(columns)
    notes: tuple[str, ...] = ()
    if any("*" in cell for name in ("first", "second") for cell in shown.get(name, ())):
        notes = ("* this error bar is not to be trusted, so there is no verdict",)
    names = comparison["names"]
    title = names[0] if names[0] == names[1] else f"{names[0]} and {names[1]}"
    return Table(f"{title}: second minus first", tuple(shown), tuple(zip(*shown.values(), strict=True)), notes, keys)


def comparison_verdicts(comparison: Comparison) -> list[str]:
    """The verdict, what differs in the two files' experiments and settings, and whether shared realizations agree."""
    sentences = [OUTCOMES[comparison["agrees"]]]
    sentences += [
        f"{each['path']} differs: {_shown(each['first'])} in the first file, {_shown(each['second'])} in the second."
        for each in (*comparison["configurations"], *comparison["settings"])
    ]
    pairs = [entry["pairs"] for entry in comparison["entries"] if entry["pairs"] and entry["pairs"]["compared"]]
    overlapping = sum(entry["overlaps"] for entry in comparison["entries"])
    if pairs:
        sentences.append(_pairs(comparison, pairs))
    if overlapping:
        sentences.append(
            f"The bars of {overlapping} of {len(comparison['entries'])} points begin with the same random numbers in "
            "both files, but lyapunov.slices or warmup differ: their errors are not independent, so there is no "
            "verdict; give one of the files another seed."
        )
    elif not pairs:
        sentences.append("The files share no realization, so their errors are independent.")
    return [*sentences, *_statistics(comparison)]


def _pairs(comparison: Comparison, pairs: list[Mapping[str, Any]]) -> str:
    count = sum(each["compared"] for each in pairs)
    largest = max(each["largest"] for each in pairs)
    symbol = "gamma" if "length" not in comparison["entries"][0] else "ln g"
    start = f"{count:,} samples are of realizations that both files have"
    if all(each["same_bits"] for each in pairs):
        return f"{start}: they are equal to the last bit."
    if all(each["agrees"] for each in pairs):
        return f"{start}: the largest difference of {symbol} is {largest:.2g}, within what their certificates allow."
    apart = sum(each["apart"] for each in pairs)
    return (
        f"{start}, and {apart:,} of them DIFFER by more than both certificates allow, by up to {largest:.2g} in "
        f"{symbol} or in whether they transmit at all. One file is wrong: check the versions and the arithmetic above, "
        "and `mesogpu report` of each."
    )


def _statistics(comparison: Comparison) -> list[str]:
    everything = [(entry, each) for entry in comparison["entries"] for each in entry["differences"]]
    judged = [(entry, each) for entry, each in everything if each["agrees"] is not None]
    apart = [(entry, each) for entry, each in judged if not each["agrees"]]
    withheld = len(everything) - len(judged)
    limit = f"{comparison['limit']:g} combined errors"
    sentences = []
    for entry, each in apart[:MOST_DIFFERENCES]:
        by = "" if each["distance"] is None else f", {abs(each['distance']):.1f} combined errors"
        both = f"{quantity(each['first'])} and {quantity(each['second'])}"
        sentences.append(f"{SYMBOLS[each['what']]}{_at(entry)} DIFFERS: {both}{by}.")
    if len(apart) > MOST_DIFFERENCES:
        sentences.append(f"{len(apart) - MOST_DIFFERENCES} more values DIFFER.")
    if judged and not apart:
        farthest = max(judged, key=lambda pair: abs(pair[1]["distance"]))
        sentences.append(
            f"All {len(judged)} values agree within {limit}; the farthest, {SYMBOLS[farthest[1]['what']]}"
            f"{_at(farthest[0])}, is {abs(farthest[1]['distance']):.1f} away."
        )
    if withheld:
        sentences.append(
            f"No verdict on {withheld} of {len(everything)} values: not computed in one file, or error bars that are "
            "unknown or not to be trusted."
        )
    return sentences


def _at(entry: Mapping[str, Any]) -> str:
    return at(entry["parameters"], entry.get("length"))


def _shown(value: Any) -> str:
    return "absent" if value is None else str(value)
