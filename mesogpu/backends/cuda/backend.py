"""The cuda backend: the kernels on an NVIDIA GPU, a block of threads for each realization."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.cuda import wide
from mesogpu.backends.cuda.bars_launch import follow
from mesogpu.backends.cuda.device import open_device
from mesogpu.backends.cuda.greens_launch import recurse
from mesogpu.backends.cuda.options import TRANSMISSION
from mesogpu.backends.cuda.programs import kernels_of
from mesogpu.backends.cuda.transmission_launch import transmit
from mesogpu.backends.kernel_backend import KernelBackend
from mesogpu.backends.reference.signature import arithmetic_signature
from mesogpu.backends.sources import source_digest
from mesogpu.plan.blocks import Block, BlockResult
from mesogpu.plan.points import Point

Output = TypeVar("Output")

AHEAD = 256
"""Blocks, at most, that one launch computes ahead of their certificates: 10 TFLOP, about a second of a large GPU."""


class CudaBackend(KernelBackend):
    """Kernels on the GPU of this process.

    raises : BackendUnavailable where CuPy, a driver, a GPU or NVRTC is missing
    """

    def __init__(self) -> None:
        super().__init__()
        self._device = open_device()
        kernels_of(TRANSMISSION)
        self._ahead: _Ahead | None = None

    @property
    def name(self) -> str:
        return "cuda"

    @property
    def device_name(self) -> str:
        """The GPU, as the driver calls it."""
        return self._device.name

    @property
    def machine(self) -> dict[str, str]:
        """The GPU and what its driver supports, beside the processor."""
        return super().machine | {"gpu": self._device.name, "driver": f"CUDA {self._device.driver}"}

    @cached_property
    def signature(self) -> str:
        """Kernel sources, cuBLAS, the NVRTC that makes machine code, architecture; and NumPy, which prepares leads.

        Neither the driver nor the GPU's name: any of them runs that machine code as it is.
        """
        cuda = self._device.cupy.cuda
        major, minor = cuda.nvrtc.getVersion()
        libraries = f"cublas {cuda.cublas.getVersion(cuda.device.get_cublas_handle())}; nvrtc {major}.{minor}"
        kernels = f"kernels {source_digest()[:16]}; {libraries}; sm_{self._device.architecture}"
        return f"cuda; {kernels}; {arithmetic_signature()}"

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Compute blocks one after the other; those of a point that follow each other share their first launch.

        Each is charged its share of that launch, so that `seconds` says what one more block costs.
        """
        for batch in _batches(blocks):
            self.prepare(batch[0].point)
            ahead = self._ahead = _Ahead(batch)
            launched = 0.0
            try:
                for result in super().run(batch):
                    own = result.seconds - (ahead.seconds - launched)
                    launched = ahead.seconds
                    yield replace(result, seconds=own + launched * result.count / ahead.count)
            finally:
                self._ahead = None

    def launch(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
        way = wide.transmit if wide.needs_wide_frames(point, interval) else transmit
        return self._first(
            ("launch", point, interval), lambda part: way(point, interval, part), KernelOutput.part, realizations
        )

    def recurse(
        self, point: Point, split: bool, realizations: NDArray[np.uint32]
    ) -> tuple[KernelOutput, NDArray[np.bool_]]:
        return self._first(
            ("recurse", point, split),
            lambda part: recurse(point, split, part),
            lambda output, part: (output[0].part(part), output[1][:, part]),
            realizations,
        )

    def follow(self, point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
        way = wide.follow if wide.needs_wide_bars(point, interval) else follow
        return self._first(
            ("follow", point, ends, interval),
            lambda part: way(point, ends, interval, part),
            lambda output, part: BarOutput(output.sums[:, part], output.spread_sum[part], output.largest[part]),
            realizations,
        )

    def _first(
        self,
        request: Hashable,
        kernel: Callable[[NDArray[np.uint32]], Output],
        part_of: Callable[[Output, slice], Output],
        realizations: NDArray[np.uint32],
    ) -> Output:
        if self._ahead is None:
            return kernel(realizations)
        return self._ahead.take(request, kernel, part_of, realizations)


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

    def __init__(self, batch: list[Block]) -> None:
        self._parts = [np.arange(block.first, block.first + block.count, dtype=np.uint32) for block in batch]
        self._request: Hashable = None
        self._output: Any = None
        self.count = sum(block.count for block in batch)
        self.seconds = 0.0

    def take(
        self,
        request: Hashable,
        kernel: Callable[[NDArray[np.uint32]], Output],
        part_of: Callable[[Output, slice], Output],
        realizations: NDArray[np.uint32],
    ) -> Output:
        """What the whole launch found for one block; any other request, such as a redo, is launched by itself.

        request : tells the first pass from others
        part_of : the output for some of the realizations
        """
        start = 0
        for part in self._parts:
            if self._request in (None, request) and np.array_equal(part, realizations):
                if self._request is None:
                    begin = time.perf_counter()
                    self._request, self._output = request, kernel(np.concatenate(self._parts))
                    self.seconds = time.perf_counter() - begin
                return part_of(self._output, slice(start, start + len(part)))
            start += len(part)
        return kernel(realizations)
