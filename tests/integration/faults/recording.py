"""All that a process does to one directory, in order: each call that it makes is followed by a look at the files.

Looking finds also what no Python call wrote: HDF5's own writes, and those of buffered files. Only what makes bytes
durable must be seen as a call, and a call that is missed makes the disk forget more, never less.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from faults.calls import replace_call
from faults.disk import SECTOR, Acknowledged, Block, Disk, Names, Op, Sync, SyncDirectory, Write

_CALLS = ("open", "write", "pwrite", "ftruncate", "truncate", "fsync", "fdatasync", "replace", "rename", "unlink")
_SYNC = ("fsync", "fdatasync")
_RENAME = ("replace", "rename")


class Recorder:
    """Writes down what this process does to a directory.

    directory : where the files lie
    disk      : what they are the current view of
    numbers   : file number of each inode there
    log       : (stage, what happened) so far
    stage     : what is going on, for the log
    """

    def __init__(self, directory: Path, disk: Disk, numbers: dict[int, int]) -> None:
        self.log: list[tuple[str, Op]] = []
        self.stage = ""
        self._directory = directory
        self._inode = directory.stat().st_ino
        self._numbers = dict(numbers)
        self._next = max(disk.files, default=0) + 1
        self._names = disk.listing()
        self._contents = {number: file.content() for number, file in disk.files.items()}
        self._patch = pytest.MonkeyPatch()
        self._busy = False

    def acknowledge(self, blocks: Iterable[Block]) -> None:
        """Note what the writer told."""
        self._note(Acknowledged(frozenset(blocks)))

    def __enter__(self) -> Self:
        for name in _CALLS:
            replace_call(name, self._recorded(name, getattr(os, name)), self._patch.setattr)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patch.undo()

    def _recorded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._busy:
                return function(*arguments, **named)
            self._busy = True
            try:
                if name in _SYNC or name in _RENAME:
                    self._look()
                if name in _SYNC and self._synchronized(arguments[0]):
                    return None  # noted, and the real disk is spared
                result = function(*arguments, **named)
                if name in _RENAME:
                    self._renamed(*map(Path, arguments[:2]))
                self._look()
                return result
            finally:
                self._busy = False

        return call

    def _synchronized(self, descriptor: int) -> bool:
        inode = os.fstat(descriptor).st_ino
        if inode == self._inode:
            self._note(SyncDirectory())
        elif inode in self._numbers:
            self._note(Sync(self._numbers[inode]))
        else:
            return False
        return True

    def _renamed(self, source: Path, target: Path) -> None:
        if source.parent == self._directory == target.parent:
            self._names[target.name] = self._names.pop(source.name)
            self._note(Names({source.name: None, target.name: self._names[target.name]}))

    def _look(self) -> None:
        found = {entry.name: entry.inode() for entry in os.scandir(self._directory)}
        for name in self._names.keys() - found.keys():
            del self._names[name]
            self._note(Names({name: None}))
        present = set(found.values())
        # The number of an inode that is gone may come back for another file.
        self._numbers = {inode: number for inode, number in self._numbers.items() if inode in present}
        for name, inode in found.items():
            if inode not in self._numbers:
                self._numbers[inode] = self._next
                self._contents[self._next] = b""
                self._note(Write(self._next, 0, {}))
                self._next += 1
            number = self._numbers[inode]
            if self._names.get(name) != number:
                self._names[name] = number
                self._note(Names({name: number}))
            self._compare(number, (self._directory / name).read_bytes())

    def _compare(self, number: int, now: bytes) -> None:
        before = self._contents[number]
        if now == before:
            return
        starts = range(0, len(now), SECTOR)
        changed = {k // SECTOR: now[k : k + SECTOR] for k in starts if now[k : k + SECTOR] != before[k : k + SECTOR]}
        self._contents[number] = now
        self._note(Write(number, len(now), changed))

    def _note(self, op: Op) -> None:
        self.log.append((self.stage, op))
