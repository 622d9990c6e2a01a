"""What every engine is: blocks in, results out, in the same order, each certified and audited."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.certify import audit
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

    @abstractmethod
    def compute(self, block: Block) -> Arrays:
        """Every per-sample variable of a block with its status, (length, count) or (length, count, channel)."""

    @abstractmethod
    def audited(self, block: Block, realization: int) -> NDArray[np.float64]:
        """ln g of one realization at every length, (length,), independently of `compute`; NaN out of reach."""

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Compute blocks one after the other, yielding each as soon as it is done."""
        for block in blocks:
            start = time.perf_counter()
            arrays = self.compute(block)
            deviation = audit(block, arrays["log_conductance"], arrays["status"], self.audited)
            yield BlockResult(
                point=block.point.index,
                index=block.index,
                first=block.first,
                count=block.count,
                arrays=arrays,
                audit=deviation,
                seconds=time.perf_counter() - start,
            )
