"""What a kernel backend must show: parity, equal bytes for any split, a certificate that catches what is wrong.

Each check returns JSON: its name, whether it passed, and its figures. Engines compute without their own audit: the
comparison with another engine is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import BarCase, Case
from benchmarks.conductors import random_points
from mesogpu.backends.bars import LOSS_BOUND
from mesogpu.backends.base import Backend
from mesogpu.backends.certify import (
    ABSOLUTE_BOUND,
    CONDITIONING_BOUND,
    RELATIVE_BOUND,
    certificates,
)
from mesogpu.backends.kernel_backend import KernelBackend, KernelOutput
from mesogpu.backends.samples import observables
from mesogpu.plan import Block, Point, Status

Check = dict[str, Any]

LINEAR_BOUND = 1e-9
"""Largest |d T_n| and |d noise|."""

PLANTED = Case(16, 160, disorder=8.0)
PLANTED_INTERVALS = (4, 8, 16)
"""Where 2 is right."""

BAR_SLICES, BAR_WARMUP = 200, 50
"""Of bars that two engines follow."""

SPLITS = ((64,), (1, 2, 5, 56), (33, 31), (8,) * 8)


def random_parity(backend: Backend, other: Backend, points: int, count: int = 16) -> Check:
    """Random conductors, two lengths each, T_n included, by both engines."""
    return {"name": "parity on random conductors", **parity(backend, other, random_points(points, 64, 400), count)}


def parity_at_standard_sizes(backend: Backend, other: Backend, cases: Iterable[Case]) -> Check:
    """The sizes that are timed, at the interval that they are timed with."""
    count = 8 if other.name == "numpy" else 64
    points = (case.point(eigenvalues=True) for case in cases)
    return {"name": "parity at the standard sizes", **parity(backend, other, points, count)}


def parity(backend: Backend, other: Backend, points: Iterable[Point], count: int) -> Check:
    """Largest differences over all samples; ln g in units of its bound, max(1e-8, 1e-11 |ln g|)."""
    totals: dict[str, Any] = {"samples": 0, "redone": 0, "by_oracle": 0, "failed": 0}
    worst = {"log_conductance": 0.0, "eigenvalues": 0.0, "shot_noise": 0.0}
    beyond = []
    for point in points:
        block = Block(point, 0, 0, count)
        tested, exact = backend.compute(block), other.compute(block)
        status = tested["status"]
        totals["samples"] += status.size
        totals["redone"] += int((status == Status.REDONE).sum())
        totals["by_oracle"] += int((status == Status.ORACLE).sum())
        totals["failed"] += int((status >= Status.FAILED_UNITARITY).sum())
        found = differences(tested, exact)
        worst = {name: max(worst[name], difference) for name, difference in found.items()}
        if found["log_conductance"] > 1.0 or max(found["eigenvalues"], found["shot_noise"]) > LINEAR_BOUND:
            beyond.append(f"{point.system}, lengths {point.lengths}, seed {point.seed}")
    largest = {f"largest_difference_in_{name}": value for name, value in worst.items()}
    return {"passed": totals["failed"] == 0 and not beyond, **totals, **largest, "points_beyond_bound": beyond}


def parity_of_bars(backend: Backend, other: Backend, cases: Iterable[BarCase], count: int = 4) -> Check:
    """Lyapunov exponents of whole spectra over a few hundred slices, in units of what a certified one may be off by."""
    worst, samples, failed = 0.0, 0, 0
    for case in cases:
        block = Block(case.point(BAR_SLICES, warmup=BAR_WARMUP), 0, 0, count)
        tested, exact = backend.compute(block), other.compute(block)
        samples += count
        failed += int((tested["status"] >= Status.FAILED_UNITARITY).sum())
        difference = np.abs(tested["lyapunov_exponents"] - exact["lyapunov_exponents"]) / LOSS_BOUND
        worst = max(worst, float(np.nan_to_num(difference, nan=np.inf).max()))
    return {
        "name": "parity of bars",
        "passed": failed == 0 and worst <= 1.0,
        "samples": samples,
        "failed": failed,
        "largest_difference_in_exponents": worst,
    }


def differences(tested: Mapping[str, NDArray[Any]], exact: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """|d ln g| over its bound, |d T_n|, |d noise|: the largest of a block; infinite where a number is not finite."""
    logarithm = exact["log_conductance"]
    # Both are -inf where no path joins the leads.
    apart = tested["log_conductance"] != logarithm
    deviation = np.subtract(tested["log_conductance"], logarithm, where=apart, out=np.zeros_like(logarithm))
    found = {
        "log_conductance": np.abs(deviation) / log_bound(np.where(apart, logarithm, 0.0)),
        "eigenvalues": np.abs(tested["transmission_eigenvalues"] - exact["transmission_eigenvalues"]),
        "shot_noise": np.abs(tested["shot_noise"] - exact["shot_noise"]),
    }
    return {name: float(np.nan_to_num(values, nan=np.inf).max()) for name, values in found.items()}


def log_bound(logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a certified ln g may be off by."""
    bound: NDArray[np.float64] = np.maximum(ABSOLUTE_BOUND, RELATIVE_BOUND * np.abs(logarithm))
    return bound


