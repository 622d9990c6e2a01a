"""Starting `mesogpu` as processes of their own, by the hundred: see `seed`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import mesogpu

Block = tuple[int, int, int]
"""(point, block, rows)."""

BLOCK = 16
"""Realizations a block of the runs started here."""

PATH = [str(Path(__file__).parents[1]), str(Path(mesogpu.__file__).parents[1])]


@dataclass(frozen=True)
class Request:
    """One `mesogpu`.

    arguments  : of the command line
    folder     : where it runs
    said       : file that gets what it writes to stdout and stderr
    told       : file that gets what its writer finds and commits; none if empty
    block_size : realizations a block
    pause      : s after each commit
    blind      : whether it starts without a look at the free space
    failing    : (name of a function of os, n, errno's name): the nth call and all later ones fail
    """

    arguments: Sequence[str]
    folder: str
    said: str
    told: str = ""
    block_size: int = BLOCK
    pause: float = 0.0
    blind: bool = False
    failing: tuple[str, int, str] | None = None


@dataclass
class Told:
    """What a writer said to the outside.

    found        : blocks that it took for done when it opened the file
    acknowledged : blocks that it has committed, in order
    opened       : whether it has told all of `found`
    """

    found: list[Block] = field(default_factory=list)
    acknowledged: list[Block] = field(default_factory=list)
    opened: bool = False


class Run:
    """One process that was started."""

    def __init__(self, seed: Seed, request: Request, pid: int) -> None:
        self.pid = pid
        self._seed = seed
        self._request = request

    @property
    def said(self) -> str:
        """What it has written to stdout and stderr so far."""
        path = Path(self._request.said)
        return path.read_text() if path.exists() else ""

    @property
    def told(self) -> Told:
        """What its writer has told so far."""
        path, told = Path(self._request.told), Told()
        # A line that a kill cut off was not said.
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        for word, *numbers in map(str.split, lines):
            if word == "opened":
                told.opened = True
                continue
            point, block, rows = map(int, numbers)
            (told.found if word == "found" else told.acknowledged).append((point, block, rows))
        return told

    def ended(self) -> int | None:
        """Exit status, None while it runs; negative for a signal."""
        return self._seed.ask(ended=self.pid)

    def wait(self) -> int:
        """Exit status, once it has one."""
        return self._seed.ask(wait=self.pid)

    def kill(self) -> None:
        """SIGKILL to it and all its workers."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no group of its own yet
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def workers(self) -> list[int]:
        """Process numbers of its workers."""
        try:
            lists = [path.read_text() for path in Path(f"/proc/{self.pid}/task").glob("*/children")]
        except OSError:  # it has just ended
            return []
        return [int(pid) for text in lists for pid in text.split()]


class Seed:
    """The process that all others are forked from.

    ordinary : without root's privileges, where the tests have them
    """

    def __init__(self, ordinary: bool = False) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(PATH),
            "OPENBLAS_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.seed", *(["ordinary"] if ordinary else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._count = 0

    def start(self, folder: Path, *arguments: object, records: Path | None = None, **options: Any) -> Run:
        """Start `mesogpu ARGUMENTS` in a folder, what it says going to another; options as in `Request`."""
        self._count += 1
        records = records or folder / "records"
        records.mkdir(exist_ok=True)
        name = records / f"{self._count}"
        told = f"{name}.told" if arguments[0] == "run" else ""
        request = Request([str(word) for word in arguments], str(folder), f"{name}.said", told, **options)
        return Run(self, request, self._ask("pid", start=vars(request)))

    def ask(self, **question: Any) -> Any:
        """The exit status in the seed's answer."""
        return self._ask("code", **question)

    def _ask(self, word: str, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())[word]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
