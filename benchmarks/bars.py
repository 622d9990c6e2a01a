"""Lyapunov exponents of bars on one core: slices per second, percent of the peak, NumPy's QR beside, time to 0.1 %.

    python -m benchmarks.bars [--quick] [--json OUT]

Cubic bars with periodic sides at the Anderson transition, W = 16.5, E = 0, the whole spectrum, by what `native`
chooses: the vector kernel, or wide frames beyond the cache. A slice is one of one bar; random numbers and certificates
are in the time. NumPy's QR (qr_peer.py) gets the same energies, drawn before its time begins, and the longest of a few
intervals at which its exponents stay within 1e-10 of those at interval 1. Both are processor time of one thread.

The last columns: from the scatter of gamma_1 between bars, the slices that an error of 0.1 % takes, and the time for
them, on one core as measured here, and on an H200 at 30 % of its 33.5 TFLOP/s (a prediction).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks import qr_peer
from benchmarks.cases import BARS, BarCase
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import Clock, enough, on_one_core, timed
from benchmarks.operations import bar_operations
from benchmarks.options import options
from benchmarks.peaks import Peaks
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.kernel_backend import KernelBackend
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.wide.switch import wide_frames_are_faster
from mesogpu.plan import Point

GROUP = 8
"""Bars of a launch of the kernel; wide frames take one after the other."""

COMPARED_SLICES = 10_000
WIDEST_COMPARED = 8
"""Up to this width the exponents of the two are compared over so many slices; of wider bars, over the timed ones."""

PEER_BARS = 4
PEER_INTERVALS = (2, 4, 6, 8)
PEER_TOLERANCE = 1e-10

DEMAND = 1e-3
"""Relative error of gamma_1 that "time to 0.1 %" is about."""

WARMUP = 200
PREDICTED_RATE = 0.3 * 33.5e12
"""flop/s of an H200 in double precision, without tensor cores, at the share of its peak that the design hopes for."""


def main() -> None:
    """Time the widths and print the table."""
    asked = options(__doc__)
    on_one_core()
    backend, machine, peaks = NativeBackend(), provenance(), Peaks()
    print(f"{machine['cpu']}, one core, {machine.get('instruction_set')}, commit {machine['commit']}")
    heads = f"{'bar':>8} {'q':>2} {'way':>7} {'us/slice':>9} {'slices/s':>9} {'GFLOP/s':>8} {'QR q':>5} {'QR us':>9}"
    print(f"{heads} {'ratio':>6} {'d gamma':>8} {'to 0.1 %':>9} {'H200':>8}")
    rows = []
    for case in BARS[:1] if asked.quick else BARS:
        row = measure(backend, case, 0.02 if asked.quick else 1.0, quick=asked.quick)
        rows.append(row)
        print(line(row), flush=True)
    peaks.measure_again()
    found = peaks.as_json()
    add_percentages(rows, found)
    print_percentages(rows, found)
    write_json({"benchmark": "bars", "machine": machine, "peaks_gflops": found, "rows": rows}, asked.json)


def measure(backend: NativeBackend, case: BarCase, seconds: float, *, quick: bool) -> dict[str, Any]:
    """One row: the chosen way, its peer, and what 0.1 % would take."""
    wide = wide_frames_are_faster(case.width**2, "real")
    row = rate(backend, case, 1 if wide else GROUP, seconds)
    row["way"] = "wide" if wide else "kernel"
    row |= compare(backend, case, row["interval"], row["slices"], seconds, quick=quick)
    row["ratio"] = row["peer"]["minimum"] / row["timing"]["minimum"]
    each = 1e-6 * row["timing"]["minimum"]
    needed = slices_to(backend, case, DEMAND, seconds=10.0 * seconds, each=each)
    row["slices_to_demand"] = needed
    row["seconds_to_demand"] = needed * each
    row["predicted_h200_seconds"] = needed * row["operations"] / PREDICTED_RATE
    return row


def rate(
    backend: KernelBackend, case: BarCase, bars: int, seconds: float, clock: Clock = time.process_time
) -> dict[str, Any]:
    """Time per slice of so many bars in a launch that takes about so many seconds, and the rate of operations."""
    interval = backend.interval(case.point(1000))
    slices = enough(
        lambda count: follow(backend, case.point(count), interval, bars), seconds, 2 * interval, 2**16, clock
    )
    timing = timed(partial(follow, backend, case.point(slices), interval, bars), 3, clock)
    each = timing.minimum / (bars * slices)
    operations = bar_operations(case.point(1).system, slices, interval, real=True) / slices
    return {
        **case.as_json(),
        "name": case.name,
        "interval": interval,
        "bars": bars,
        "slices": slices,
        "timing": {**timing.per(bars * slices), "unit": "us per slice of one bar"},
        "slices_per_second": 1.0 / each,
        "operations": operations,
        "gflops": operations / each / 1e9,
    }


def follow(backend: KernelBackend, point: Point, interval: int, bars: int) -> BarOutput:
    """The chosen way on so many bars, their sums read off at the end."""
    return backend.follow(point, (point.slices,), interval, np.arange(bars, dtype=np.uint32))


def compare(
    backend: KernelBackend, case: BarCase, interval: int, slices: int, seconds: float, *, quick: bool
) -> dict[str, Any]:
    """NumPy's QR on the same bars: its time per slice, and the largest difference of an exponent."""
    bars = PEER_BARS if case.width <= WIDEST_COMPARED else 1
    length = min(slices, 200) if quick or case.width > WIDEST_COMPARED else COMPARED_SLICES
    point = case.point(length)
    onsite = point.system.slices(
        seed=point.seed, realizations=range(bars), slices=np.arange(length), point=point.stream_point
    ).onsite.reshape(bars, length, case.width, case.width)
    exact = qr_peer.logarithm_sums(onsite, 1)
    difference = np.abs(follow(backend, point, interval, bars).sums[-1] - exact).max() / length
    best = 1
    for candidate in PEER_INTERVALS:
        if np.abs(qr_peer.logarithm_sums(onsite, candidate) - exact).max() / length <= PEER_TOLERANCE:
            best = candidate
    count = enough(lambda n: qr_peer.logarithm_sums(onsite[:, :n], best), seconds, min(2 * best, length), length)
    timing = timed(partial(qr_peer.logarithm_sums, onsite[:, :count], best), 3)
    peer = {**timing.per(bars * count), "unit": "us per slice of one bar", "interval": best}
    return {"peer": peer, "largest_difference": difference, "compared_slices": length}


