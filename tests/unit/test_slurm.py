"""Submission to SLURM, as far as no SLURM is needed: scripts, shards, what a shard decides, refusals."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mesogpu import api
from mesogpu.cli import commands as cli
from mesogpu.config.load import load_experiment
from mesogpu.config.profile import Profile
from mesogpu.errors import BackendUnavailable, ConfigError, DamagedFileError, EnvironmentFault, PlanError, StoreError
from mesogpu.execute import RunRecord
from mesogpu.execute.slurm import Request, RunDirectory, merge_run, run_shard, standing
from mesogpu.execute.slurm.commands import jobs
from mesogpu.execute.slurm.script import array_argument, shard_script
from mesogpu.execute.slurm.shard import _next, shard_number
from mesogpu.execute.slurm.sharding import Sharding, choose_backend, make_sharding
from mesogpu.execute.slurm.submission import create
from mesogpu.plan import make_plan
from mesogpu.plan.parts import cut
from mesogpu.store.runlog import parse_lines

PROFILE = Profile("main", "01:00:00")
WIRE = {
    "schema": 1,
    "name": "wire",
    "seed": 7,
    "model": {"lattice": "square", "width": 3, "length": [4]},
    "disorder": [{"distribution": "uniform", "width": 1.0}],
    "energy": 0.3,
    "sweep": {"flux": [0.0, 0.01, 0.02]},
    "realizations": 20,
}


def created(root: Path, shards: int = 3) -> RunDirectory:
    plan = make_plan(load_experiment(WIRE))
    parts = cut([1.0] * len(plan.points), plan.blocks_per_point, shards)
    return create(Request(root, plan, Sharding(parts, None), PROFILE, "numpy"))


@pytest.fixture
def no_slurm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_shards_run_anywhere_and_merge_into_the_file_of_one_run(tmp_path: Path) -> None:
    run = created(tmp_path / "run")
    assert standing(run).done == 0
    for number in (2, 0):
        assert run_shard(run, number).complete
    merged = merge_run(run)
    assert (merged.written, merged.missing) == (False, {1: 1})
    assert run_shard(run, 1).complete
    assert not run_shard(run, 1).record.blocks
    assert merge_run(run).written
    one = api.run(load_experiment(WIRE), tmp_path / "one.h5", backend="numpy", workers=1)
    assert run.results.read_bytes() == one.read_bytes()
    status = standing(run)
    assert (status.merged, status.complete, status.done) == (True, True, 60)
    with pytest.raises(StoreError, match="has no shard 3, its shards are 0 to 2"):
        run_shard(run, 3)


def test_shards_of_different_arithmetic_are_refused_where_they_start(tmp_path: Path) -> None:
    run = created(tmp_path / "run")
    run.signature.write_text("numpy of another machine")
    with pytest.raises(
        EnvironmentFault, match="other shards of this run have computed with 'numpy of another machine'"
    ):
        run_shard(run, 0)


def test_a_run_directory_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    run = created(tmp_path / "run")
    config = run.config.read_text()
    run.config.write_text(config.replace("realizations: 20", "realizations: 40"))
    with pytest.raises(DamagedFileError, match="is not the configuration that was submitted"):
        RunDirectory.open(run.root).plan  # noqa: B018
    run.config.write_text(config)
    whole = json.loads(run.plan_file.read_text())
    tampered = [
        {key: value for key, value in whole.items() if key != "name"},
        whole | {"block_size": 0},
        whole | {"shards": [["a", 1, 0, 1]]},
        whole | {"mixed": "no"},
        whole | {"profile": {"partition": "a"}},
        [],
    ]
    for document in tampered:
        run.plan_file.write_text(json.dumps(document))
        with pytest.raises(DamagedFileError, match=r"plan.json: is not as it was written"):
            RunDirectory.open(run.root)
    for shards in ([[0, 99, 0, 1]], whole["shards"][:-1], [*whole["shards"][:-1], whole["shards"][0]]):
        run.plan_file.write_text(json.dumps(whole | {"shards": shards}))
        with pytest.raises(DamagedFileError, match=r"plan.json: is not as it was written"):
            RunDirectory.open(run.root).plan  # noqa: B018
    run.plan_file.write_text(json.dumps(whole | {"format": 2, "profile": {"new": 1}, "mesogpu_version": "9.0"}))
    with pytest.raises(StoreError, match=r"was made by mesogpu 9.0"):
        RunDirectory.open(run.root)
    run.plan_file.write_text(json.dumps(whole))
    for line in ('{"job": 5}\n', '{"shards": [3]}\n', "\udcff\n", '{"job"'):
        with run.submissions.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(line)
    run.note(event="submitted", job=7)
    assert parse_lines(run.submissions.read_bytes())[-1]["job"] == 7
    assert not standing(run).complete
    with pytest.raises(StoreError, match="is not a run directory"):
        RunDirectory.open(tmp_path)


@pytest.mark.parametrize(
    ("received", "blocks", "restarts", "requeue", "said"),
    [
        ([signal.SIGUSR1], 3, "0", True, "queued again"),
        ([signal.SIGUSR1], 0, "0", True, "queued again"),
        ([signal.SIGUSR1], 0, "1", False, "no block was finished since its last start"),
        ([signal.SIGUSR1], 3, "5", False, "started 6 times"),
        ([signal.SIGTERM], 3, "", True, "told to end"),
        ([], 3, "0", False, "blocks that ended every worker were left out"),
    ],
)
def test_a_shard_queues_itself_again_only_where_that_helps(
    received: list[int], blocks: int, restarts: str, requeue: bool, said: str
) -> None:
    record = RunRecord(1.0, 1.0, blocks, blocks, 0, skipped=0 if received else 2)
    again, why = _next(received, record, {"SLURM_RESTART_COUNT": restarts})
    assert again is requeue
    assert said in why


def test_the_number_of_a_shard_comes_from_the_array() -> None:
    assert shard_number({"SLURM_ARRAY_TASK_ID": "12"}) == 12
    with pytest.raises(StoreError, match="SLURM_ARRAY_TASK_ID is not set"):
        shard_number({})


def test_arrays_are_told_in_ranges() -> None:
    assert array_argument([0, 1, 2, 5, 7, 8], 0) == "--array=0-2,5,7-8"
    assert array_argument([4], 3) == "--array=4%3"


@pytest.mark.parametrize(
    ("program", "sent", "requeued"),
    [
        ("exit 75", None, False),  # nobody warned it: SLURM ended it, and starts it again by itself
        ("trap 'exit 75' USR1; while :; do sleep 0.05; done", signal.SIGUSR1, True),
        ("trap 'sleep 0.3; exit 75' USR1; while :; do sleep 0.05; done", signal.SIGUSR1, True),
        ("while :; do sleep 0.05; done", signal.SIGUSR1, True),  # warned before it could listen
        ("trap 'exit 75' TERM; while :; do sleep 0.05; done", signal.SIGTERM, False),
        ("trap 'exit 0' USR1; while :; do sleep 0.05; done", signal.SIGUSR1, False),
        ("exit 3", None, False),
    ],
)
def test_the_script_passes_signals_on_and_queues_again_what_was_warned(
    tmp_path: Path, program: str, sent: signal.Signals | None, requeued: bool
) -> None:
    # Fails where the program is not put into the background (planted): bash then waits for it first.
    script = shard_script(RunDirectory(tmp_path / "run"), PROFILE)
    (tmp_path / "program").write_text(f"#!/bin/bash\ntouch {tmp_path}/up\n{program}\n")
    (tmp_path / "scontrol").write_text(f'#!/bin/bash\necho "$@" > {tmp_path}/requeued; exit 1\n')
    for name in ("program", "scontrol"):
        (tmp_path / name).chmod(stat.S_IRWXU)
    command = next(line for line in script.splitlines() if line.endswith("&"))
    (tmp_path / "script").write_text(script.replace(command, f"{tmp_path}/program &"))
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_RESTART_COUNT": "4"}
    environment |= {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"}
    job = subprocess.Popen(["/bin/bash", str(tmp_path / "script")], env=environment)
    end = time.monotonic() + 20
    while not (tmp_path / "up").exists() and time.monotonic() < end:
        time.sleep(0.01)
    if sent is not None:
        time.sleep(0.1)
        job.send_signal(sent)
    code = job.wait(20)
    assert (tmp_path / "requeued").exists() is requeued
    assert not requeued or (tmp_path / "requeued").read_text() == "requeue 7_3\n"
    if "exit" in program:
        assert code == int(program.split("exit ")[1].split("'")[0])


def test_shards_fit_into_the_walltime_or_are_refused_with_the_way_out() -> None:
    plan = make_plan(load_experiment({**WIRE, "realizations": 2_000_000_000}))
    cpu = Profile("main", "01:00:00", cpus=2)
    sharding = make_sharding(plan, cpu, backend="numpy", shards=None)
    assert sharding.seconds is not None
    assert sharding.seconds <= 0.55 * cpu.seconds
    uneven = make_plan(load_experiment({**WIRE, "sweep": {"model.width": [3, 4, 30]}, "realizations": 8}))
    whole, parts = (make_sharding(uneven, cpu, backend="numpy", shards=count) for count in (1, 3))
    # The widest strip is nearly all of the work, and it is in one of the three.
    assert parts.seconds > 0.3 * whole.seconds
    with pytest.raises(PlanError, match=r"lives of a job of 01:00:00 are \d+ s; use --shards \d+"):
        make_sharding(plan, cpu, backend="numpy", shards=2)
    few = make_sharding(
        make_plan(load_experiment(WIRE)), Profile("main", "01:00:00", max_parallel=64), backend="numpy", shards=None
    )
    assert len(few.parts) == 3


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed")
def test_the_backend_is_chosen_where_the_run_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendUnavailable, match="CuPy is not installed in this Python, which the jobs use as well"):
        choose_backend("auto", Profile("gpu", "01:00:00", gres="gpu:1"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert choose_backend("auto", Profile("gpu", "01:00:00", gres="gpu:1")) == "cuda"
    assert choose_backend("auto", PROFILE) in ("native", "numpy")
    assert choose_backend("numpy", Profile("gpu", "01:00:00", gres="gpu:1")) == "numpy"


@pytest.mark.usefixtures("no_slurm")
def test_without_slurm_all_is_said_and_a_dry_run_still_works(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="squeue: not found on this machine"):
        jobs([tmp_path / "submit.sh"], "0")
    profile = tmp_path / "p.yaml"
    profile.write_text('{partition: main, walltime: "00:10:00"}')
    with pytest.raises(EnvironmentFault, match=r"sbatch: not found .* login node .* --dry-run"):
        api.submit(WIRE, profile, tmp_path / "run", backend="numpy")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="shards: 0 is out of range"):
        api.submit(WIRE, profile, tmp_path / "run", backend="numpy", shards=0)
    run = created(tmp_path / "run")
    run.note(event="submitted", job=4, shards=[[0, 2]], arguments=[])
    status = standing(run)
    assert [shard.state for shard in status.shards] == ["unknown"] * 3
    assert "squeue: not found" in status.silent


@pytest.mark.usefixtures("no_slurm")
def test_the_command_line_tells_how_far_a_run_is(tmp_path: Path) -> None:
    run = created(tmp_path / "run")
    run_shard(run, 1)
    told = CliRunner().invoke(cli.main, ["status", str(run.root)])
    assert told.exit_code == 1
    assert "work is left, 20 of 60 realizations (33 %), 0 failed; 1 of 3 shards complete" in told.output
    assert f"mesogpu resume {run.root} goes on." in told.output
    missing = CliRunner().invoke(cli.main, ["merge", str(run.root)])
    assert missing.exit_code == 1
    assert "2 of 3 blocks are missing, in shard (blocks): 0 (1), 2 (1)" in missing.output
    partial = CliRunner().invoke(cli.main, ["merge", str(run.root), "--partial"])
    assert partial.exit_code == 1
    assert f"Results: {run.results}" in partial.output
    logs = CliRunner().invoke(cli.main, ["logs", str(run.root)])
    assert "no incomplete shard has a log yet" in logs.output
