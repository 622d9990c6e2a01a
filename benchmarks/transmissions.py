"""Transmission eigenvalues to fill files with: drawn a thousand times faster than solved, and as hard to compress.

A realization takes the T_n = 1 / cosh(x_n)^2 of one of 1024 solved realizations of its strip, drawn at random, and
moves each x_n by a normal number of a tenth of the mean spacing. So every exponent is one that the physics makes, where
it makes it, and every mantissa is random to the last bit, as solved ones are. Each block draws from numbers of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.select import select_backend
from mesogpu.errors import BackendUnavailable
from mesogpu.plan import Block, BlockResult, Status
from mesogpu.plan.points import Point

SOLVED = 1024
"""Realizations that the others come from."""

JITTER = 0.1
"""Of the mean spacing of the x_n."""

Transmissions = NDArray[np.float64]


@cache
def solved(block: Block) -> Transmissions:
    """(1, count, channels) T_n of the block's own disorder, from the kernels where there is a compiler."""
    try:
        backend = select_backend("native")
    except BackendUnavailable:
        backend = select_backend("numpy")
    [answer] = backend.run([block])
    return np.asarray(answer.arrays["transmission_eigenvalues"])


def synthetic(block: Block) -> Transmissions:
    """(1, count, channels) T_n, descending."""
    rng = np.random.default_rng([block.point.index, block.index])
    places = _places(block.point)
    spacing = (places[:, -1].mean() - places[:, 0].mean()) / places.shape[1]
    moved = places[rng.integers(len(places), size=block.count)]
    moved += rng.normal(0.0, JITTER * spacing, moved.shape)
    transmissions: Transmissions = 1.0 / np.cosh(np.sort(np.abs(moved), axis=-1)) ** 2
    return transmissions[np.newaxis]


@cache
def _places(point: Point) -> NDArray[np.float64]:
    """(SOLVED, channels) x_n of solved realizations, ascending."""
    transmissions = solved(Block(point, 0, 0, SOLVED))[0]
    places: NDArray[np.float64] = np.arccosh(1.0 / np.sqrt(transmissions))
    return places


def result(block: Block, make: Callable[[Block], Transmissions]) -> BlockResult:
    """A whole result around transmission eigenvalues; other numbers follow from them, or are as random as real ones."""
    transmissions = make(block)
    rng = np.random.default_rng([7, block.index])
    conductance = transmissions.sum(axis=-1)
    arrays: dict[str, NDArray[Any]] = {
        "conductance": conductance,
        "log_conductance": np.log(conductance),
        "shot_noise": (transmissions * (1.0 - transmissions)).sum(axis=-1),
        "conditioning": np.exp(rng.normal(5.0, 1.0, conductance.shape)),
        "status": np.where(rng.random(conductance.shape) < 1e-3, Status.REDONE, Status.CERTIFIED).astype("u1"),
        "transmission_eigenvalues": transmissions,
    }
    audit = np.where(rng.random(1) < 0.02, rng.random(1) * 1e-12, np.nan)
    return BlockResult(block.point.index, block.index, block.first, block.count, arrays, audit, 0.0)
