"""A million small realizations through the local executor: its memory, its overhead, and two workers against one.

    python -m benchmarks.executor [--quick] [--json OUT] [--repeats N]

Three cases of 1 000 000 realizations of a chain by the native kernels: one point of 1000 slices; 2500 points of 400
realizations, a block each; one point cut into 31 250 blocks of 32, far below the canonical size. Every line is a fresh
process (one_executor.py). `wall` is that of the run, starting and stopping the workers included. `overhead` is wall
over kernel time, the backend's own seconds divided by the workers. `memory` is the peak of the driver, which holds the
scheduler. `efficiency` is how well two workers use what two processes have: their speedup over one worker, divided by
that of two plain processes over one, which compute the same blocks without executor or file right before and after. On
a machine whose two processors are one core's hyperthreads these plain processes gain little by themselves.
The shortest of the repeats counts, and the fastest of the plain processes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, installed, provenance, usable_cores, write_json
from benchmarks.measuring import THREADS
from benchmarks.one_executor import BACKEND, CASES
from benchmarks.options import options
from mesogpu.backends.select import select_backend

MOST_MEGABYTES = 300
MOST_OVERHEAD = 1.10
"""Bounds of memory and of overhead."""

WORKERS = 2
PLAIN_SECONDS = 8.0


def main() -> None:
    """Run every case and print the table."""
    asked = options(__doc__, _own_options)
    repeats, seconds = (1, 1.0) if asked.quick else (asked.repeats, PLAIN_SECONDS)
    if usable_cores() < WORKERS:
        sys.exit(f"needs {WORKERS} cores, this process may use {usable_cores()}")
    machine = provenance(libraries=installed("dask", "distributed", "h5py"))
    select_backend(BACKEND)  # compiled now
    print(f"{machine['cpu']}, {machine['usable_cores']} cores, commit {machine['commit']}")
    heads = f"{'case':>12} {'blocks':>8} {'1 worker s':>11} {'2 workers s':>12} {'overhead':>9} {'memory':>8}"
    print(f"{heads} {'speedup':>8} {'plain':>6} {'efficiency':>11}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            row = measure(name, Path(folder), repeats, seconds, quick=asked.quick)
            rows.append(row)
            print(line(row), flush=True)
    write_json({"benchmark": "executor", "machine": machine, "quick": asked.quick, "rows": rows}, asked.json)


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each line (default 3)")


def measure(name: str, folder: Path, repeats: int, seconds: float, *, quick: bool) -> dict[str, Any]:
    """One case on one and on two workers, and plain processes beside."""
    runs: dict[int, list[dict[str, Any]]] = {1: [], WORKERS: []}
    plain: dict[int, list[float]] = {1: [], WORKERS: []}
    for _ in range(repeats):
        for workers in (1, WORKERS):
            plain[workers].append(side_by_side(name, workers, seconds, quick=quick))
            out = folder / "out.h5"
            [found] = processes([["run", name, str(workers), str(out)]], quick=quick)
            out.unlink()
            runs[workers].append(found)
    best = {workers: min(found, key=lambda one: float(one["wall_seconds"])) for workers, found in runs.items()}
    one, two = best[1], best[WORKERS]
    speedup = one["wall_seconds"] / two["wall_seconds"]
    ceiling = max(plain[WORKERS]) / max(plain[1])
    return {
        "case": name,
        "repeats": repeats,
        "one_worker": one | overhead(one, 1),
        "two_workers": two | overhead(two, WORKERS),
        "speedup": speedup,
        "plain_speedup": ceiling,
        "efficiency": speedup / ceiling,
        "most_megabytes": MOST_MEGABYTES,
        "most_overhead": MOST_OVERHEAD,
    }


def overhead(found: dict[str, Any], workers: int) -> dict[str, float]:
    """Wall time over kernel time."""
    return {"overhead": workers * found["wall_seconds"] / found["backend_seconds"]}


def side_by_side(name: str, count: int, seconds: float, *, quick: bool) -> float:
    """Realizations a second of so many plain processes together."""
    commands = [["plain", name, str(share), str(seconds)] for share in range(count)]
    return sum(float(found["realizations_per_second"]) for found in processes(commands, quick=quick))


def processes(commands: list[list[str]], *, quick: bool) -> list[dict[str, Any]]:
    """What programs that run at the same time say of themselves."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    start = [sys.executable, "-m", "benchmarks.one_executor", *["--quick"] * quick]
    running = [
        subprocess.Popen([*start, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        for command in commands
    ]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise AssertionError(f"{commands}: ended with {[process.returncode for process in running]}")
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def line(row: dict[str, Any]) -> str:
    """The figures of one case."""
    one, two = row["one_worker"], row["two_workers"]
    return (
        f"{row['case']:>12} {two['blocks']:8,} {one['wall_seconds']:11.1f} {two['wall_seconds']:12.1f} "
        f"{two['overhead']:9.3f} {two['peak_megabytes']:5.0f} MB {row['speedup']:8.2f} {row['plain_speedup']:6.2f} "
        f"{row['efficiency']:11.0%}"
    )


if __name__ == "__main__":
    main()
