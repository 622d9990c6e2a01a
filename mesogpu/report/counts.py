"""How many samples or bars a summary counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def of_bars(summary: Mapping[str, Any]) -> bool:
    """Whether a summary is of bars, with Lyapunov exponents, rather than of transmission."""
    return "bars" in summary


def used(entry: Mapping[str, Any]) -> int:
    """Samples or bars in the statistics of one entry."""
    count: int = entry["bars"] if "bars" in entry else entry["realizations"]
    return count


def progress(summary: Mapping[str, Any]) -> tuple[int, int]:
    """Samples or bars that are computed, and those that are planned, over all entries."""
    computed = sum(used(entry) + entry["failed"] for entry in summary["points"])
    return computed, computed + sum(entry["not_computed"] for entry in summary["points"])


def unfinished(summary: Mapping[str, Any]) -> str:
    """What a title says of a file that is not complete."""
    computed, planned = progress(summary)
    return f"UNFINISHED ({100.0 * computed / planned:.0f} % computed)"


def span(counts: Sequence[int]) -> str:
    """One number, or the smallest and the largest: "64", "1,000 to 100,000"."""
    fewest, most = min(counts), max(counts)
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
