"""Samples by the recursive Green's-function kernel: what is trusted as it comes, and what is done with the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.certify import certificates
from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.outcome import fill, replace_by_oracle
from mesogpu.backends.reference.backend import CONDITIONING_BOUND, LOCALIZED_BOUND, LOCALIZED_CONDUCTANCE
from mesogpu.backends.samples import Arrays, close_where, closed_samples
from mesogpu.plan.blocks import Block, Status
from mesogpu.plan.points import Point

Recursion = Callable[[Point, bool, NDArray[np.uint32]], tuple[KernelOutput, NDArray[np.bool_]]]
"""The kernel on the realizations of a point, slices split in two layers each or not; and whether there is a path."""

SPLIT_MARGIN = 0.3
"""Split slices are inverted without pivots across the two layers and lose some 30 times more digits: condition numbers
are held to so much of the oracle's bounds. Both ways then agree to 3e-9 in ln g (145 000 samples of ribbons)."""

DEFECT_BOUND, DEFECT_REACH = 1e-11, 1e7
"""Where transmission is not small, |R + T - N| sees what a large condition number spoils: 1e-11 of g, while that number
is below 1e7, kept the same samples within 5e-9."""

PILOT = np.arange(16, dtype=np.uint32)
"""The realizations of a point that are run once, before all others, to see whether splitting its slices pays."""

WORTH_SPLITTING = 0.5
"""Splitting takes a third of the time; it pays where more than that share of the samples is trusted."""


class GreensSamples:
    """Blocks of conductors whose slices cannot be stepped.

    recurse : runs the kernel
    """

    def __init__(self, recurse: Recursion) -> None:
        self._recurse = recurse
        self._splits: dict[Point, bool] = {}

    def compute(self, block: Block) -> Arrays:
        """A sample that is not trusted is redone with whole slices, in the end by the reference engine."""
        point = block.point
        channels = point.system.channels()
        arrays = closed_samples(block, channels)
        arrays["status"] = np.full(arrays["conductance"].shape, Status.NO_CHANNEL, dtype=np.uint8)
        closed = np.zeros(arrays["status"].shape, dtype=np.bool_)
        rows, passed = np.arange(block.count if channels else 0), Status.CERTIFIED
        for split in (True, False) if channels and self.splits(point) else (False,):
            if len(rows) == 0:
                break
            output, paths = self._recurse(point, split, (block.first + rows).astype(np.uint32))
            fill(arrays, rows, output)
            closed[:, rows] = ~paths
            good = np.all(trusted(output, arrays["log_conductance"][:, rows], channels, split) | ~paths, axis=0)
            arrays["status"][:, rows[good]] = passed
            rows, passed = rows[~good], Status.REDONE
        close_where(arrays, closed, Status.NO_PATH)
        for row in rows:
            replace_by_oracle(arrays, block, int(row))
        return arrays

    def splits(self, point: Point) -> bool:
        """Whether slices are split in two layers at first: what suits a pilot, which the point alone decides."""
        if point.system.lattice.fully_linked:
            return False
        pilot = replace(point, index=0, parameters=(), lengths=point.lengths[-1:], eigenvalues=False, shot_noise=False)
        if pilot not in self._splits:
            output, paths = self._recurse(pilot, True, PILOT)
            with np.errstate(divide="ignore"):
                logarithm = np.log(output.trace) + 2.0 * output.exponent * np.log(2.0)
            good = trusted(output, logarithm, point.system.channels(), True) | ~paths
            self._splits[pilot] = bool(np.mean(good) >= WORTH_SPLITTING)
        return self._splits[pilot]


def trusted(
    output: KernelOutput, log_conductance: NDArray[np.float64], channels: int, split: bool
) -> NDArray[np.bool_]:
    """Which samples need no second opinion, (length, R).

    log_conductance : (length, R) float64
    channels        : N
    """
    localized = log_conductance < LOCALIZED_CONDUCTANCE
    bound = np.where(localized, LOCALIZED_BOUND, CONDITIONING_BOUND) * (SPLIT_MARGIN if split else 1.0)
    seen = output.defect <= DEFECT_BOUND * np.exp(np.minimum(log_conductance, 0.0))
    well_conditioned = (output.conditioning <= bound) | (~localized & seen & (output.conditioning <= DEFECT_REACH))
    certified = certificates(output.defect, log_conductance, channels) == Status.CERTIFIED
    return np.asarray(well_conditioned & certified)
