"""Runs into real files: the same bytes, however they came about."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from execute_fakes import small_plan

from mesogpu.backends.select import select_backend
from mesogpu.config.load import dump_yaml
from mesogpu.execute import Committed, WorkerLost, execute
from mesogpu.store import Writer, read_progress

HERE = Path(__file__).parent

RUN = """
import sys
from execute_fakes import small_plan
from mesogpu.backends.select import select_backend
from mesogpu.config.load import dump_yaml
from mesogpu.execute import Committed, execute
from mesogpu.store import Writer

plan = small_plan({realizations})
signature = select_backend("numpy").signature
with Writer(sys.argv[1], plan, config_text=dump_yaml(plan.experiment), signature=signature) as writer:
    execute(plan, writer, backend="numpy", workers=2, span_seconds=0.05,
            listen=lambda event: isinstance(event, Committed) and print(event.realizations, flush=True))
"""

REALIZATIONS = 1024


def run(path, workers, span_seconds=1.0, realizations=REALIZATIONS, listen=None):
    plan = small_plan(realizations)
    signature = select_backend("numpy").signature
    with Writer(path, plan, config_text=dump_yaml(plan.experiment), signature=signature) as writer:
        return execute(plan, writer, backend="numpy", workers=workers, span_seconds=span_seconds, listen=listen)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    path = tmp_path_factory.mktemp("uninterrupted") / "run.h5"
    run(path, 1)
    return path.read_bytes()


# Seen to fail with `run_task` handing `compute` blocks that begin one realization later.
@pytest.mark.parametrize(("workers", "span_seconds"), [(1, 0.001), (3, 0.02)])
def test_files_are_the_same_for_any_workers_and_span(tmp_path, uninterrupted, workers, span_seconds):
    run(tmp_path / "run.h5", workers, span_seconds)
    assert (tmp_path / "run.h5").read_bytes() == uninterrupted


def test_a_run_killed_with_all_its_processes_resumes_to_the_same_file_without_computing_twice(tmp_path, uninterrupted):
    path = tmp_path / "run.h5"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])}
    before = 0
    for delay in (0.0, 0.1):
        with subprocess.Popen(
            [sys.executable, "-c", RUN.format(realizations=REALIZATIONS), path],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            acknowledged = [process.stdout.readline()]
            time.sleep(delay)
            os.killpg(process.pid, signal.SIGKILL)
            acknowledged += process.stdout.readlines()
        before, kept = read_progress(path).done, before
        assert before >= kept + sum(map(int, filter(None, map(str.strip, acknowledged))))
        assert 0 < before < 2 * REALIZATIONS
    record = run(path, 2)
    assert record.realizations == 2 * REALIZATIONS - before
    assert path.read_bytes() == uninterrupted


@pytest.mark.faults
def test_a_run_whose_two_workers_are_killed_in_turn_eight_times_writes_the_same_file(tmp_path):
    kills, lost = [], []

    def listen(event):
        lost.append(event) if isinstance(event, WorkerLost) else None
        if isinstance(event, Committed) and len(kills) < 8:
            workers = sorted(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))
            kills.append(workers[0])  # the older one: the other was started when its neighbour died
            os.kill(kills[-1], signal.SIGKILL)

    run(tmp_path / "undisturbed.h5", 1, realizations=20 * REALIZATIONS)
    record = run(tmp_path / "killed.h5", 2, 0.1, 20 * REALIZATIONS, listen)
    assert [event.reason for event in lost] == ["killed by SIGKILL"] * 8
    assert sorted({event.worker for event in lost}) == [1, 2]
    assert len(set(kills)) == 8
    assert (record.realizations, record.skipped) == (40 * REALIZATIONS, 0)
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("undisturbed.h5", "killed.h5")]
    assert digests[0] == digests[1]
