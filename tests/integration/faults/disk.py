"""A disk as it looks after a power cut: what was synchronized is there, of the rest any part may be.

The rules are harsher than any file system's: unsynchronized writes survive page by page in any combination, a page may
be torn at its sectors, an unsynchronized size may be lost, and so may every creation, rename or removal of a name whose
directory was not synchronized, each on its own or (as journals do it) all from some moment on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PAGE, SECTOR = 4096, 512

Block = tuple[float, int, int]
"""(value of the sweep, block, rows)."""


@dataclass(frozen=True)
class Write:
    """New contents of some sectors of a file, and its size from then on."""

    file: int
    size: int
    sectors: Mapping[int, bytes]


@dataclass(frozen=True)
class Sync:
    """fsync or fdatasync of a file."""

    file: int


@dataclass(frozen=True)
class Names:
    """Names of the directory that change in one go: to a file, or to none."""

    changes: Mapping[str, int | None]


@dataclass(frozen=True)
class SyncDirectory:
    """fsync of the directory: its names are durable."""


@dataclass(frozen=True)
class Acknowledged:
    """The writer told the world that these blocks are done."""

    blocks: frozenset[Block]


Op = Write | Sync | Names | SyncDirectory | Acknowledged


@dataclass
class File:
    """A file's durable bytes, and the writes since."""

    durable: bytes = b""
    pending: list[Write] = field(default_factory=list)

    def content(self) -> bytes:
        """What processes read."""
        content = bytearray(self.durable)
        for write in self.pending:
            _put(content, write)
        return bytes(content)


@dataclass
class Disk:
    """One directory: files by number, names, and what has been acknowledged to be on them."""

    files: dict[int, File] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    renames: list[Names] = field(default_factory=list)
    acknowledged: set[Block] = field(default_factory=set)

    def apply(self, op: Op) -> None:
        """Let one more thing happen."""
        match op:
            case Write(file, _, _):
                self.files.setdefault(file, File()).pending.append(op)
            case Sync(file):
                self.files[file] = File(self.files[file].content())
            case Names():
                self.renames.append(op)
            case SyncDirectory():
                self.names, self.renames = self.listing(), []
            case Acknowledged(blocks):
                self.acknowledged |= blocks

    def listing(self) -> dict[str, int]:
        """Names as processes see them."""
        return _renamed(self.names, self.renames)

    def cut_power(self, rng: random.Random) -> None:
        """Lose, at random, what was not synchronized."""
        kept = self.renames[: rng.randint(0, len(self.renames))]
        if rng.random() < 0.7:  # no journal
            kept = [change for change in self.renames if rng.random() < 0.5]
        self.names, self.renames = _renamed(self.names, kept), []
        self.files = {number: _survivor(self.files[number], rng) for number in set(self.names.values())}

    def materialize(self, directory: Path, mode: int) -> dict[int, int]:
        """Put the directory there as processes see it.

        mode    : of every file
        returns : file number of each inode
        """
        directory.mkdir()
        numbers = {}
        for name, number in self.listing().items():
            path = directory / name
            path.write_bytes(self.files[number].content())
            path.chmod(mode)
            numbers[path.stat().st_ino] = number
        return numbers


def _renamed(names: Mapping[str, int], renames: list[Names]) -> dict[str, int]:
    result: dict[str, int | None] = dict(names)
    for rename in renames:
        result |= rename.changes
    return {name: number for name, number in result.items() if number is not None}


def _survivor(file: File, rng: random.Random) -> File:
    versions = [file.durable]
    for write in file.pending:
        content = bytearray(versions[-1])
        _put(content, write)
        versions.append(bytes(content))
    content = bytearray(versions[rng.choice((0, -1, rng.randrange(len(versions))))])
    touched = {sector * SECTOR // PAGE for write in file.pending for sector in write.sectors}
    for page in touched:
        step = SECTOR if rng.random() < 0.3 else PAGE
        for start in range(page * PAGE, min((page + 1) * PAGE, len(content)), step):
            version = versions[rng.choice((0, -1, rng.randrange(len(versions))))]
            end = min(start + step, len(content))
            content[start:end] = version[start:end].ljust(end - start, b"\0")
    return File(bytes(content))


def _put(content: bytearray, write: Write) -> None:
    if len(content) < write.size:
        content.extend(bytes(write.size - len(content)))
    del content[write.size :]
    for sector, data in write.sectors.items():
        content[sector * SECTOR : sector * SECTOR + len(data)] = data
