"""Sizes, times and rates as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesogpu.config.experiment import Experiment


def human_bytes(count: float) -> str:
    """Bytes with a decimal prefix, three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000.0
    return f"{count:,.3g} TB" if count < 999.5 else f"{count:,.0f} TB"


def human_seconds(seconds: float) -> str:
    """A duration in its two leading units."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    for size, unit, smaller, name in ((86400 * 365, "y", 86400, "d"), (86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {name}"
    return f"{whole // 60} min {whole % 60} s"


def human_operations(count: float) -> str:
    """A number of operations with a decimal prefix: Gflop, Tflop ..."""
    for unit in ("", "k", "M", "G", "T", "P", "E"):
        if count < 999.5 or unit == "E":
            return f"{count:.3g} {unit}flop"
        count /= 1000.0
    raise AssertionError("the last unit always returns")


def human_rate(per_second: float) -> str:
    """Realizations a second, three digits."""
    return f"{per_second:,.0f}/s" if per_second >= 99.5 else f"{per_second:.3g}/s"


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 point, 2,048 points."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def ensemble(experiment: Experiment) -> str:
    """An experiment in one line: name, points, lengths, and realizations or bars a point."""
    from mesogpu.plan.points import count_points

    points = f"{experiment.name}: {counted(count_points(experiment), 'point')}"
    if experiment.bars:
        return f"{points}, {counted(experiment.realizations, 'bar')} each"
    lengths = counted(len(experiment.model.lengths), "length")
    return f"{points}, {lengths}, {counted(experiment.realizations, 'realization')} each"
