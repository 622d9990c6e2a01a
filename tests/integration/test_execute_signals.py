"""Ctrl-C and SIGKILL of a run with workers, started in the ways that users start one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mesogpu.execute.processes import WorkerProcess
from mesogpu.execute.scheduler import SchedulerThread

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for worker processes in /proc")

HERE = Path(__file__).parent

# No `__main__` guard: a worker that imported this again would print a second "script begins".
SCRIPT = """
import sys
from execute_fakes import MemoryWriter, compute_then_hang, small_plan
from mesogpu.errors import Interrupted
from mesogpu.execute import Committed, execute
from mesogpu.execute.run import compute_outstanding

print("script begins", flush=True)
plan = small_plan({realizations})
writer = MemoryWriter(plan)


def listen(event):
    if isinstance(event, Committed):
        print("committed", event.done_realizations, flush=True)


try:
    {call}
except Interrupted as stop:
    print(stop)
    print("kept", 4 * int(writer.done.sum()), flush=True)
    sys.exit(stop.exit_code)
print("all done:", bool(writer.done.all()), flush=True)
"""

REAL = "execute(plan, writer, backend='numpy', workers=2, listen=listen)"
HANGING = "compute_outstanding(plan, writer, compute_then_hang, label='slow', workers={workers}, listen=listen)"


def script(realizations, call):
    return SCRIPT.format(realizations=realizations, call=call)


@pytest.fixture
def environment():
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    }


@pytest.fixture
def start(tmp_path, environment):
    """Starts the hanging script as the leader of a process group of its own, as a shell does."""
    started = []

    def begin(workers):
        path = tmp_path / "script.py"
        path.write_text(script(4000, HANGING.format(workers=workers)))
        process = subprocess.Popen(
            [sys.executable, path],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        for line in process.stdout:
            if line.startswith("committed"):
                return process
        raise AssertionError(f"the script ended with {process.wait()}")

    yield begin
    for process in started:
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def members(group):
    """Living processes of a process group."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def gone(group, seconds=5.0):
    """Whether every process of the group ends within some seconds."""
    deadline = time.monotonic() + seconds
    while members(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("how", ["file", "standard input"])
def test_a_script_without_guard_runs_with_workers(tmp_path, environment, how):
    text = script(24, REAL)
    path = tmp_path / "script.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-" if how == "standard input" else path],
        input=text if how == "standard input" else None,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("script begins") == 1
    assert done.stdout.endswith("all done: True\n")
    assert done.stderr == ""


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_commits_what_is_in_hand_and_leaves_no_process(start, workers):
    process = start(workers)
    os.killpg(process.pid, signal.SIGINT)
    output = process.stdout.read()
    assert process.wait() == 130
    assert members(process.pid) == []
    kept = int(output.split("kept ")[1])
    assert kept > 0
    assert f"interrupted: {kept:,} of 8,000 realizations are committed; the same command resumes" in output
    assert "Traceback" not in output


# Seen to fail with a worker that neither asks the kernel for a death signal nor watches its life line.
def test_a_killed_driver_leaves_no_worker(start):
    process = start(2)
    assert len(members(process.pid)) == 3
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert gone(process.pid)


# Seen to fail without `_exit_with_driver`.
def test_the_end_of_its_life_line_alone_ends_a_worker():
    scheduler, worker = SchedulerThread(), WorkerProcess(1, "worker")
    try:
        worker.introduce(scheduler.contact())
        time.sleep(1.0)
        assert worker.death() is None
        worker.release()
        deadline = time.monotonic() + 10
        while (death := worker.death()) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert death is not None
        assert death.reason == "exit status 0"
    finally:
        worker.end(time.monotonic())
        scheduler.close()
