"""`mesogpu submit`, `status`, `resume`, `cancel`, `logs` and `merge` against a real SLURM."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from bench import Bench

pytestmark = pytest.mark.slurm


def submissions(bench: Bench) -> list[str]:
    return (bench.folder / "run" / "submissions.jsonl").read_text().splitlines()


def test_resume_submits_nothing_while_all_is_in_the_queue_or_done(bench: Bench, reference: str) -> None:
    bench.submit("--shards", "3", "--", "--hold")
    before = submissions(bench)
    # What would narrow down an answer of squeue must not hide the jobs.
    narrowed = replace(bench, environment=bench.environment | {"SQUEUE_PARTITION": "low", "LOGNAME": "nobody"})
    for each in (bench, narrowed):
        assert "nothing was submitted" in each.mesogpu("resume", "run").stdout
    again = bench.mesogpu("submit", "wire.yaml", "--profile", "profile.yaml", "-o", "run", status=2)
    assert "was submitted already" in again.stderr
    changed = ["--set", "disorder.0.width=1.5"]
    refused = bench.mesogpu("submit", "wire.yaml", "--profile", "profile.yaml", "-o", "run", *changed, status=2)
    assert "holds the run of another experiment" in refused.stderr
    bench.shell("scontrol", "release", *bench.queue())
    assert bench.merged() == reference
    assert "nothing was left to submit" in bench.mesogpu("resume", "run").stdout
    assert submissions(bench) == before


def test_a_cancelled_run_is_resumed_where_it_was(bench: Bench, reference: str) -> None:
    bench.profile(cpus=2)
    bench.submit("--shards", "1")
    bench.under_way(shards=1)
    assert "cancelled: job" in bench.mesogpu("cancel", "run").stdout
    bench.wait(lambda: not bench.queue())
    status = bench.status()
    assert status["shards"][0]["state"] in ("CANCELLED", "FAILED")
    assert 0 < status["done"] < status["total"]
    assert "no job of run was in the queue" in bench.mesogpu("cancel", "run").stdout
    missing = bench.mesogpu("merge", "run", status=1)
    assert re.search(r"are missing, in shard \(blocks\): 0 \(\d+\); mesogpu resume run", missing.stderr)
    log = bench.mesogpu("logs", "run", "--shard", "0").stdout
    assert "it was told to end" in log
    # The signal reached its workers as well: they leave it to the driver what becomes of their blocks.
    assert "was lost" not in log
    assert not (bench.folder / "run" / "wire.h5").exists()
    assert "submitted: job" in bench.mesogpu("resume", "run").stdout
    assert bench.merged() == reference


def test_a_changed_configuration_in_the_run_directory_is_refused(bench: Bench) -> None:
    bench.submit("--shards", "2")
    bench.mesogpu("cancel", "run")
    config = bench.folder / "run" / "config.yaml"
    config.write_text(config.read_text().replace("seed: 7", "seed: 8"))
    refused = bench.mesogpu("resume", "run", status=3)
    assert "is not the configuration that was submitted" in refused.stderr


def test_a_run_directory_may_be_moved_and_other_jobs_are_left_alone(bench: Bench) -> None:
    bench.submit("--shards", "2", "--set", "realizations=300", "--", "--hold")
    bench.shell("scancel", *(job.partition("_")[0] for job in bench.queue()))
    other = bench.shell("sbatch", "--parsable", "--hold", "--output=/dev/null", "--wrap", "sleep 1").strip()
    with (bench.folder / "run" / "submissions.jsonl").open("a") as file:
        file.write(json.dumps({"job": int(other), "shards": [[0, 1]]}) + "\n")
    assert "no job of run was in the queue" in bench.mesogpu("cancel", "run").stdout
    assert bench.queue() == [other]
    bench.shell("scancel", other)
    (bench.folder / "run").rename(bench.folder / "elsewhere")
    assert "2 shards" in bench.mesogpu("resume", "elsewhere").stdout
    (bench.folder / "run").symlink_to(bench.folder / "elsewhere")
    results = bench.folder / "elsewhere" / "wire.h5"
    bench.wait(results.exists)


def test_each_task_sees_its_own_gpu(bench: Bench) -> None:
    bench.profile(gres="gpu:1", prologue='echo "devices $CUDA_VISIBLE_DEVICES from $(date +%s%N)"; sleep 2')
    bench.submit("--shards", "4", "--set", "realizations=1024")
    bench.merged()
    seen = []
    for number in range(4):
        log = bench.mesogpu("logs", "run", "--shard", str(number)).stdout
        device, start = re.search(r"devices (.*) from (\d+)", log).groups()  # type: ignore[union-attr]
        assert f"GPU {device}" in log
        seen.append((int(start), device))
    # Two at a time, and no two of them on one device.
    devices = [device for _, device in sorted(seen)]
    assert set(devices) == {"0", "1"}
    assert devices[0] != devices[1]


def test_what_slurm_refuses_is_told_in_its_words_and_leaves_nothing(bench: Bench) -> None:
    bench.profile(partition="nowhere")
    refused = bench.mesogpu("submit", "wire.yaml", "--profile", "profile.yaml", "-o", "run", status=5)
    assert "invalid partition specified: nowhere" in refused.stderr
    bench.profile()
    refused = bench.mesogpu(
        "submit", "wire.yaml", "--profile", "profile.yaml", "-o", "run", "--", "--nonsense", status=5
    )
    assert "unrecognized option '--nonsense'" in refused.stderr
    assert not (bench.folder / "run").exists()


def test_a_dry_run_prints_the_script_and_writes_nothing(bench: Bench) -> None:
    bench.profile(max_parallel=2, extra=["--comment=ours"], modules=["none"], prologue="echo hello")
    said = bench.mesogpu("submit", "wire.yaml", "--profile", "profile.yaml", "--dry-run", "--shards", "3")
    assert "#SBATCH --comment=ours" in said.stdout
    assert "would run: sbatch --array=0-2%2" in said.stderr
    assert re.search(r"SLURM says: sbatch: Job \d+ to start at", said.stderr)
    assert {path.name for path in bench.folder.iterdir()} == {"wire.yaml", "profile.yaml"}


def test_the_run_directory_holds_what_the_readme_says(bench: Bench) -> None:
    bench.submit("--shards", "2", "--set", "realizations=300")
    root = bench.folder / "run"
    bench.merged()
    named = {"config.yaml", "plan.json", "provenance.json", "submissions.jsonl", "submit.sh", "merge.sh", "signature"}
    assert named | {"shards", "logs", "kernels"} <= {path.name for path in root.iterdir()}
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert all(f"`{name}" in readme for name in named)
    plan = json.loads((root / "plan.json").read_text())
    assert (plan["backend"], len(plan["shards"])) == ("native", 2)
    assert json.loads((root / "provenance.json").read_text())["packages"]
