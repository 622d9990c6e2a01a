"""Runs on worker processes: same bytes, deaths survived, faults told."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from distributed import Client
from distributed.security import Security
from execute_fakes import (
    POISONED,
    MemoryWriter,
    compute,
    compute_and_end_workers,
    compute_slowly,
    compute_very_slowly,
    compute_where_the_gpu_is_broken,
    compute_with_bug,
    compute_with_refusal,
    fake_result,
    small_plan,
)

from mesogpu.errors import PhysicsError, WorkersLost
from mesogpu.execute import (
    BlockSkipped,
    Committed,
    Finished,
    Started,
    WorkerLost,
    WorkerRetired,
    blame,
    dask_workers,
    execute,
)
from mesogpu.execute.devices import VISIBLE
from mesogpu.execute.run import compute_outstanding
from mesogpu.execute.scheduler import SchedulerThread

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for worker processes in /proc")


@pytest.fixture(autouse=True)
def fakes_importable_in_workers(monkeypatch):
    """The computations travel by name, as the real one does."""
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))


def worker_processes():
    """Process ids of this process's workers, and whatever those started."""
    children = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, parents = [], [os.getpid()]
    while parents:
        new = children.get(parents.pop(), [])
        found += new
        parents += new
    return found


def devices_of(processes):
    """CUDA_VISIBLE_DEVICES of each process, sorted; those that are still being started have none."""
    found = []
    for pid in processes:
        variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        found += [value for name, _, value in (line.partition("=") for line in variables) if name == VISIBLE]
    return sorted(found)


def run(plan, writer, what, **options):
    return compute_outstanding(plan, writer, what, label="fake", **({"workers": 2, "span_seconds": 0.2} | options))


