"""The protocol that every engine follows: blocks in, results out, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from mesogpu.plan.blocks import Block, BlockResult


class Backend(Protocol):
    """An engine for blocks.

    name      : "numpy", "native" or "cuda", as on the command line
    signature : what decides the bits of its results: where it is equal, so are the bytes for any split, order, workers
    """

    @property
    def name(self) -> str:
        """The engine's name on the command line."""

    @property
    def signature(self) -> str:
        """The arithmetic that decides its bits."""

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Compute blocks one after the other, each certified and audited, yielding each as soon as it is done."""
