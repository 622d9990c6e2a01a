"""Runs in the calling process."""

import subprocess
import sys

import numpy as np
import pytest
from execute_fakes import (
    POISONED,
    MemoryWriter,
    compute,
    compute_with_bug,
    compute_with_refusal,
    fake_result,
    small_plan,
)

from mesogpu.errors import ConfigError, EnvironmentFault, Interrupted, PhysicsError
from mesogpu.execute import Committed, Finished, Started, execute
from mesogpu.execute.run import compute_outstanding, run_backend
from mesogpu.plan import Status

PLAN = small_plan()


def run(writer, what=compute, **options):
    return compute_outstanding(PLAN, writer, what, label="fake", **({"workers": 1} | options))


def test_every_block_is_committed_and_events_come_in_order():
    writer, events = MemoryWriter(PLAN), []
    record = run(writer, listen=events.append)
    assert writer.done.all()
    assert events[0] == Started(192, 0, 1, "fake")
    assert events[-1] == Finished(record)
    assert {type(event) for event in events[1:-1]} == {Committed}
    assert sum(event.realizations for event in events[1:-1]) == events[-2].done_realizations == 192
    assert (record.blocks, record.realizations, record.failed_samples) == (48, 192, 0)


def test_only_outstanding_blocks_are_computed():
    writer = MemoryWriter(PLAN)
    writer.done[0] = True
    writer.done[1, ::3] = True
    before, events = writer.done.copy(), []
    run(writer, listen=events.append)
    assert set(writer.committed) == set(zip(*np.nonzero(~before), strict=True))
    assert events[0].done_realizations == 4 * before.sum()


def test_a_run_that_is_told_to_stop_commits_what_it_has_and_hands_out_no_more():
    # Fails where the question is asked once, at the start (planted).
    writer, events, asked = MemoryWriter(PLAN), [], []

    def stop():
        asked.append(None)
        return len(asked) > 10

    record = run(writer, listen=events.append, stop=stop, span_seconds=1e-9)
    assert record.blocks == len(writer.committed) == 10
    assert events[-1] == Finished(record)
    run(writer)
    assert writer.done.all()


def test_a_complete_file_starts_nothing():
    writer, events = MemoryWriter(PLAN), []
    writer.done[:] = True
    record = run(writer, listen=events.append, workers=2)
    assert [type(event) for event in events] == [Started, Finished]
    assert events[0].workers == record.blocks == 0


def test_failed_samples_are_counted_not_dropped():
    def failing(blocks):
        for block in blocks:
            yield fake_result(block, status=Status.FAILED_UNITARITY if block.index == 0 else Status.REDONE)

    assert run(MemoryWriter(PLAN), failing).failed_samples == 2 * 2 * 4


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        (compute_with_bug, ZeroDivisionError, "a bug with a message"),
        (compute_with_refusal, PhysicsError, "at a band edge"),
    ],
)
def test_an_error_in_a_block_surfaces_after_what_is_in_hand_is_committed(what, kind, message):
    writer, events = MemoryWriter(PLAN), []
    with pytest.raises(kind, match=message):
        run(writer, what, listen=events.append)
    assert set(writer.committed) == {(0, index) for index in range(POISONED)}
    assert not any(isinstance(event, Finished) for event in events)


def test_ctrl_c_commits_what_is_in_hand_and_says_how_to_resume():
    def interrupted(blocks):
        for block in blocks:
            if block.index == POISONED:
                raise KeyboardInterrupt
            yield fake_result(block)

    writer = MemoryWriter(PLAN)
    with pytest.raises(Interrupted, match="28 of 192 realizations are committed; the same command resumes") as caught:
        run(writer, interrupted)
    assert caught.value.exit_code == 130
    assert len(writer.committed) == POISONED
    run(writer)
    assert writer.done.all()


def test_a_failed_commit_ends_the_run_with_its_own_error():
    class FullDisk(MemoryWriter):
        def commit(self, results):
            if self.groups:
                raise EnvironmentFault("disk full")
            super().commit(results)

    writer = FullDisk(PLAN)
    with pytest.raises(EnvironmentFault, match="disk full"):
        run(writer)
    assert sum(writer.groups) == 1


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": -2}, {"span_seconds": 0.0}, {"span_seconds": np.nan}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        run(MemoryWriter(PLAN), **options)


def test_the_numpy_backend_runs_by_its_name():
    plan, events = small_plan(realizations=6), []
    writer = MemoryWriter(plan)
    record = execute(plan, writer, backend="numpy", workers=1, listen=events.append)
    assert events[0].backend == "numpy"
    assert writer.done.all()
    assert record.backend_seconds > 0
    assert writer.committed[1, 1].arrays["transmission_eigenvalues"].shape == (2, 2, 4)


# Seen to fail with DaskWorkers imported at the top of run.py.
def test_one_worker_needs_no_dask():
    script = (
        "import sys; from execute_fakes import *; from mesogpu.execute import execute\n"
        "plan = small_plan(8); execute(plan, MemoryWriter(plan), backend='numpy', workers=1)\n"
        "assert not {'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_an_engine_of_other_arithmetic_computes_no_block_of_the_run():
    with pytest.raises(EnvironmentFault, match=r"computes as .*numpy.* CUDA_VISIBLE_DEVICES"):
        run_backend("numpy", "cuda; sm_90", [])
