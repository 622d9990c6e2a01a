"""`mesogpu analyze` on 1 000 000 realizations of 4 sweep points: wall time and peak memory of the whole command.

    python -m benchmarks.analysis [--quick] [--json OUT] [--folder DIR] [--workers N]

The files are made by `mesogpu.run`, of strips so narrow that this takes a minute; what is measured is the command as a
user gives it, Python's start and every analysis included, by the wall clock and by what the system says of the process.
Needs 0.5 GB in DIR (a temporary folder by default).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mesogpu
from benchmarks.machine import installed, provenance, write_json
from benchmarks.options import options
from mesogpu.execute import default_workers

REALIZATIONS, QUICK = 1_000_000, 20_000
REPEATS = 3
SECONDS, MEGABYTES = 10.0, 1000.0
"""What the command may take."""

CASES: dict[str, dict[str, Any]] = {
    "one length": {"length": [8]},
    "two lengths, T_n and noise": {"length": [4, 8], "observables": ["transmission_eigenvalues", "shot_noise"]},
}
KILOBYTE = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of ru_maxrss."""


def main() -> int:
    """Make each file, analyze it, and print what that took."""
    asked = options(__doc__, _own_options)
    machine = provenance(libraries=installed("numpy", "scipy", "h5py", "xarray"))
    rows = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for name, case in CASES.items():
            path = Path(folder) / "file.h5"
            start = time.perf_counter()
            mesogpu.run(experiment(case, QUICK if asked.quick else REALIZATIONS), path, workers=asked.workers)
            made = time.perf_counter() - start
            repeats = [analyze(path) for _ in range(1 if asked.quick else REPEATS)]
            fastest = min(repeats, key=lambda each: each["wall_seconds"])
            row = {"case": name, "file_megabytes": path.stat().st_size / 1e6, "run_seconds": made, **fastest}
            row["within_bounds"] = row["wall_seconds"] <= SECONDS and row["peak_megabytes"] <= MEGABYTES
            rows.append(row)
            print(line(row), flush=True)
            path.unlink()
    write_json({"benchmark": "analysis", "machine": machine, "rows": rows}, asked.json)
    return 0 if asked.quick or all(row["within_bounds"] for row in rows) else 1


def experiment(case: dict[str, Any], realizations: int) -> dict[str, Any]:
    """Four fluxes through a strip two sites wide."""
    return {
        "schema": 1,
        "name": "million",
        "seed": 11,
        "model": {"lattice": "square", "width": 2, "length": case["length"]},
        "disorder": [{"distribution": "uniform", "width": 1.0}],
        "energy": 0.5,
        "sweep": {"flux": [0.0, 0.01, 0.02, 0.03]},
        "realizations": realizations,
        **{key: value for key, value in case.items() if key != "length"},
    }


def analyze(path: Path) -> dict[str, float]:
    """Wall and processor seconds and the peak memory of the command, in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "mesogpu", "analyze", str(path), "--json"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return {
        "wall_seconds": wall,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_megabytes": used.ru_maxrss * KILOBYTE / 1e6,
    }


def line(row: dict[str, Any]) -> str:
    """A row as it is printed."""
    return (
        f"{row['case']}: file {row['file_megabytes']:.0f} MB, made in {row['run_seconds']:.0f} s; "
        f"analyze {row['wall_seconds']:.1f} s (at most {SECONDS:g}), {row['processor_seconds']:.1f} s of processor, "
        f"peak {row['peak_megabytes']:.0f} MB (at most {MEGABYTES:g})"
    )


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the files are made")
    parser.add_argument("--workers", type=int, default=default_workers(), metavar="N", help="processes of the runs")


if __name__ == "__main__":
    sys.exit(main())
