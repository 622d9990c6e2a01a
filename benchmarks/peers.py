"""The native kernel beside the NumPy oracle and Kwant, on one core, in one run, on the same samples.

    python -m benchmarks.peers [--quick] [--json OUT] [--kwant-python PATH]

Each time is processor time per realization of ln g, g and noise, without T_n, at W = 1 and W = 2. The largest |d ln g|
over the samples that both computed says that they solve one problem. Without --kwant-python its columns are left out;
README.md here says how to make that environment. Kwant is timed with MUMPS as Kwant sets it up, and with tuned options.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import ENERGY, QUICK, RASHBA, STANDARD, WIDE, Case, case_name
from benchmarks.kernels import launcher
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import enough, on_one_core, timed
from benchmarks.options import options
from mesogpu.backends.kernel_backend import KernelBackend
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference.backend import compute
from mesogpu.plan import Block

SAMPLES = 4
DISORDERS = (1.0, 2.0)
HEADER = f"{'size':>20} {'W':>3} {'native us':>10} {'NumPy':>8} {'Kwant':>8} {'tuned':>8}   |d ln g| to NumPy, to Kwant"
CAVEAT = (
    "Columns after `native` are ratios to it. On square samples a recursion's work grows as M^4, Kwant's nested\n"
    "dissection's as M^3: the ratio falls with the width, and squares wider than about 256 favour nested dissection."
)


def main() -> None:
    """Time the standard sizes and print the table."""
    asked = options(__doc__, own_options)
    on_one_core()
    backend = NativeBackend()
    machine = provenance()
    print(f"{machine['cpu']}, one core, {machine.get('instruction_set')}, commit {machine['commit']}\n{HEADER}")
    rows = []
    for case in QUICK if asked.quick else (*STANDARD, WIDE):
        for disorder in DISORDERS:
            row = compare(backend, replace(case, disorder=disorder), asked.kwant_python, quick=asked.quick)
            rows.append(row)
            print(line(row), flush=True)
    print(CAVEAT)
    if asked.kwant_python is None:
        print("No Kwant columns: give --kwant-python PATH; benchmarks/README.md says how to install it.")
    write_json({"benchmark": "peers", "machine": machine, "rows": rows}, asked.json)


def own_options(parser: argparse.ArgumentParser) -> None:
    """What this benchmark takes beside the common options."""
    parser.add_argument("--kwant-python", metavar="PATH", help="a Python that has Kwant")


def compare(backend: KernelBackend, case: Case, kwant_python: str | None, *, quick: bool) -> dict[str, Any]:
    """One row: every engine on one case, one after the other."""
    point = case.point()
    launch, _ = launcher(backend, point)

    def oracle(count: int) -> Any:
        return compute(Block(point, 0, 0, count))

    seconds, repeats = (0.02, 3) if quick else (0.3, 5)
    count = enough(launch, seconds, 8, 2**16)
    row: dict[str, Any] = {**case.as_json(), "native": timed(lambda: launch(count), repeats).per(count)}
    few = enough(oracle, seconds, SAMPLES, 2**10)
    row["numpy"] = timed(lambda: oracle(few), 3).per(few)
    native = backend.compute(Block(point, 0, 0, SAMPLES))["log_conductance"][0]
    exact = oracle(SAMPLES)["log_conductance"][0]
    row["numpy"]["deviation"] = float(np.abs(native - exact).max())
    if kwant_python is not None:
        row["kwant"] = kwant(kwant_python, case, repeats=3 if quick else 7)
        logarithms = [
            row["kwant"][kind].pop("log_conductance") for kind in ("default", "tuned") if kind in row["kwant"]
        ]
        row["kwant"]["deviation"] = float(np.abs(np.array(logarithms) - native).max())
    for name in ("numpy", "kwant"):
        if name in row:
            add_ratio(row[name], row["native"])
    return row


def kwant(python: str, case: Case, repeats: int) -> dict[str, Any]:
    """What Kwant makes of the first samples of a case, in its own process on this core."""
    point = case.point()
    slices = point.system.slices(
        seed=point.seed, realizations=range(SAMPLES), slices=range(case.length), point=point.stream_point
    )
    with tempfile.TemporaryDirectory() as folder:
        job, result = Path(folder) / "case.npz", Path(folder) / "result.json"
        np.savez(
            job,
            potential=slices.onsite,
            energy=ENERGY,
            flux=case.flux,
            model=case.model,
            depth=case.depth,
            rashba=RASHBA,
            repeats=repeats,
        )
        script = Path(__file__).with_name("kwant_peer.py")
        subprocess.run([python, str(script), str(job), str(result)], check=True, timeout=3600)
        document: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return document


def add_ratio(peer: dict[str, Any], native: dict[str, Any]) -> None:
    """How many times the kernel's shortest time a peer's shortest is."""
    for timing in (peer, peer.get("default"), peer.get("tuned")):
        if timing is not None and "minimum" in timing:
            timing["ratio"] = timing["minimum"] / native["minimum"]


def line(row: dict[str, Any]) -> str:
    """A row as it is printed."""
    peers = [f"{row['numpy']['ratio']:8.1f}"]
    deviations = [f"{row['numpy']['deviation']:.1e}"]
    if "kwant" in row:
        kinds = (row["kwant"].get(kind) for kind in ("default", "tuned"))
        peers += [f"{kind['ratio']:8.1f}" if kind else f"{'-':>8}" for kind in kinds]
        deviations.append(f"{row['kwant']['deviation']:.1e}")
    else:
        peers += [f"{'-':>8}"] * 2
    start = f"{case_name(row):>20} {row['disorder']:3.0f} {row['native']['minimum']:10.2f}"
    return f"{start} {' '.join(peers)}   {', '.join(deviations)}"


if __name__ == "__main__":
    main()
