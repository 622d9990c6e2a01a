"""What every kernel backend shares: which kernel a block is for, and the reference engine as its judge."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bars import BarOutput, KernelBars, audited_part
from mesogpu.backends.base import Backend
from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.frame_samples import FrameSamples
from mesogpu.backends.greens_samples import GreensSamples
from mesogpu.backends.reference import backend as reference
from mesogpu.backends.samples import Arrays
from mesogpu.plan.blocks import Block, Status
from mesogpu.plan.points import Point


class KernelBackend(Backend):
    """Blocks through compiled kernels, certified sample by sample, redone and audited by the reference engine."""

    def __init__(self) -> None:
        self._frames = FrameSamples(self.launch)
        self._greens_functions = GreensSamples(self.recurse)
        self._bars = KernelBars(self.follow)

    @abstractmethod
    def launch(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
        """Run the frames' kernel on the realizations of a point, `interval` slices between stabilisations."""

    @abstractmethod
    def recurse(
        self, point: Point, split: bool, realizations: NDArray[np.uint32]
    ) -> tuple[KernelOutput, NDArray[np.bool_]]:
        """Run the Green's-function kernel, slices split in layers or not; and whether there is a path, (length, R)."""

    @abstractmethod
    def follow(self, point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
        """Run the Lyapunov kernel on bars, sums read off at `ends`, `interval` slices between factorisations."""

    def compute(self, block: Block) -> Arrays:
        """By the kernel for it; what that cannot certify comes from the reference engine."""
        if block.point.bars is not None:
            return self._bars.compute(block)
        if block.point.system.has_transfer_matrix:
            return self._frames.compute(block)
        return self._greens_functions.compute(block)

    def prepare(self, point: Point) -> None:
        """Let a pilot decide what it has to decide for a point, before the point's first block.

        raises : what the kernels raise
        """
        if point.bars is not None:
            self.interval(point)
        elif point.system.channels():
            (self.interval if point.system.has_transfer_matrix else self.splits)(point)

    def interval(self, point: Point) -> int:
        """Slices between two stabilisations of a sample's frames, or two factorisations of a bar's."""
        return (self._frames if point.bars is None else self._bars).interval(point)

    def splits(self, point: Point) -> bool:
        """Whether the Green's-function kernel splits slices."""
        return self._greens_functions.splits(point)

    def audited(self, block: Block, realization: int) -> NDArray[np.float64]:
        """By the reference engine; NaN where that has no certificate either."""
        if block.point.bars is not None:
            return audited_part(block, realization)
        exact = reference.compute(replace(block, first=realization, count=1))
        logarithm: NDArray[np.float64] = exact["log_conductance"][:, 0]
        return np.where(exact["status"][:, 0] <= Status.ORACLE, logarithm, np.nan)
