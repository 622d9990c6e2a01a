"""End to end: the quickstart through `mesogpu.run`, by the NumPy engine and by the kernels, on one and two workers.

    python -m benchmarks.ensemble [--quick] [--json OUT] [--repeats N]

Every line is a fresh process kept to as many cores as it has workers. Wall time (perf_counter) is that of
`mesogpu.run`: configuration, plan, results file, workers, computing; `process` adds starting Python and importing.
Overhead is the share of the workers' wall time in which no backend computed; storage is the share of the wall time that
the main process spent in the results file. The shortest of the repeats counts. The two engines' ln g are compared, so
that the ratio is between equal results.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import mesogpu
from benchmarks.machine import ROOT, installed, provenance, usable_cores, write_json
from benchmarks.measuring import THREADS
from benchmarks.options import options
from mesogpu.backends.select import select_backend

CONFIG = ROOT / "configs" / "quickstart.yaml"
RUNS = (("numpy", 1), ("numpy", 2), ("native", 1), ("native", 2))
LIBRARIES = ("dask", "distributed", "h5py", "xarray")


def main() -> None:
    """Run every combination that this machine has the cores for, and print the table."""
    asked = options(__doc__, _own_options)
    overrides = ["realizations=128"] if asked.quick else []
    repeats = 1 if asked.quick else asked.repeats
    machine = provenance(libraries=installed(*LIBRARIES))
    select_backend("native")  # compiled now: what is timed is every run but the first
    print(f"{machine['cpu']}, {machine['usable_cores']} cores, commit {machine['commit']}")
    heads = f"{'backend':>8} {'workers':>8} {'wall s':>8} {'process':>8} {'overhead':>9} {'storage':>8}"
    print(f"{heads} {'realizations/s':>15}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for backend, workers in RUNS:
            if workers > usable_cores():
                print(f"{backend:>8} {workers:8d}   left out: this process may use {usable_cores()} core(s)")
                continue
            attempts = [once(Path(folder), backend, workers, overrides, k) for k in range(repeats)]
            files[backend] = Path(attempts[0].pop("file"))
            row = summarize(backend, workers, attempts)
            rows.append(row)
            print(
                f"{backend:>8} {workers:8d} {row['wall_seconds']:8.2f} {row['process_seconds']:8.2f} "
                f"{row['overhead']:8.1%} {row['storage']:8.1%} {row['realizations_per_second']:15.0f}",
                flush=True,
            )
        deviation = largest_difference(*files.values())
    speedups = add_speedups(rows)
    print(f"largest |d ln g| between the engines: {deviation:.1e}\n" + "\n".join(speedups))
    document = {"benchmark": "ensemble", "config": CONFIG.name, "overrides": overrides, "machine": machine}
    write_json({**document, "deviation": deviation, "rows": rows}, asked.json)


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeats", type=int, default=2, metavar="N", help="runs of each line (default 2)")


def once(folder: Path, backend: str, workers: int, overrides: list[str], attempt: int) -> dict[str, Any]:
    """One process, and what it says of itself."""
    out = folder / f"{backend}-{workers}-{attempt}.h5"
    command = [sys.executable, "-m", "benchmarks.one_run", str(CONFIG), str(out), backend, str(workers), *overrides]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    start = time.perf_counter()
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=environment)
    seconds = time.perf_counter() - start
    return {**json.loads(run.stdout.splitlines()[-1]), "process_seconds": seconds, "file": str(out)}


def summarize(backend: str, workers: int, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """The fastest attempt, its shares, and the median wall time of all."""
    best = min(attempts, key=lambda attempt: float(attempt["wall_seconds"]))
    wall = best["wall_seconds"]
    return {
        "backend": backend,
        "workers": workers,
        **{name: value for name, value in best.items() if name != "file"},
        "median_wall_seconds": statistics.median(attempt["wall_seconds"] for attempt in attempts),
        "repeats": len(attempts),
        "overhead": 1.0 - best["backend_seconds"] / (workers * wall),
        "storage": best["storage_seconds"] / wall,
        "realizations_per_second": best["realizations"] / wall,
    }


def add_speedups(rows: list[dict[str, Any]]) -> list[str]:
    """Ratios of wall times: the kernels' to NumPy's, two workers' to one's."""
    wall = {(row["backend"], row["workers"]): row["wall_seconds"] for row in rows}
    lines = []
    for row in rows:
        backend, workers = row["backend"], row["workers"]
        if backend == "native" and ("numpy", workers) in wall:
            row["times_numpy"] = wall["numpy", workers] / row["wall_seconds"]
            lines.append(f"native on {workers} worker(s): {row['times_numpy']:.1f} times as fast as numpy")
        if workers > 1 and (backend, 1) in wall:
            row["times_one_worker"] = wall[backend, 1] / row["wall_seconds"]
            lines.append(f"{backend} on {workers} workers: {row['times_one_worker']:.2f} times as fast as on one")
    return lines


def largest_difference(first: Path, second: Path) -> float:
    """Largest |d ln g| over all samples of two results files."""
    with mesogpu.open_results(first) as one, mesogpu.open_results(second) as other:
        return float(np.abs(one["log_conductance"].values - other["log_conductance"].values).max())


if __name__ == "__main__":
    main()
