"""The transmission kernels on one core: microseconds per realization, and percent of what this core can do.

    python -m benchmarks.kernels [--quick] [--json OUT]

Times the bare kernel, disorder, leads and certificates included, with the quantities that every run records (ln g, g
and noise), then with T_n. The rate is `operations.py`'s count over the shortest time (processor time of this process).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.cases import QUICK, STANDARD, Case, case_name
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import Clock, Timing, enough, on_one_core, timed
from benchmarks.operations import transmission_operations
from benchmarks.options import options
from benchmarks.peaks import Peaks
from mesogpu.backends.kernel_backend import KernelBackend
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.plan import Point

GROUP = 8
"""Realizations are timed in multiples of this: whole groups of lanes on every instruction set."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How a launch is timed.

    seconds     : about how long it is to take
    repeats     : how often
    first, most : realizations of the first trial, and of the largest launch
    clock       : what is read before and after
    """

    seconds: float
    repeats: int
    first: int = GROUP
    most: int = 2**16
    clock: Clock = time.process_time


FULL, BRIEF = Effort(0.4, 7), Effort(0.02, 3)


def main() -> None:
    """Time the standard sizes and print the table."""
    asked = options(__doc__)
    on_one_core()
    backend = NativeBackend()
    start = provenance()
    peaks = Peaks()
    rows = []
    print(f"{start['cpu']}, one core, {start.get('instruction_set')}, {start['compiler']}, commit {start['commit']}")
    print(f"{'size':>20} {'q':>3} {'us':>9} {'median':>9} {'GFLOP/s':>8} {'us with T_n':>12} {'GFLOP/s':>8}")
    for case in QUICK if asked.quick else STANDARD:
        row = measure(backend, case, BRIEF if asked.quick else FULL)
        rows.append(row)
        plain, full = row["traces"], row["eigenvalues"]
        print(
            f"{case.name:>20} {row['interval']:3d} {plain['minimum']:9.2f} {plain['median']:9.2f} "
            f"{plain['gflops']:8.1f} {full['minimum']:12.2f} {full['gflops']:8.1f}",
            flush=True,
        )
    peaks.measure_again()
    found = peaks.as_json()
    add_percentages(rows, found)
    print_percentages(rows, found)
    write_json({"benchmark": "kernels", "machine": start, "peaks_gflops": found, "rows": rows}, asked.json)


def measure(backend: KernelBackend, case: Case, effort: Effort) -> dict[str, Any]:
    """One row: both variants of a case, each with its rate in GFLOP/s."""
    row: dict[str, Any] = case.as_json()
    for name, eigenvalues in (("traces", False), ("eigenvalues", True)):
        point = case.point(eigenvalues=eigenvalues)
        launch, interval = launcher(backend, point)
        row["interval"] = interval
        count = enough(launch, effort.seconds, effort.first, effort.most, effort.clock)
        timing = timed(partial(launch, count), effort.repeats, effort.clock)
        operations = transmission_operations(point, interval)
        row[name] = {**timing.per(count), "operations": operations, "gflops": _rate(operations, count, timing)}
    return row


def launcher(backend: KernelBackend, point: Point) -> tuple[Callable[[int], Any], int]:
    """The bare kernel for a point, as a function of the number of realizations, and its interval; 0: it has none."""
    if point.system.has_transfer_matrix:
        interval = backend.interval(point)
        return lambda count: backend.launch(point, interval, np.arange(count, dtype=np.uint32)), interval
    split = backend.splits(point)
    return lambda count: backend.recurse(point, split, np.arange(count, dtype=np.uint32)), 0


def add_percentages(rows: list[dict[str, Any]], peaks: Mapping[str, float | None]) -> None:
    """Percent of each peak that was measured, beside each rate."""
    for row in rows:
        for variant in (row["traces"], row["eigenvalues"]):
            for name, peak in peaks.items():
                if peak:
                    variant[f"percent_of_{name}"] = 100.0 * variant["gflops"] / peak


def print_percentages(rows: list[dict[str, Any]], peaks: Mapping[str, float | None]) -> None:
    """A second table, once the peaks are known."""
    named = {name: peak for name, peak in peaks.items() if peak}
    print("\npeaks in this run: " + ", ".join(f"{name} {peak:.1f} GFLOP/s" for name, peak in named.items()))
    for row in rows:
        shares = (f"{row['traces'][f'percent_of_{name}']:5.1f} % of {name}" for name in named)
        print(f"{case_name(row):>20}  " + "  ".join(shares))


def _rate(operations: float, count: int, timing: Timing) -> float:
    return operations * count / timing.minimum / 1e9


if __name__ == "__main__":
    main()
