"""Samples by the frames' kernel: how often a frame is made orthonormal, and what is done where that was too seldom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.certify import CONDITIONING_BOUND, certificates
from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.kernel_inputs import LONGEST_INTERVAL, estimated_interval
from mesogpu.backends.outcome import fill, replace_by_oracle
from mesogpu.backends.samples import Arrays, closed_samples
from mesogpu.plan.blocks import Block, Status
from mesogpu.plan.points import Point

Transmission = Callable[[Point, int, NDArray[np.uint32]], KernelOutput]
"""The kernel on the realizations of a point, so many slices between stabilisations."""

PILOT = np.arange(16, dtype=np.uint32)
"""The realizations of a point that are run once, before all others, to see how fast its frames spread."""

PILOT_QUANTILE, PILOT_SPREAD = 0.9, 4e3
"""Nine in ten of them are meant to stay below this spread: few of all others then pass the certificate's 1e4."""


class FrameSamples:
    """Blocks of conductors whose slices can be stepped.

    transmit : runs the kernel
    """

    def __init__(self, transmit: Transmission) -> None:
        self._transmit = transmit
        self._intervals: dict[Point, int] = {}

    def compute(self, block: Block) -> Arrays:
        """A sample without its certificates is redone at half the interval, in the end by the reference engine."""
        point = block.point
        channels = point.system.channels()
        arrays = closed_samples(block, channels)
        arrays["status"] = np.full(arrays["conductance"].shape, Status.NO_CHANNEL, dtype=np.uint8)
        rows = np.arange(block.count if channels else 0)
        interval, passed = self.interval(point) if channels else 1, Status.CERTIFIED
        while len(rows):
            output = self._transmit(point, interval, (block.first + rows).astype(np.uint32))
            fill(arrays, rows, output)
            status = certificates(output.defect, arrays["log_conductance"][:, rows], channels)
            good = ((status == Status.CERTIFIED) & (output.conditioning <= CONDITIONING_BOUND)).all(axis=0)
            arrays["status"][:, rows[good]] = passed
            rows = rows[~good]
            if interval == 1:
                break
            interval, passed = interval // 2, Status.REDONE
        for row in rows:
            replace_by_oracle(arrays, block, int(row))
        return arrays

    def interval(self, point: Point) -> int:
        """Slices between two stabilisations: what suits a pilot of a few realizations, which the point alone decides.

        raises : what the kernel raises
        """
        # Points that differ in what is recorded, or in their number, share one pilot.
        pilot = replace(point, index=0, parameters=(), lengths=point.lengths[-1:], eigenvalues=False, shot_noise=False)
        if pilot not in self._intervals:
            self._intervals[pilot] = self._piloted(pilot)
        return self._intervals[pilot]

    def _piloted(self, point: Point) -> int:
        interval = estimated_interval(point)
        while interval > 1:
            spread = np.quantile(self._transmit(point, interval, PILOT).conditioning[-1], PILOT_QUANTILE)
            if np.isfinite(spread):
                fitting = interval * np.log(PILOT_SPREAD) / np.log(max(spread, 2.0))
                return int(np.clip(fitting, 1, LONGEST_INTERVAL))
            interval //= 2
        return 1
