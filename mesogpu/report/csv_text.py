"""The summary as comma-separated values: every number in full, one row an entry, for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any


def summary_csv(summary: Mapping[str, Any]) -> str:
    """One row per (point, length), of bars per point; errors, expected values and sources in columns of their own.

    A quantity is in the column of its name, its standard error in NAME_error; theory_NAME and reference_NAME are what
    is expected; lists are numbered from 1; what is unknown is empty. Numbers read back as the same float64.

    summary : as `analyze` returns it
    """
    rows = [dict(_flat("", entry)) for entry in summary["points"]]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Column names and cells of one entry or a part of it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            # A parameter, and the value of a quantity, go by their plain name.
            own = "" if key in ("parameters", "value") else key
            yield from _flat("_".join(part for part in (name, own) if part), item)
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield name, ";".join(value)
    elif isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _flat(f"{name}_{number}", item)
    else:
        yield name, "" if value is None else value
