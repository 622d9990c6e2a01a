"""Wide frames beside the vector kernel on one core: where the one overtakes the other.

    python -m benchmarks.wide [--quick] [--json OUT]

Both take the same samples with the same interval; each time is processor time per realization of ln g, g and noise. The
rates are those of the algorithm's operations (operations.py). The fit below the table is what `native` chooses by:
mesogpu/backends/wide/switch.py holds its constants, and a test compares them with the committed results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import FLUX, Case, case_name
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import on_one_core, timed
from benchmarks.operations import transmission_operations
from benchmarks.options import options
from mesogpu.backends.kernel_inputs import estimated_interval
from mesogpu.backends.native import library, wide
from mesogpu.backends.wide.switch import GROUP_BYTES, Rates, wide_frames_are_faster

HEADER = (
    f"{'size':>24} {'D':>4} {'q':>3} {'kernel us':>12} {'GF/s':>6} {'wide us':>12} {'GF/s':>6} {'ratio':>6}   chosen"
)
GROUP = 8
"""Realizations a launch of the kernel: a whole group of lanes on every instruction set."""

OVERLAP = 96
"""Smallest D that the fit sees: where the two come near each other, and beyond."""


QUICK = (Case(24, 24), Case(12, 12, model="rashba"))
SQUARES = tuple(Case(width, width) for width in (32, 64, 96, 128, 160, 192, 256, 384))
LONG = tuple(Case(width, 4 * width) for width in (32, 64, 96, 128, 192))
OTHERS = (
    *(Case(width, width, FLUX) for width in (64, 128, 192, 256)),
    *(Case(width, width, model="rashba") for width in (32, 64, 96, 128)),
    *(Case(width, width * width, model="cubic", depth=width) for width in (8, 12, 16)),
)


def main() -> None:
    """Time the cases, print the table and the fit."""
    asked = options(__doc__)
    on_one_core()
    cache = second_level_cache()
    machine = provenance(second_level_cache=cache)
    print(f"{machine['cpu']}, one core, {machine.get('instruction_set')}, cache {cache}, commit {machine['commit']}")
    print(HEADER)
    rows = []
    for case in QUICK if asked.quick else (*SQUARES, *LONG, *OTHERS):
        row = measure(case, 1 if asked.quick else 3)
        rows.append(row)
        print(line(row), flush=True)
    document = {"benchmark": "wide", "machine": machine, "rows": rows}
    if not asked.quick:
        rates = fit(rows, cache)
        print(f"fit: {rates}")
        document["fit"] = asdict(rates)
    write_json(document, asked.json)


def measure(case: Case, repeats: int) -> dict[str, Any]:
    """One row: both ways on one case, one after the other."""
    point = case.point()
    interval = estimated_interval(point)
    operations = transmission_operations(point, interval)
    row: dict[str, Any] = {
        **case.as_json(),
        "orbitals": point.system.orbitals,
        "interval": interval,
        "operations": operations,
    }
    for name, transmit, count in (("kernel", library.transmit, GROUP), ("wide", wide.transmit, 1)):
        timing = timed(partial(transmit, point, interval, np.arange(count, dtype=np.uint32)), repeats)
        row[name] = {**timing.per(count), "gflops": operations * count / timing.minimum / 1e9}
    row["ratio"] = row["kernel"]["minimum"] / row["wide"]["minimum"]
    return row


def fit(rows: Iterable[Mapping[str, Any]], cache: float) -> Rates:
    """Rates of the model by least squares: logarithms of the kernel's, reciprocals of those of wide frames."""
    seen = [row for row in rows if row["orbitals"] >= OVERLAP]
    orbitals = np.array([row["orbitals"] for row in seen], dtype=float)
    kernel, frames = (np.array([row[name]["gflops"] for row in seen]) for name in ("kernel", "wide"))
    beyond = np.log(np.minimum(1.0, cache / (GROUP_BYTES * orbitals**2)))
    (decay, level), *_ = np.linalg.lstsq(np.stack([beyond, np.ones_like(beyond)], axis=1), np.log(kernel), rcond=None)
    # 1 / rate = (1 + half / D) / wide, weighted for equal relative errors
    terms = np.stack([np.ones_like(orbitals), 1.0 / orbitals], axis=1) * frames[:, None]
    (constant, slope), *_ = np.linalg.lstsq(terms, np.ones_like(frames), rcond=None)
    return Rates(cache, float(np.exp(level)), float(decay), float(1.0 / constant), float(slope / constant))


def line(row: dict[str, Any]) -> str:
    """A row as it is printed."""
    kernel, frames = row["kernel"], row["wide"]
    times = (f"{way['minimum']:12.0f} {way['gflops']:6.1f}" for way in (kernel, frames))
    case = f"{case_name(row):>24} {row['orbitals']:4d} {row['interval']:3d}"
    chosen = "wide" if wide_frames_are_faster(row["orbitals"]) else "kernel"
    return f"{case} {' '.join(times)} {row['ratio']:6.2f} {chosen:>8}"


def second_level_cache() -> int:
    """Bytes of a core's second-level cache.

    raises : OSError where the system is not Linux, or does not say
    """
    size = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text(encoding="ascii").strip()
    return int(size.removesuffix("K")) * 1024


if __name__ == "__main__":
    main()
