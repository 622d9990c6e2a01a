"""Wide frames beside the vector kernel on one core: where the one overtakes the other.

    python -m benchmarks.wide [--quick] [--json OUT]

Both take the same samples with the same interval; each time is processor time per realization of ln g, g and noise, or
per bar of a few slices. Frames of the former are complex, of these bars real. The rates are those of the algorithm's
operations (operations.py). The fits below the table are what `native` chooses by: mesogpu/backends/wide/switch.py holds
their constants, and a test compares them with the committed results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import FLUX, BarCase, Case, case_name
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import on_one_core, timed
from benchmarks.operations import bar_operations, transmission_operations
from benchmarks.options import options
from mesogpu.backends.kernel_inputs import estimated_interval
from mesogpu.backends.native import bars_library, library, wide
from mesogpu.backends.wide.switch import GROUP_BYTES, Rates, wide_frames_are_faster

HEADER = (
    f"{'size':>24} {'D':>4} {'q':>3} {'kernel us':>12} {'GF/s':>6} {'wide us':>12} {'GF/s':>6} {'ratio':>6}   chosen"
)
GROUP = 8
"""Realizations a launch of the kernel: a whole group of lanes on every instruction set."""

OVERLAP = 96
"""Smallest D that the fit sees: where the two come near each other, and beyond."""

BAR_SLICES = 24
"""Of a bar that is timed: several intervals."""

QUICK = (Case(24, 24), Case(12, 12, model="rashba"), BarCase(4))
SQUARES = tuple(Case(width, width) for width in (32, 64, 96, 128, 160, 192, 256, 384))
LONG = tuple(Case(width, 4 * width) for width in (32, 64, 96, 128, 192))
OTHERS = (
    *(Case(width, width, FLUX) for width in (64, 128, 192, 256)),
    *(Case(width, width, model="rashba") for width in (32, 64, 96, 128)),
    *(Case(width, width * width, model="cubic", depth=width) for width in (8, 12, 16)),
)
BARS = tuple(BarCase(width) for width in (6, 8, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24))


def main() -> None:
    """Time the cases, print the table and the fit."""
    asked = options(__doc__)
    on_one_core()
    cache = second_level_cache()
    machine = provenance(second_level_cache=cache)
    print(f"{machine['cpu']}, one core, {machine.get('instruction_set')}, cache {cache}, commit {machine['commit']}")
    print(HEADER)
    rows = []
    for case in QUICK if asked.quick else (*SQUARES, *LONG, *OTHERS, *BARS):
        row = (measure_bars if isinstance(case, BarCase) else measure)(case, 1 if asked.quick else 3)
        rows.append(row)
        print(line(row), flush=True)
    document = {"benchmark": "wide", "machine": machine, "rows": rows}
    if not asked.quick:
        fits = [fit(numbers, rows, cache) for numbers in GROUP_BYTES]
        print("\n".join(f"fit: {rates}" for rates in fits))
        document["fits"] = [asdict(rates) for rates in fits]
    write_json(document, asked.json)


def measure(case: Case, repeats: int) -> dict[str, Any]:
    """One row: both ways on one case, one after the other."""
    point = case.point()
    interval = estimated_interval(point)
    ways = (partial(way, point, interval) for way in (library.transmit, wide.transmit))
    name, numbers = case_name(case.as_json()), "complex"
    row = {**case.as_json(), "name": name, "numbers": numbers, "orbitals": point.system.orbitals, "interval": interval}
    return _timed_ways(row, transmission_operations(point, interval), ways, repeats)


def measure_bars(case: BarCase, repeats: int) -> dict[str, Any]:
    """The same on bars."""
    point = case.point(BAR_SLICES)
    interval = estimated_interval(point)
    ways = (partial(way, point, (BAR_SLICES,), interval) for way in (bars_library.follow, wide.follow))
    row = {**case.as_json(), "name": f"bar {case.name}", "numbers": "real", "interval": interval}
    return _timed_ways(row, bar_operations(point.system, BAR_SLICES, interval, real=True), ways, repeats)


def _timed_ways(
    row: dict[str, Any], operations: float, ways: Iterable[Callable[[NDArray[np.uint32]], Any]], repeats: int
) -> dict[str, Any]:
    """A row with the times of both ways: the kernel on a whole group, wide frames on one realization."""
    row["operations"] = operations
    for name, way, count in zip(("kernel", "wide"), ways, (GROUP, 1), strict=True):
        timing = timed(partial(way, np.arange(count, dtype=np.uint32)), repeats)
        row[name] = {**timing.per(count), "gflops": operations * count / timing.minimum / 1e9}
    row["ratio"] = row["kernel"]["minimum"] / row["wide"]["minimum"]
    return row


def fit(numbers: str, rows: Iterable[Mapping[str, Any]], cache: float) -> Rates:
    """Rates for frames of such numbers by least squares: logarithms of the kernel's, reciprocals of wide frames'."""
    seen = [row for row in rows if row["orbitals"] >= OVERLAP and row["numbers"] == numbers]
    orbitals = np.array([row["orbitals"] for row in seen], dtype=float)
    kernel, frames = (np.array([row[name]["gflops"] for row in seen]) for name in ("kernel", "wide"))
    beyond = np.log(np.minimum(1.0, cache / (GROUP_BYTES[numbers] * orbitals**2)))
    (decay, level), *_ = np.linalg.lstsq(np.stack([beyond, np.ones_like(beyond)], axis=1), np.log(kernel), rcond=None)
    # 1 / rate = (1 + half / D) / wide, weighted for equal relative errors
    terms = np.stack([np.ones_like(orbitals), 1.0 / orbitals], axis=1) * frames[:, None]
    (constant, slope), *_ = np.linalg.lstsq(terms, np.ones_like(frames), rcond=None)
    return Rates(numbers, cache, float(np.exp(level)), float(decay), float(1.0 / constant), float(slope / constant))


def line(row: dict[str, Any]) -> str:
    """A row as it is printed."""
    kernel, frames = row["kernel"], row["wide"]
    times = (f"{way['minimum']:12.0f} {way['gflops']:6.1f}" for way in (kernel, frames))
    case = f"{row['name']:>24} {row['orbitals']:4d} {row['interval']:3d}"
    chosen = "wide" if wide_frames_are_faster(row["orbitals"], row["numbers"]) else "kernel"
    return f"{case} {' '.join(times)} {row['ratio']:6.2f} {chosen:>8}"


def second_level_cache() -> int:
    """Bytes of a core's second-level cache.

    raises : OSError where the system is not Linux, or does not say
    """
    size = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text(encoding="ascii").strip()
    return int(size.removesuffix("K")) * 1024


if __name__ == "__main__":
    main()
