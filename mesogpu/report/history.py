"""The run log of a results file, told as a table: when, where, what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesogpu.report.tabular import Table

STAMP = ("time", "host", "pid", "mesogpu_version", "event")
IN_OTHER_PLACES = ("config_sha256", "packages")
"""What the page tells already."""

UNENDED = "no end was logged: interrupted, killed, or still going on"


def history_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """One row per record: time, host, version, event, and whatever else was logged in words.

    records : as `store.read_log` gives them
    """
    rows = []
    for number, record in enumerate(records):
        words = _finished(record) if record.get("event") == "finished" else _plain(record)
        if record.get("event") == "started" and not _has_end(records[number:]):
            words.append(UNENDED)
        time = str(record.get("time", ""))[:19].replace("T", " ")
        cells = (time, record.get("host", ""), record.get("mesogpu_version", ""), record.get("event", ""))
        rows.append((*map(str, cells), ", ".join(words)))
    return Table(
        title="Runs, from the run log; times in UTC",
        columns=("time", "host", "version", "event", "details"),
        rows=tuple(rows),
        footnotes=(),
        keys=1,
    )


def _has_end(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the process that logged the first record later says how it ended."""
    first, *later = records
    process = (first.get("host"), first.get("pid"))
    for record in later:
        if (record.get("host"), record.get("pid")) == process:
            return record.get("event") in ("finished", "stopped")
    return False


def _plain(record: Mapping[str, Any]) -> list[str]:
    told = {name: value for name, value in record.items() if name not in (*STAMP, *IN_OTHER_PLACES)}
    return [f"{name.replace('_', ' ')} {value}" for name, value in told.items()]


def _finished(record: Mapping[str, Any]) -> list[str]:
    """A run's record in the units people read."""
    seconds, count = record.get("seconds"), record.get("realizations")
    if not isinstance(seconds, int | float) or not isinstance(count, int):
        return _plain(record)
    words = [f"{count:,} realizations in {seconds:,.1f} s"]
    if count and seconds > 0.0:
        words.append(f"{count / seconds:,.3g} a second")
    others = {name: value for name, value in record.items() if name not in ("seconds", "realizations")}
    backend = others.pop("backend_seconds", None)
    if isinstance(backend, int | float):
        words.append(f"{backend:,.1f} s of computing summed over the workers")
    return [*words, *_plain(others)]