def equal_bytes(backend: KernelBackend) -> Check:
    """The same realizations in blocks of other sizes, and launched in another order, give the same bytes."""
    points = [Case(10, 100).point(eigenvalues=True), Case(32, 64, 0.01).point(eigenvalues=True)]
    points += random_points(2, 24, 100, seed=5)
    unequal = 0
    for point in points:
        whole = blocks(backend, point, SPLITS[0])
        unequal += sum(blocks(backend, point, split) != whole for split in SPLITS[1:])
        if not point.system.has_transfer_matrix:
            continue
        realizations = np.arange(64, dtype=np.uint32)
        order = np.random.default_rng(1).permutation(64)
        interval = backend.interval(point)
        straight = launched(backend.launch(point, interval, realizations))
        shuffled = launched(backend.launch(point, interval, realizations[order]))
        pairs = zip(straight, shuffled, strict=True)
        unequal += any(a[:, order].tobytes() != b.tobytes() for a, b in pairs)
    return {
        "name": "equal bytes for any split and order",
        "passed": unequal == 0,
        "points": len(points),
        "unequal": unequal,
    }


def blocks(backend: Backend, point: Point, split: tuple[int, ...]) -> dict[str, bytes]:
    """Every array of consecutive blocks, put together, as bytes."""
    first, parts = 0, []
    for index, count in enumerate(split):
        parts.append(Block(point, index, first, count))
        first += count
    # As a run does it: an engine may compute several blocks in one launch.
    results = [result.arrays for result in backend.run(parts)]
    return {name: np.concatenate([arrays[name] for arrays in results], axis=1).tobytes() for name in results[0]}


def launched(output: KernelOutput) -> list[NDArray[Any]]:
    """The arrays of a launch, realizations along axis 1."""
    arrays = [output.exponent, output.trace, output.square_trace, output.defect, output.conditioning]
    return arrays if output.eigenvalues is None else [*arrays, output.eigenvalues]


def certificate(backend: KernelBackend, other: Backend, count: int) -> Check:
    """Frames orthonormalised too seldom: whatever comes out wrong must be flagged."""
    point = PLANTED.point()
    realizations = np.arange(count, dtype=np.uint32)
    stored = other.compute(Block(point, 0, 0, count))["log_conductance"][0]
    totals = {"samples": 0, "wrong": 0, "missed": 0, "flagged_though_right": 0}
    for interval in PLANTED_INTERVALS:
        output = backend.launch(point, interval, realizations)
        logarithm = observables(output.trace, output.square_trace, output.exponent)["log_conductance"][0]
        flagged = uncertified(output, logarithm, point.system.channels())
        wrong = ~(np.abs(logarithm - stored) <= log_bound(stored))
        totals["samples"] += count
        totals["wrong"] += int(wrong.sum())
        totals["missed"] += int((wrong & ~flagged).sum())
        totals["flagged_though_right"] += int((flagged & ~wrong).sum())
    name = f"certificate at W = {PLANTED.disorder:g} and q = {', '.join(map(str, PLANTED_INTERVALS))}"
    # Without a wrong sample nothing was tested.
    return {"name": name, "passed": totals["wrong"] > 0 and totals["missed"] == 0, **totals}


def uncertified(output: KernelOutput, logarithm: NDArray[np.float64], channels: int) -> NDArray[np.bool_]:
    """Samples of a launch with one length that a run would redo."""
    status = certificates(output.defect[0], logarithm, channels)
    flagged: NDArray[np.bool_] = (status != Status.CERTIFIED) | ~(output.conditioning[0] <= CONDITIONING_BOUND)
    return flagged