# Seen to fail with `run_task` handing `compute` blocks that begin one realization later.
def test_bytes_are_the_same_for_any_number_of_workers_and_any_span(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan, results = small_plan(realizations=70, block_size=8), []
    for workers, span_seconds in [(1, 1.0), (3, 0.001)]:
        writer, events = MemoryWriter(plan), []
        record = execute(
            plan, writer, backend="numpy", workers=workers, span_seconds=span_seconds, listen=events.append
        )
        assert writer.done.all()
        assert (record.blocks, record.realizations) == (18, 140)
        assert [type(event) for event in events] == [Started] + [Committed] * (len(events) - 2) + [Finished]
        results.append(writer.bytes())
    assert results[0] == results[1]
    assert worker_processes() == []
    assert list(tmp_path.iterdir()) == []


def test_no_more_workers_are_started_than_blocks_are_outstanding():
    plan, events = small_plan(), []
    writer = MemoryWriter(plan)
    writer.done[:] = True
    writer.done[0, 3] = writer.done[1, 5] = False
    seen = []
    run(plan, writer, compute, workers=8, listen=lambda event: (events.append(event), seen.append(worker_processes())))
    assert events[0].workers == 2
    assert max(map(len, seen)) == 2
    assert set(writer.committed) == {(0, 3), (1, 5)}


def test_killed_workers_come_back_and_no_block_is_lost():
    plan, events, kills = small_plan(realizations=128), [], []
    writer = MemoryWriter(plan)

    def listen(event):
        events.append(event)
        if isinstance(event, Committed) and len(kills) < 2:
            kills.append(worker_processes()[0])
            os.kill(kills[-1], signal.SIGKILL)

    record = run(plan, writer, compute_slowly, listen=listen)
    assert len(set(kills)) == 2
    assert [event.reason for event in events if isinstance(event, WorkerLost)] == ["killed by SIGKILL"] * 2
    assert writer.done.all()
    assert record.skipped == 0
    expected = MemoryWriter(plan)
    expected.commit([fake_result(block) for block in plan.blocks()])
    assert writer.bytes() == expected.bytes()


# Seen to fail with a task of several blocks that is blamed as a whole, and with `_most_skipped` = 0.
def test_a_block_that_ends_every_worker_is_skipped_alone_and_told(monkeypatch):
    monkeypatch.setattr(blame, "TASK_FAILURES", 1)
    plan, events = small_plan(block_size=8), []
    writer = MemoryWriter(plan)
    record = run(plan, writer, compute_and_end_workers, listen=events.append, span_seconds=10.0)
    skipped = sorted((event for event in events if isinstance(event, BlockSkipped)), key=lambda event: event.point)
    places = [(event.point, event.block, event.first, event.count, event.failures) for event in skipped]
    assert places == [(point, POISONED, 8 * POISONED, 8, 2) for point in (0, 1)]
    assert [event.reason for event in skipped] == ["killed by SIGKILL", "exit status 5: GPU 0: device memory is short"]
    assert sum(isinstance(event, WorkerLost) for event in events) >= 4
    missing = [tuple(map(int, place)) for place in zip(*(~writer.done).nonzero(), strict=True)]
    assert missing == [(0, POISONED), (1, POISONED)]
    assert record.skipped == 2
    assert events[-1] == Finished(record)
    assert worker_processes() == []


def test_what_a_run_left_out_is_tried_apart_from_the_driver_where_workers_are_asked_for(monkeypatch):
    monkeypatch.setattr(blame, "TASK_FAILURES", 0)
    plan, events = small_plan(block_size=8), []
    writer = MemoryWriter(plan)
    writer.done[:] = True
    writer.done[0, POISONED] = False
    assert run(plan, writer, compute_and_end_workers, listen=events.append).skipped == 1
    assert events[0].workers == 1


def test_too_many_skipped_blocks_are_the_machines_fault(monkeypatch):
    monkeypatch.setattr(dask_workers, "MOST_SKIPPED", 0)
    monkeypatch.setattr(blame, "TASK_FAILURES", 1)
    plan, events = small_plan(block_size=8), []
    writer = MemoryWriter(plan)
    with pytest.raises(WorkersLost, match=rf"block {POISONED} of point 0 .* is number 1 .* SIGKILL") as caught:
        run(plan, writer, compute_and_end_workers, listen=events.append, span_seconds=1e-9)
    assert caught.value.exit_code == 5
    assert (0, 0) in writer.committed
    last = next(event for event in reversed(events) if isinstance(event, Committed))
    assert last.done_realizations == 8 * writer.done.sum()
    assert worker_processes() == []


# Seen to fail with workers that inherit CUDA_VISIBLE_DEVICES, and with a replacement that gets no device.
def test_each_worker_sees_one_gpu_and_its_replacement_the_same():
    plan, kills = small_plan(), []
    writer, environments = MemoryWriter(plan), []

    def listen(event):
        if isinstance(event, Committed):
            environments.append(devices_of(worker_processes()))
            if not kills:
                kills.append(worker_processes()[0])
                os.kill(kills[0], signal.SIGKILL)

    run(plan, writer, compute_slowly, workers=3, devices=["GPU-a", "3"], listen=listen)
    assert set(map(tuple, environments[1:])) <= {("3", "GPU-a", "GPU-a"), ("3", "GPU-a"), ("GPU-a", "GPU-a")}
    assert environments[-1] == ["3", "GPU-a", "GPU-a"]


# Seen to fail without `position_is_spent`: the run ends all the same, and nothing is retired.
def test_a_gpu_on_which_every_task_fails_is_retired_and_the_others_compute_its_blocks(monkeypatch, tmp_path):
    monkeypatch.setattr(blame, "POSITION_FAILURES", 2)
    monkeypatch.setenv("FAILURES", str(tmp_path))
    plan, events = small_plan(realizations=80), []
    writer = MemoryWriter(plan)
    record = run(
        plan, writer, compute_where_the_gpu_is_broken, devices=["broken", "G"], listen=events.append, span_seconds=0.1
    )
    [retired] = [event for event in events if isinstance(event, WorkerRetired)]
    assert (retired.worker, retired.device, retired.failures) == (1, "broken", 2)
    assert retired.reason == "exit status 5: GPU 0: device lost"
    assert {event.worker for event in events if isinstance(event, WorkerLost)} == {1}
    assert writer.done.all()
    assert record.skipped == 0
    assert {result.arrays["conductance"][0, 0] for result in writer.committed.values()} == {ord("G")}


def test_workers_that_cannot_even_start_end_the_run_with_their_last_words(monkeypatch, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ImportError('broken installation')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(blame, "POSITION_FAILURES", 2)
    plan, events = small_plan(), []
    with pytest.raises(WorkersLost, match=r"each of them died 2 times in a row .*broken installation"):
        run(plan, MemoryWriter(plan), compute, listen=events.append)
    assert [event.worker for event in events if isinstance(event, WorkerRetired)] in ([1, 2], [2, 1])


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        (compute_with_bug, ZeroDivisionError, "a bug with a message"),
        (compute_with_refusal, PhysicsError, "at a band edge"),
    ],
)
def test_an_error_in_a_block_surfaces_as_it_was_raised_and_what_is_in_hand_is_committed(what, kind, message):
    plan, events = small_plan(), []
    writer = MemoryWriter(plan)
    with pytest.raises(kind, match=message):
        run(plan, writer, what, listen=events.append, span_seconds=1e-9)
    assert (0, 0) in writer.committed
    assert (0, POISONED) not in writer.committed
    assert events[-1].done_realizations == 4 * writer.done.sum()
    assert worker_processes() == []


