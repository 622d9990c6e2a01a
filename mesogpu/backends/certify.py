"""What makes a stored sample trustworthy: certificates for each one, an audit of a fixed random subset."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mesogpu.physics.philox import philox4x32
from mesogpu.plan.blocks import Block, Status

UNITARITY_BOUND = 1e-9
"""Largest |R + T - N| / N of a certified sample."""

CONDITIONING_BOUND = 1e4
"""Largest spread of a frame's triangular factor: beyond it, its Gram product has lost more than half of the digits."""

ABSOLUTE_BOUND = 1e-8
RELATIVE_BOUND = 1e-11
"""A certified sample has |d ln g| <= max(1e-8, 1e-11 |ln g|)."""

ALWAYS_AUDITED = 4
"""The first realizations of each point: as random as any others."""

AUDIT_RATE = 1.0 / 4096.0
"""Share of all further realizations that is audited."""

AUDIT_STREAM = 0xFFFFFFFF
"""Philox stream that draws the audited realizations; no disorder law uses it."""

Auditor = Callable[[Block, int], NDArray[np.float64]]
"""What is audited of one realization of a block, at every length, by independent means; NaN out of reach."""


def log_conductance_bound(log_conductance: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a certified ln g may be off by."""
    return np.maximum(ABSOLUTE_BOUND, RELATIVE_BOUND * np.abs(log_conductance))


def certificates(defect: NDArray[np.float64], log_conductance: NDArray[np.float64], channels: int) -> NDArray[np.uint8]:
    """Status of each sample from what its own computation shows.

    defect          : (...) float64, |R + T - N|
    log_conductance : (...) float64
    channels        : N
    returns         : (...) uint8, `Status`
    """
    status = np.full(defect.shape, Status.CERTIFIED, dtype=np.uint8)
    if channels == 0:
        status[...] = Status.NO_CHANNEL
        return status
    status[~(defect <= UNITARITY_BOUND * channels)] = Status.FAILED_UNITARITY
    status[~(np.isfinite(defect) & np.isfinite(log_conductance))] = Status.FAILED_NOT_FINITE
    return status


def audited_realizations(block: Block) -> NDArray[np.int64]:
    """The realizations of a block that are audited: fixed by the seed, whatever the number of realizations.

    returns : (n,) int64, counted from realization 0 of the point
    """
    realizations = np.arange(block.first, block.first + block.count, dtype=np.int64)
    counter = (0, 0, AUDIT_STREAM, block.point.stream_point)
    draw = philox4x32(counter, (block.point.seed, realizations))[:, 0]
    return realizations[(realizations < ALWAYS_AUDITED) | (draw < AUDIT_RATE * 2.0**32)]


def audit(
    block: Block,
    stored: NDArray[np.float64],
    bound: NDArray[np.float64],
    status: NDArray[np.uint8],
    auditor: Auditor,
) -> NDArray[np.float64]:
    """Recompute the audited samples of a block independently; a sample beyond the bound loses its certificate.

    stored  : (length, count, ...) float64, what the auditor gives of one sample
    bound   : (length, count) float64, of their difference
    status  : (length, count) uint8, changed in place
    returns : (length,) float64, the largest difference; NaN where nothing was audited
    """
    largest = np.full(len(stored), np.nan)
    for realization in audited_realizations(block):
        column = realization - block.first
        certified = status[:, column] <= Status.REDONE
        if not certified.any():
            continue
        difference = np.abs(auditor(block, int(realization)) - stored[:, column])
        deviation = np.where(certified, difference.reshape(len(largest), -1).max(axis=1), np.nan)
        status[deviation > bound[:, column], column] = Status.FAILED_AUDIT
        largest = np.fmax(largest, deviation)
    return largest
