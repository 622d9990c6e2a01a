"""Lyapunov exponents of bars: from what an engine adds up along them to what is stored, certified and audited."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.kernel_inputs import LONGEST_INTERVAL, estimated_interval
from mesogpu.backends.reference.lyapunov import logarithm_sums
from mesogpu.backends.samples import Arrays
from mesogpu.config.experiment import Bars
from mesogpu.physics.slices import Slices
from mesogpu.plan.blocks import Block, Status
from mesogpu.plan.points import Point

BATCHES = 32
"""Consecutive parts of a bar, from whose scatter its own error comes."""

PROBED_SLICES = 256
"""So much of an audited bar's beginning is followed again by the oracle, and so long are a pilot's bars."""

PROBED_ORBITALS = 128
FEWEST_AUDITED, FEWEST_PILOT = 4, 32
"""Wider bars are probed over fewer slices, by the square of their orbitals: QR of each slice takes some fifty times
longer than to follow it."""

LOSS_BOUND = 1e-9
"""Largest error of an exponent per slice, of a certified bar; and its difference from the audit's."""

LOSS = 1000.0 * float(np.finfo(np.float64).eps)
"""What a factor that spreads over kappa loses at most, over kappa: 100 eps have been seen, and 10^4 of one bar in
256 with Cauchy disorder, where the order of two exponents was reversed for a while."""

SPREAD_BOUND = 1e7
"""Largest spread of one factor that its Gram product survives: that of 1 / sqrt(eps) has none."""

PILOT = np.arange(8, dtype=np.uint32)
WIDE_PILOT = PILOT[:2]
"""The exponents of a wide bar are many enough for a mean."""
PILOT_SPREAD = 2e3
"""What the factors of a pilot's bars are meant to spread over in the mean: few of a million then reach the bound."""


@dataclass(frozen=True, slots=True)
class BarOutput:
    """What a kernel adds up along R bars.

    sums       : (marks, R, D) float64, of ln R_ii from one mark to the next, the largest first but for noise
    spread_sum : (R,) float64, of kappa, the spread of a factor's diagonal, over all factorisations
    largest    : (R,) float64, kappa
    """

    sums: NDArray[np.float64]
    spread_sum: NDArray[np.float64]
    largest: NDArray[np.float64]


class Launch(Protocol):
    """Runs a kernel on bars of a point: `ends` are its marks, `interval` slices lie between two factorisations.

    An interval of 0 factorises the growth of every slice in two halves: the remedy for single enormous energies.
    """

    @abstractmethod
    def __call__(
        self, point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]
    ) -> BarOutput: ...


class KernelBars:
    """Blocks of bars through a kernel; a bar that is not certified is redone, in the end by the oracle.

    launch : runs the kernel
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._intervals: dict[Point, int] = {}

    def compute(self, block: Block) -> Arrays:
        """What is stored of the bars of a block."""
        point, ends = block.point, marks(block.point)
        sums = np.empty((len(ends), block.count, point.system.orbitals))
        conditioning, status = np.empty(block.count), np.empty(block.count, dtype=np.uint8)
        rows, interval, passed = np.arange(block.count), self.interval(point), Status.CERTIFIED
        while len(rows):
            output = self._launch(point, ends, interval, (block.first + rows).astype(np.uint32))
            sums[:, rows], conditioning[rows], status[rows] = output.sums, output.largest, passed
            rows = rows[~certified(output, ends[-1])]
            if interval == 0:
                break
            interval, passed = interval // 2, Status.REDONE
        for row in rows:
            sums[:, row] = oracle_sums(block, int(block.first + row), ends)
            status[row] = Status.ORACLE if np.isfinite(sums[:, row]).all() else Status.FAILED_NOT_FINITE
        return stored(point, sums, conditioning, status)

    def interval(self, point: Point) -> int:
        """Slices between two factorisations: what suits the beginning of a few bars, which the point alone decides."""
        slices = probed_slices(point, FEWEST_PILOT)
        pilot = replace(point, index=0, parameters=(), lengths=(slices,), bars=Bars(slices, warmup=0, exponents=None))
        if pilot not in self._intervals:
            self._intervals[pilot] = self._piloted(pilot)
        return self._intervals[pilot]

    def _piloted(self, pilot: Point) -> int:
        interval, slices = estimated_interval(pilot), pilot.slices
        bars = PILOT if pilot.system.orbitals <= PROBED_ORBITALS else WIDE_PILOT
        while interval > 1:
            spread = float(self._launch(pilot, (slices,), interval, bars).spread_sum.mean())
            if np.isfinite(spread):
                spread /= -(-slices // interval) + 1
                fitting = interval * np.log(PILOT_SPREAD) / np.log(max(spread, 2.0))
                return int(np.clip(fitting, 1, LONGEST_INTERVAL))
            interval //= 2
        return 1


def compute_by_oracle(block: Block) -> Arrays:
    """What is stored of the bars of a block, by Householder QR throughout."""
    ends = marks(block.point)
    sums = np.stack([oracle_sums(block, block.first + row, ends) for row in range(block.count)], axis=1)
    finite = np.isfinite(sums).all(axis=(0, 2))
    status = np.where(finite, Status.CERTIFIED, Status.FAILED_NOT_FINITE).astype(np.uint8)
    return stored(block.point, sums, np.ones(block.count), status)


def audited_part(block: Block, realization: int) -> NDArray[np.float64]:
    """Mean ln R_ii of the audited part of one bar, factorised in every slice, (1, D)."""
    end = audited_slices(block.point)
    return oracle_sums(block, realization, (end,), interval=1) / end


def oracle_sums(block: Block, realization: int, ends: tuple[int, ...], interval: int = 0) -> NDArray[np.float64]:
    """One bar by the oracle: sums of ln R_ii from one end to the next, (ends, D); its own interval where 0."""
    point = block.point
    every = interval or max(1, estimated_interval(point) // 2)
    totals = np.concatenate(list(logarithm_sums(point.system, _draw(point, realization), ends, every)))
    return np.diff(totals, axis=0, prepend=0.0)


def _draw(point: Point, realization: int) -> Callable[[range], Slices]:
    return lambda slices: point.system.slices(
        seed=point.seed, realizations=[realization], slices=slices, point=point.stream_point
    )


def bars_of(point: Point) -> Bars:
    """The bars of a point that has some."""
    assert point.bars is not None
    return point.bars


def probed_slices(point: Point, fewest: int) -> int:
    """Slices of a probe of a point's bars, at least `fewest`."""
    narrowing = min(1.0, PROBED_ORBITALS / point.system.orbitals)
    return max(fewest, int(PROBED_SLICES * narrowing**2))


