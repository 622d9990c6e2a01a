"""A run of thousands of shards: cut, submitted, looked at and merged, with shards that cost nothing to compute.

    python -m benchmarks.shards [--quick] [--json OUT] [--folder DIR] [--shards N ...]

Each shard is one block of 64 realizations of a strip. Where a SLURM answers, the array is really submitted, held, and
cancelled; its tasks never run: their files are written here. `submit` is the command from the YAML file to the numbers
of the jobs; `status` looks at every shard's file and asks SLURM; `merge` checks every block and writes the whole. Wall
time (perf_counter).
"""

from __future__ import annotations

import argparse
import getpass
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import provenance, write_json
from benchmarks.options import options
from benchmarks.storage import SIGNATURE, file_system, timed
from benchmarks.transmissions import Transmissions, result
from mesogpu import api
from mesogpu.config.load import dump_yaml
from mesogpu.config.profile import load_profile
from mesogpu.execute.slurm import Request, RunDirectory, cancel, merge_run, resume, standing, submit
from mesogpu.execute.slurm.sharding import Sharding
from mesogpu.execute.slurm.submission import create
from mesogpu.plan import Block, Plan, make_plan
from mesogpu.plan.parts import cut
from mesogpu.store import Writer

ROWS = 64
SHARDS, QUICK_SHARDS = (100, 1000, 10_000), (100,)


def main() -> None:
    """One run after the other."""
    asked = options(__doc__, _own_options)
    counts = QUICK_SHARDS if asked.quick else asked.shards
    rows = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        machine = provenance(slurm=slurm_version(), file_system=file_system(Path(name)))
        print(f"{machine['cpu']}, SLURM {machine['slurm'] or 'absent'}, commit {machine['commit']}")
        for count in counts:
            rows.append(measure(Path(name) / f"run{count}", count, has_slurm=bool(machine["slurm"])))
            print(line(rows[-1]), flush=True)
    write_json({"benchmark": "shards", "machine": machine, "rows": rows}, asked.json)


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the run directories are made")
    parser.add_argument("--shards", type=int, nargs="+", default=list(SHARDS), metavar="N")


def plan(count: int) -> Plan:
    """One block of 64 realizations for each shard."""
    document = {
        "schema": 1,
        "name": "shards",
        "seed": 1,
        "model": {"lattice": "square", "width": 4, "length": [16]},
        "disorder": [{"distribution": "uniform", "width": 1.0}],
        "energy": 0.0,
        "realizations": ROWS * count,
    }
    return replace(make_plan(api.load_experiment(document)), block_size=ROWS)


def measure(root: Path, count: int, *, has_slurm: bool) -> dict[str, Any]:
    """The life of one run."""
    plan_seconds, whole = timed(lambda: plan(count))
    cut_seconds, parts = timed(lambda: cut([1.0], whole.blocks_per_point, count))
    profile_file = root.with_suffix(".yaml")
    profile_file.write_text('{partition: main, walltime: "00:10:00"}\n')
    request = Request(root, whole, Sharding(parts, None), load_profile(profile_file), "native")
    figures: dict[str, Any] = {"shards": len(parts), "plan_seconds": plan_seconds, "cut_seconds": cut_seconds}
    if has_slurm:
        figures["submit_seconds"], made = timed(lambda: submit(replace(request, arguments=("--hold",))))
        run = made.run
        figures["status_queued_seconds"], _ = timed(lambda: standing(run))
        figures["resume_queued_seconds"], _ = timed(lambda: resume(run))
        figures["cancel_seconds"], _ = timed(lambda: cancel(run))
    else:
        run = create(request)
    figures["plan_file_bytes"] = run.plan_file.stat().st_size
    figures["write_seconds"], _ = timed(lambda: write(run, whole))
    figures["shard_bytes"] = sum(path.stat().st_size for path in run.shards.iterdir()) / count
    figures["status_seconds"], status = timed(lambda: standing(RunDirectory.open(root)))
    figures["merge_seconds"], merged = timed(lambda: merge_run(run))
    figures["merged_bytes"] = run.results.stat().st_size
    if not (status.complete and merged.written):
        raise AssertionError("the merged run is not complete")
    shutil.rmtree(root)
    return figures


def write(run: RunDirectory, whole: Plan) -> None:
    """Every shard's file, as its task would leave it."""
    text = dump_yaml(whole.experiment)
    for number, part in enumerate(run.parts):
        own = whole.only(part)
        with Writer(run.shard_file(number), own, config_text=text, signature=SIGNATURE) as writer:
            writer.commit([result(block, half) for block in own.blocks()])


def half(block: Block) -> Transmissions:
    """(1, count, 1) T_n of one half: what is in the blocks does not matter here."""
    return np.full((1, block.count, 1), 0.5)


def slurm_version() -> str:
    """Of the SLURM that answers here, empty where none does."""
    try:
        answer = subprocess.run(["sinfo", "--version"], capture_output=True, text=True, timeout=20, check=True)
        subprocess.run(["squeue", "-h", "-u", getpass.getuser()], capture_output=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.split()[-1]


def line(row: dict[str, Any]) -> str:
    """One run as it is printed."""
    times = {name.removesuffix("_seconds"): value for name, value in row.items() if name.endswith("_seconds")}
    told = ", ".join(f"{name.replace('_', ' ')} {value:.2f} s" for name, value in times.items())
    size = f"plan.json {row['plan_file_bytes'] / 1e3:.0f} kB, a shard {row['shard_bytes'] / 1e3:.0f} kB"
    return f"{row['shards']:,} shards: {told}; {size}, merged {row['merged_bytes'] / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
