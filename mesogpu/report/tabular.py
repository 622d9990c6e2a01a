"""A table of plain strings, and the column of what is expected, whatever the table is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """A table of strings.

    title     : one line
    columns   : headings
    rows      : one tuple a row, as long as the headings
    footnotes : one line each
    keys      : leading columns that say what a row is
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...]
    keys: int


def filled(columns: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The columns with anything in them."""
    return {heading: cells for heading, cells in columns.items() if any(cells)}


def expected(entry: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The tabulated finite-size value where there is one, else the law that holds in this regime."""
    for group in ("reference", "theory"):
        if name in entry.get(group, {}):
            found: Mapping[str, Any] = entry[group][name]
            return found
    return None


def sources(entries: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    """A footnote for every source of what is expected.

    names : what each quantity's column is headed
    """
    notes = []
    for name, heading in names.items():
        found = dict.fromkeys(item["source"] for entry in entries if (item := expected(entry, name)))
        notes += [f"{heading}: {source}" for source in found]
    return notes