def audited_slices(point: Point) -> int:
    """Slices at the beginning of each bar of a point that an audit follows."""
    return min(probed_slices(point, FEWEST_AUDITED), point.slices)


def marks(point: Point) -> tuple[int, ...]:
    """Where along a bar its sums are read off: the end of the audited part, of the warm-up, and of every batch."""
    bars = bars_of(point)
    batches = min(BATCHES, bars.slices)
    batch_ends = {bars.warmup + bars.slices * k // batches for k in range(batches + 1)}
    return tuple(sorted((batch_ends | {audited_slices(point)}) - {0}))


def certified(output: BarOutput, slices: int) -> NDArray[np.bool_]:
    """Which bars lost too little in their Gram products to be seen, (R,)."""
    finite = np.isfinite(output.sums).all(axis=(0, 2))
    return np.asarray(finite & (LOSS * output.spread_sum <= LOSS_BOUND * slices) & (output.largest <= SPREAD_BOUND))


def stored(
    point: Point, sums: NDArray[np.float64], conditioning: NDArray[np.float64], status: NDArray[np.uint8]
) -> Arrays:
    """The variables of a block of bars, from sums of ln R_ii between its marks.

    sums    : (marks, count, D) float64
    returns : lyapunov_exponents, lyapunov_errors, lyapunov_drift (count, k) float64, per slice, smallest first;
              conditioning, status (1, count); audited (1, count, D), mean ln R_ii of the audited part
    """
    bars, ends, totals = bars_of(point), np.array(marks(point)), np.cumsum(sums, axis=0)
    first = np.searchsorted(ends, bars.warmup) if bars.warmup else -1
    start = totals[first] if bars.warmup else np.zeros_like(totals[0])
    batches = min(BATCHES, bars.slices)
    places = np.searchsorted(ends, [bars.warmup + bars.slices * k // batches for k in range(1, batches + 1)])
    borders = np.concatenate([start[None], totals[places]])
    lengths = np.diff([bars.slices * k // batches for k in range(batches + 1)])[:, None, None]
    rates = np.diff(borders, axis=0) / lengths
    half = batches // 2
    exponents = (borders[-1] - start) / bars.slices
    scatter = rates.std(axis=0, ddof=1) / np.sqrt(batches) if batches > 1 else np.full_like(exponents, np.nan)
    drift = rates[half:].mean(axis=0) - rates[:half].mean(axis=0) if half else np.full_like(exponents, np.nan)
    audited_end = audited_slices(point)
    smallest = np.arange(sums.shape[2])[::-1][: bars.stored(sums.shape[2])]
    return {
        "lyapunov_exponents": exponents[:, smallest],
        "lyapunov_errors": scatter[:, smallest],
        "lyapunov_drift": drift[:, smallest],
        "conditioning": conditioning[None],
        "status": status[None],
        "audited": (totals[np.searchsorted(ends, audited_end)] / audited_end)[None],
    }
