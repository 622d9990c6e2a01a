"""What every engine is: blocks in, results out, in the same order, each certified and audited."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bars import LOSS_BOUND
from mesogpu.backends.certify import audit, log_conductance_bound
from mesogpu.backends.machine import cpu_model
from mesogpu.backends.samples import Arrays
from mesogpu.plan.blocks import Block, BlockResult


class Backend(ABC):
    """An engine for blocks. A new one says how it computes a block, and who checks it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The engine's name on the command line: "numpy", "native" or "cuda"."""

    @property
    @abstractmethod
    def signature(self) -> str:
        """What decides the bits of its results: where it is equal, so are the bytes for any split, order, workers."""

    @property
    def machine(self) -> dict[str, str]:
        """What it computes on, for the run log; no result depends on it."""
        return {"processor": cpu_model()}

    @abstractmethod
    def compute(self, block: Block) -> Arrays:
        """Every per-sample variable of a block with its status, (length, count) or (length, count, channel)."""

    @abstractmethod
    def audited(self, block: Block, realization: int) -> NDArray[np.float64]:
        """What is audited of one realization, independently of `compute`; NaN out of reach.

        ln g at every length, (length,); of a bar mean ln R_ii of its beginning, (1, D)
        """

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Compute blocks one after the other, yielding each as soon as it is done."""
        for block in blocks:
            start = time.perf_counter()
            arrays = self.compute(block)
            stored, bound = _to_audit(block, arrays)
            deviation = audit(block, stored, bound, arrays["status"], self.audited)
            yield BlockResult(
                point=block.point.index,
                index=block.index,
                first=block.first,
                count=block.count,
                arrays=arrays,
                audit=deviation,
                seconds=time.perf_counter() - start,
            )


def _to_audit(block: Block, arrays: Arrays) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `Backend.audited` gives of all realizations, and what it may be off by; takes it out if it is not stored."""
    if block.point.bars is not None:
        return arrays.pop("audited"), np.full((1, block.count), LOSS_BOUND)
    return arrays["log_conductance"], log_conductance_bound(arrays["log_conductance"])