# Seen to fail with `into_file` imported by `mesogpu.execute`.
def test_a_worker_loads_no_library_of_the_results_file():
    script = (
        "import sys, mesogpu.execute.worker, mesogpu.execute.remote, mesogpu.execute.run\n"
        "assert not {'h5py', 'xarray', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_caller_with_a_running_event_loop_is_served_in_any_thread():
    """A notebook: in the main thread, and in another one."""

    async def cell(what):
        plan = small_plan(realizations=16)
        writer = MemoryWriter(plan)
        run(plan, writer, what)
        return writer

    outcomes = [asyncio.run(cell(compute))]
    thread = threading.Thread(target=lambda: outcomes.append(asyncio.run(cell(compute))))
    thread.start()
    thread.join()
    assert [writer.done.all() for writer in outcomes] == [True, True]


def test_a_stranger_on_this_machine_is_turned_away():
    """With TLS but another key, and without TLS."""
    scheduler = SchedulerThread()
    try:
        address = scheduler.contact()["scheduler"]
        assert address.startswith("tls://127.0.0.1:")
        with pytest.raises(OSError, match=r"Timed out|certificate|handshake"):
            Client(address, security=Security.temporary(), timeout=2, set_as_default=False)
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=5) as plain:
            plain.sendall(bytes(64))
            with suppress(ConnectionResetError):
                # All that comes back is a TLS alert, record type 21.
                assert plain.recv(4096)[:1] in (b"", b"\x15")
    finally:
        scheduler.close()


# Seen to fail with the HTTP server that dask's scheduler opens by default.
def test_nothing_listens_beyond_one_port_each_on_loopback_and_no_key_is_on_a_command_line():
    plan, seen = small_plan(), []

    def listen(event):
        if isinstance(event, Committed) and not seen:
            seen.extend(
                (pid, listening_addresses(pid), Path(f"/proc/{pid}/cmdline").read_bytes())
                for pid in [os.getpid(), *worker_processes()]
            )

    before = listening_addresses(os.getpid())
    run(plan, MemoryWriter(plan), compute_slowly, listen=listen)
    assert len(seen) == 3
    for pid, addresses, command in seen:
        new = addresses - before if pid == os.getpid() else addresses
        assert {address for address, _port in new} <= {"0100007F"}
        # The scheduler's port; one of each worker, the second of which may still be starting.
        assert len(new) == 1 if pid == os.getpid() else len(new) <= 1
        assert b"PRIVATE" not in command
        assert b"CERTIFICATE" not in command


def listening_addresses(pid):
    """(address, port) in hexadecimal of every TCP socket of a process that listens."""
    inodes, found = set(), set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(str(link.readlink()))
        except OSError:
            continue
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(tuple(fields[1].split(":")))
    return found


def test_workers_that_are_told_to_stop_finish_what_is_in_work_and_no_more():
    # Six tasks are handed out. Fails where all of them are waited for: a batch job has no time for that (planted).
    plan, events = small_plan(), []
    writer = MemoryWriter(plan)

    def stop():
        return any(isinstance(event, Committed) for event in events)

    record = run(plan, writer, compute_very_slowly, workers=2, stop=stop, listen=events.append, span_seconds=1e-9)
    assert 1 <= record.blocks == len(writer.committed) <= 4
    assert events[-1] == Finished(record)
