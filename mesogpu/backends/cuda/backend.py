"""The cuda backend: the transmission kernel on an NVIDIA GPU, a block of threads for each realization."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.cuda.device import open_device
from mesogpu.backends.cuda.launch import transmission_kernels, transmit
from mesogpu.backends.kernel_backend import KernelBackend, KernelOutput
from mesogpu.backends.reference.signature import arithmetic_signature
from mesogpu.backends.sources import source_digest
from mesogpu.plan.blocks import Block, BlockResult
from mesogpu.plan.points import Point

AHEAD = 256
"""Blocks, at most, that one launch computes ahead of their certificates: 10 TFLOP, about a second of a large GPU."""


class CudaBackend(KernelBackend):
    """Kernels on the GPU of this process.

    raises : BackendUnavailable where CuPy, a driver, a GPU or NVRTC is missing
    """

    def __init__(self) -> None:
        super().__init__()
        self._device = open_device()
        transmission_kernels()
        self._ahead: _Ahead | None = None

    @property
    def name(self) -> str:
        return "cuda"

    @property
    def device_name(self) -> str:
        """The GPU, as the driver calls it."""
        return self._device.name

    @cached_property
    def signature(self) -> str:
        """Kernel sources, the NVRTC that makes machine code of them, architecture; and NumPy, which prepares leads.

        Neither the driver nor the GPU's name: any of them runs that machine code as it is.
        """
        major, minor = self._device.cupy.cuda.nvrtc.getVersion()
        kernels = f"kernels {source_digest()[:16]}; nvrtc {major}.{minor}; sm_{self._device.architecture}"
        return f"cuda; {kernels}; {arithmetic_signature()}"

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Compute blocks one after the other; those of a point that follow each other share their first launch.

        Each is charged its share of that launch, so that `seconds` says what one more block costs.
        """
        for batch in _batches(blocks):
            point = batch[0].point
            interval = self.interval(point) if point.system.channels() else 1
            ahead = self._ahead = _Ahead(batch, interval)
            launched = 0.0
            try:
                for result in super().run(batch):
                    own = result.seconds - (ahead.seconds - launched)
                    launched = ahead.seconds
                    yield replace(result, seconds=own + launched * result.count / ahead.count)
            finally:
                self._ahead = None

    def launch(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
        if self._ahead is not None:
            output = self._ahead.take(point, interval, realizations)
            if output is not None:
                return output
        return transmit(point, interval, realizations)


def _batches(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Consecutive blocks of one point, up to `AHEAD` of them."""
    batch: list[Block] = []
    for block in blocks:
        if batch and (block.point != batch[0].point or len(batch) == AHEAD):
            yield batch
            batch = []
        batch.append(block)
    if batch:
        yield batch


class _Ahead:
    """The first pass of a batch of blocks: one launch when the first of them asks, then handed out in parts.

    count   : realizations in all
    seconds : what the launch took; 0 before it
    """

    def __init__(self, batch: list[Block], interval: int) -> None:
        self._point, self._interval = batch[0].point, interval
        self._parts = [np.arange(block.first, block.first + block.count, dtype=np.uint32) for block in batch]
        self._output: KernelOutput | None = None
        self.count = sum(block.count for block in batch)
        self.seconds = 0.0

    def take(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput | None:
        """What the whole launch found for one block; None for any other request, such as a redo."""
        if point != self._point or interval != self._interval:
            return None
        start = 0
        for part in self._parts:
            if np.array_equal(part, realizations):
                if self._output is None:
                    begin = time.perf_counter()
                    self._output = transmit(point, interval, np.concatenate(self._parts))
                    self.seconds = time.perf_counter() - begin
                return _part(self._output, slice(start, start + len(part)))
            start += len(part)
        return None


def _part(output: KernelOutput, realizations: slice) -> KernelOutput:
    return replace(
        output,
        exponent=output.exponent[:, realizations],
        trace=output.trace[:, realizations],
        square_trace=output.square_trace[:, realizations],
        defect=output.defect[:, realizations],
        conditioning=output.conditioning[:, realizations],
        eigenvalues=None if output.eigenvalues is None else output.eigenvalues[:, realizations],
    )