def slices_to(backend: KernelBackend, case: BarCase, demand: float, *, seconds: float, each: float) -> float:
    """Slices that a relative error of gamma_1 takes, by the scatter between bars that are as long as the time allows.

    The error of a sum of independent parts falls with the root of their number, however they are dealt out to bars.
    """
    count = 4 * GROUP
    slices = int(np.clip(seconds / each / count, 64, 4096))
    point = case.point(slices, warmup=min(WARMUP, slices))
    start = min(WARMUP, slices)
    sums = backend.follow(
        point, (start, start + slices), backend.interval(point), np.arange(count, dtype=np.uint32)
    ).sums[-1]
    exponents = sums[:, -1] / slices
    error = exponents.std(ddof=1) / np.sqrt(count) / exponents.mean()
    return float(count * slices * (error / demand) ** 2)


def add_percentages(rows: list[dict[str, Any]], peaks: Mapping[str, float | None]) -> None:
    """Percent of each peak that was measured, GFLOP/s, beside each rate."""
    for row in rows:
        row |= {f"percent_of_{name}": 100.0 * row["gflops"] / peak for name, peak in peaks.items() if peak}


def print_percentages(rows: list[dict[str, Any]], peaks: Mapping[str, float | None]) -> None:
    """A second table, once the peaks are known."""
    named = {name: peak for name, peak in peaks.items() if peak}
    print("peaks in this run: " + ", ".join(f"{name} {peak:.1f} GFLOP/s" for name, peak in named.items()))
    for row in rows:
        print(f"{row['name']:>8}  " + "  ".join(f"{row[f'percent_of_{name}']:5.1f} % of {name}" for name in named))


def line(row: dict[str, Any]) -> str:
    """A row as it is printed."""
    peer = row["peer"]
    return (
        f"{row['name']:>8} {row['interval']:2d} {row['way']:>7} {row['timing']['minimum']:9.2f} "
        f"{row['slices_per_second']:9.0f} {row['gflops']:8.1f} {peer['interval']:5d} {peer['minimum']:9.1f} "
        f"{row['ratio']:6.1f} {row['largest_difference']:8.1e} {row['seconds_to_demand']:7.0f} s "
        f"{row['predicted_h200_seconds']:6.2f} s"
    )


if __name__ == "__main__":
    main()
