"""The worker processes of a run: started, watched, replaced, ended.

Each is a fresh interpreter, so the caller's main module is never imported again. What it must know, the private key
among it, goes through its standard input, which nobody else can read; the same pipe stays open as a life line, and its
end ends the worker.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import mesogpu
from mesogpu.errors import EnvironmentFault
from mesogpu.execute.devices import VISIBLE
from mesogpu.execute.remote import read_ledger

_GRACE_SECONDS = 2.0
_LAST_WORDS = 4000
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Death:
    """A worker process that ended by itself.

    worker   : its position, from 1
    reason   : how it ended
    task     : number of the task that it was working at, or IDLE
    finished : how many tasks it had finished
    output   : the end of what it wrote
    """

    worker: int
    reason: str
    task: int
    finished: int
    output: str


class WorkerProcess:
    """One worker process, its life line, its ledger and its output.

    It dies with the thread that started it: on Linux by a signal of the kernel, everywhere by the end of its life line.

    device : the GPU that it sees, as CUDA_VISIBLE_DEVICES names it; None leaves that variable alone
    """

    def __init__(self, position: int, name: str, device: str | None = None) -> None:
        self.position = position
        self.name = name
        self.device = device
        self._scratch = tempfile.mkdtemp(prefix="mesogpu-worker-")
        self._ledger = tempfile.TemporaryFile()  # noqa: SIM115  closed by `end`
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed by `end`
        self._process = _start(self._ledger.fileno(), self._output, device)

    def introduce(self, contact: Mapping[str, Any]) -> None:
        """Tell the worker where its scheduler is; it waits for that.

        contact : JSON-ready
        """
        own = {"name": self.name, "driver": os.getpid(), "ledger": self._ledger.fileno(), "scratch": self._scratch}
        with suppress(BrokenPipeError):  # it died already; the next look at it finds that
            self._life_line().write(json.dumps({**contact, **own}).encode() + b"\n")
            self._life_line().flush()

    def death(self) -> Death | None:
        """How it died, None while it lives."""
        code = self._process.poll()
        if code is None:
            return None
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - _LAST_WORDS))
        output = self._output.read().decode(errors="replace").strip()
        return Death(self.position, _reason(code, output), *read_ledger(self._ledger.fileno()), output)

    def in_work(self) -> int:
        """Number of the task that it works at, or IDLE."""
        return read_ledger(self._ledger.fileno())[0]

    def release(self) -> None:
        """Cut the life line: the worker ends at once."""
        with suppress(BrokenPipeError):
            self._life_line().close()

    def end(self, deadline: float) -> None:
        """Wait until it has ended, by force after `deadline` (time.monotonic)."""
        self.release()
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._ledger.close()
        self._output.close()
        shutil.rmtree(self._scratch, ignore_errors=True)  # the worker did so itself, if it got that far

    def _life_line(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise RuntimeError("a worker process was started without a life line")
        return self._process.stdin


class WorkerFleet:
    """Worker processes, one at each position; a position keeps its GPU whoever works there.

    Started and replaced from one thread, which has to outlive them.

    devices : the GPU of each worker, None for none
    """

    def __init__(self, devices: Sequence[str | None]) -> None:
        self._started = 0
        self._contact: Mapping[str, Any] | None = None
        self._members: dict[int, WorkerProcess] = {}
        try:
            for position, device in enumerate(devices, 1):
                self._start(position, device)
        except BaseException:
            self.end()
            raise

    @property
    def names(self) -> dict[int, str]:
        """Name of the worker process at each position that is left."""
        return {position: member.name for position, member in self._members.items()}

    @property
    def in_work(self) -> set[int]:
        """Numbers of the tasks that workers work at; IDLE among them where one does not."""
        return {member.in_work() for member in self._members.values()}

    def introduce(self, contact: Mapping[str, Any]) -> None:
        """Tell all workers, and those that come later, where the scheduler is."""
        self._contact = contact
        for member in self._members.values():
            member.introduce(contact)

    def deaths(self) -> list[Death]:
        """Of all workers that ended by themselves and were neither replaced nor retired."""
        return [death for member in self._members.values() if (death := member.death()) is not None]

    def replace(self, position: int) -> None:
        """Start another worker in the place of one that died."""
        self._start(position, self.retire(position))

    def retire(self, position: int) -> str | None:
        """Give up a position, and return its GPU."""
        member = self._members.pop(position)
        member.end(time.monotonic())
        return member.device

    def end(self) -> None:
        """End all workers: at once, by force after two seconds."""
        for member in self._members.values():
            member.release()
        deadline = time.monotonic() + _GRACE_SECONDS
        for member in self._members.values():
            member.end(deadline)
        self._members.clear()

    def _start(self, position: int, device: str | None) -> None:
        # A name of its own each time: the scheduler may not know yet that the one before is dead.
        self._started += 1
        self._members[position] = WorkerProcess(position, f"worker-{position}-{self._started}", device)
        if self._contact is not None:
            self._members[position].introduce(self._contact)


def _start(ledger: int, output: IO[bytes], device: str | None) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise EnvironmentFault(
            "workers: sys.executable is empty, so this Python cannot start itself again; use workers = 1"
        )
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "mesogpu.execute.worker"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(ledger,),
            env=_environment(device),
        )
    except OSError as error:
        raise EnvironmentFault(f"workers: cannot start {sys.executable}: {error}; use workers = 1") from error


def _environment(device: str | None) -> dict[str, str]:
    """Ours, with one thread for every BLAS (read when NumPy is loaded), one GPU, and this very package importable."""
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1") | ({} if device is None else {VISIBLE: device})
    home = str(Path(mesogpu.__file__).resolve().parent.parent)
    if home not in (*site.getsitepackages(), site.getusersitepackages()):
        before = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = os.pathsep.join([home, before] if before else [home])
    return environment


def _reason(code: int, output: str) -> str:
    if code >= 0:
        last_line = output.rpartition("\n")[2]
        return f"exit status {code}{f': {last_line}' if last_line else ''}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
