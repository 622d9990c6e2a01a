"""Every block of a results file looked at: what the commit table says of it, against what its bytes are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError
from mesogpu.store.layout import Layout
from mesogpu.store.raw import checksum, untouched
from mesogpu.store.variables import COMMIT_ENTRY, COMMITTED, EMPTY


class Blocks(Protocol):
    """Where blocks are read from: bytes at offsets, or HDF5."""

    @property
    def layout(self) -> Layout:
        """What the file holds."""

    def entries(self) -> NDArray[Any]:
        """The commit table, (points, blocks) of {state u4, crc32c u4}."""

    def read(self, point: int, block: int) -> list[bytes]:
        """The bytes of a block, one item a variable; raises DamagedFileError or OSError where there are none."""


class State(IntEnum):
    """What became of one block."""

    EMPTY = 0
    """Never written: all fill values."""
    TOUCHED = 1
    """Written but not committed: a run died there, or is about to commit it. A resume computes it anew."""
    COMMITTED = 2
    """Committed, and its bytes have the checksum of then."""
    DAMAGED = 3
    """Its entry is none that is ever written, or its bytes are not those that were committed."""


@dataclass(frozen=True, slots=True)
class Found:
    """One block as it is in a file; no parts where they cannot be read."""

    point: int
    block: int
    state: State
    parts: Sequence[bytes]


def scan(blocks: Blocks) -> Iterator[Found]:
    """Blocks in canonical order, each with its state.

    The commit table is read once, before any block: what a run commits meanwhile counts as touched.
    """
    sizes = blocks.layout.sizes
    try:
        entries = blocks.entries()
    except (DamagedFileError, OSError):
        entries = np.zeros((sizes["point"], sizes["block"]), COMMIT_ENTRY)
    for point in range(sizes["point"]):
        for block in range(sizes["block"]):
            try:
                parts = blocks.read(point, block)
            except (DamagedFileError, OSError):
                yield Found(point, block, State.DAMAGED, ())
                continue
            yield Found(point, block, _state(entries[point, block].item(), point, block, parts, blocks.layout), parts)


def _state(entry: tuple[int, int], point: int, block: int, parts: Sequence[bytes], layout: Layout) -> State:
    if entry == EMPTY.item():
        return State.EMPTY if parts == untouched(layout, block) else State.TOUCHED
    state, crc = entry
    whole = state == COMMITTED and checksum(point, block, parts) == crc
    return State.COMMITTED if whole else State.DAMAGED
