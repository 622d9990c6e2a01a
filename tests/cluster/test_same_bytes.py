"""However a run is spread over processes and jobs, and whatever happens to them: one and the same file.

Planted faults seen: `first_block` left out of a shard's blocks; a shard that exits 0 when it is told to stop.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from bench import MESOGPU, Bench, digest
from slurm_cluster import SlurmCluster

pytestmark = pytest.mark.slurm


def test_two_workers_killed_in_turn_eight_times(bench: Bench, reference: str) -> None:
    command = [*MESOGPU, "run", "wire.yaml", "--backend", "native", "--workers", "2"]
    run = subprocess.Popen(command, cwd=bench.folder, env=bench.environment, stderr=subprocess.PIPE, text=True)
    kills = 0
    while run.poll() is None and kills < 8:
        workers = sorted(_children(run.pid))
        if len(workers) == 2 and (bench.folder / "wire.h5").exists():
            os.kill(workers[kills % 2], signal.SIGKILL)
            kills += 1
            time.sleep(0.7)
        time.sleep(0.05)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said
    assert kills == said.count("was lost") == 8
    assert digest(bench.folder / "wire.h5") == reference


def test_an_array_of_four_shards(bench: Bench, reference: str) -> None:
    bench.submit("--shards", "4")
    assert bench.merged() == reference
    assert bench.mesogpu("status", "run").stdout.startswith("run: merged, 18,000 of 18,000 realizations (100 %)")


def test_an_array_that_runs_out_of_time_and_queues_itself_again(bench: Bench, reference: str) -> None:
    bench.submit("--shards", "2")
    job = bench.under_way()
    bench.shell("scancel", "--batch", "--signal=USR1", str(job))
    assert bench.merged() == reference
    log = (bench.folder / "run" / "logs" / f"{job}_0.log").read_text()
    assert "time ran out; queued again" in log
    assert "resuming" in log


def test_an_array_that_makes_way_for_other_jobs(bench: Bench, reference: str, cluster: SlurmCluster) -> None:
    bench.profile(partition="low")
    bench.submit("--shards", "2")
    job = bench.under_way()
    whole = f"--ntasks={cluster.cpus}"
    bench.shell("sbatch", "--partition=main", whole, "--output=/dev/null", "--wrap", "sleep 3")
    assert bench.merged() == reference
    assert "resuming" in (bench.folder / "run" / "logs" / f"{job}_0.log").read_text()


def test_a_node_whose_daemon_is_killed_and_started_again(bench: Bench, reference: str, cluster: SlurmCluster) -> None:
    bench.submit("--shards", "2")
    bench.under_way()
    cluster.kill_node()
    cluster.start_node()
    assert bench.merged() == reference


@pytest.mark.slow
def test_a_node_that_crashes_under_its_jobs(bench: Bench, reference: str, cluster: SlurmCluster) -> None:
    bench.submit("--shards", "2")
    job = bench.under_way()
    cluster.kill_node()
    for process in _of_jobs(bench.folder / "run"):
        os.kill(process, signal.SIGKILL)
    cluster.start_node()
    assert bench.merged() == reference
    assert "resuming" in (bench.folder / "run" / "logs" / f"{job}_0.log").read_text()


@pytest.mark.slow
def test_an_array_limited_to_one_minute(bench: Bench) -> None:
    bench.profile(walltime="00:01:00", signal_seconds=25)
    longer = ["--set", "realizations=60000"]
    bench.mesogpu("run", "wire.yaml", "--backend", "native", "--workers", "2", "-q", *longer)
    bench.submit("--shards", "2", *longer)
    assert bench.merged(seconds=900) == digest(bench.folder / "wire.h5")
    logs = bench.mesogpu("logs", "run", "--shard", "0").stdout
    assert logs.count("time ran out; queued again") >= 1


def _children(parent: int) -> list[int]:
    """Worker processes of a run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(status.rpartition(")")[2].split()[1]) == parent and "mesogpu.execute.worker" in command:
            found.append(int(folder.name))
    return found


def _of_jobs(run: Path) -> list[int]:
    """Processes of a run's jobs: what SLURM started for them, and the program itself."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if "slurmstepd" in command or ("slurm_script" in command) or (f"shard\0{run}" in command):
            found.append(int(folder.name))
    return found
