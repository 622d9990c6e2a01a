"""What every kernel backend shares: launch, certify, redo what is not certified, audit."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.base import Backend
from mesogpu.backends.certify import CONDITIONING_BOUND, certificates
from mesogpu.backends.kernel_inputs import LONGEST_INTERVAL, estimated_interval
from mesogpu.backends.reference import backend as reference
from mesogpu.backends.samples import Arrays, closed_samples, observables, transmission_eigenvalues
from mesogpu.plan.blocks import Block, Status
from mesogpu.plan.points import Point


@dataclass(frozen=True, slots=True)
class KernelOutput:
    """What a kernel returns for R realizations of a point at each recorded length; amplitudes are t = 2^exponent s.

    exponent     : (length, R) int64
    trace        : (length, R) float64, Tr s s^dagger
    square_trace : (length, R) float64, Tr (s s^dagger)^2
    defect       : (length, R) float64, |R + T - N| of one incoming wave
    conditioning : (length, R) float64, largest spread of a triangular factor's diagonal so far
    eigenvalues  : (length, R, N) float64, those of s s^dagger, descending; None where not asked for
    """

    exponent: NDArray[np.int64]
    trace: NDArray[np.float64]
    square_trace: NDArray[np.float64]
    defect: NDArray[np.float64]
    conditioning: NDArray[np.float64]
    eigenvalues: NDArray[np.float64] | None


PILOT = np.arange(16, dtype=np.uint32)
"""The realizations of a point that are run once, before all others, to see how fast its frames spread."""

PILOT_QUANTILE, PILOT_SPREAD = 0.9, 4e3
"""Nine in ten of them are meant to stay below this spread: few of all others then pass the certificate's 1e4."""


class KernelBackend(Backend):
    """Blocks through a compiled kernel, certified sample by sample, redone and audited by the reference engine."""

    def __init__(self) -> None:
        self._intervals: dict[Point, int] = {}

    @abstractmethod
    def launch(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
        """Run the kernel on the realizations of a point, `interval` slices between stabilisations."""

    def interval(self, point: Point) -> int:
        """Slices between two stabilisations: what suits a pilot of a few realizations, which the point alone decides.

        raises : what `launch` raises
        """
        # Points that differ in what is recorded, or in their number, share one pilot.
        pilot = replace(point, index=0, parameters=(), lengths=point.lengths[-1:], eigenvalues=False, shot_noise=False)
        if pilot not in self._intervals:
            self._intervals[pilot] = self._piloted(pilot)
        return self._intervals[pilot]

    def _piloted(self, point: Point) -> int:
        interval = estimated_interval(point)
        while interval > 1:
            spread = np.quantile(self.launch(point, interval, PILOT).conditioning[-1], PILOT_QUANTILE)
            if np.isfinite(spread):
                fitting = interval * np.log(PILOT_SPREAD) / np.log(max(spread, 2.0))
                return int(np.clip(fitting, 1, LONGEST_INTERVAL))
            interval //= 2
        return 1

    def audited(self, block: Block, realization: int) -> NDArray[np.float64]:
        """By the reference engine; NaN where that has no certificate either."""
        exact = reference.compute(replace(block, first=realization, count=1))
        logarithm: NDArray[np.float64] = exact["log_conductance"][:, 0]
        return np.where(exact["status"][:, 0] <= Status.ORACLE, logarithm, np.nan)

    def compute(self, block: Block) -> Arrays:
        """A sample without its certificates is redone at half the interval, in the end by the reference engine."""
        point = block.point
        channels = point.system.channels()
        arrays = closed_samples(block, channels)
        arrays["status"] = np.full(arrays["conductance"].shape, Status.NO_CHANNEL, dtype=np.uint8)
        rows = np.arange(block.count if channels else 0)
        interval, passed = self.interval(point) if channels else 1, Status.CERTIFIED
        while len(rows):
            output = self.launch(point, interval, (block.first + rows).astype(np.uint32))
            _fill(arrays, rows, output)
            status = certificates(output.defect, arrays["log_conductance"][:, rows], channels)
            good = ((status == Status.CERTIFIED) & (output.conditioning <= CONDITIONING_BOUND)).all(axis=0)
            arrays["status"][:, rows[good]] = passed
            rows = rows[~good]
            if interval == 1:
                break
            interval, passed = interval // 2, Status.REDONE
        for row in rows:
            _replace_by_oracle(arrays, block, int(row))
        return arrays


def _fill(arrays: Arrays, rows: NDArray[np.int64], output: KernelOutput) -> None:
    observed = observables(output.trace, output.square_trace, output.exponent)
    observed["conditioning"] = output.conditioning
    if output.eigenvalues is not None:
        observed["transmission_eigenvalues"] = transmission_eigenvalues(output.eigenvalues, output.exponent)
    for name in arrays.keys() & observed.keys():
        arrays[name][:, rows] = observed[name]


def _replace_by_oracle(arrays: Arrays, block: Block, row: int) -> None:
    exact = reference.compute(replace(block, first=block.first + row, count=1))
    for name, values in exact.items():
        arrays[name][:, row] = values[:, 0]
    certified = exact["status"][:, 0] <= Status.ORACLE
    arrays["status"][certified, row] = Status.ORACLE
