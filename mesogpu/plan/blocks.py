"""A block is the unit of commit; it and its result are the only things that cross process borders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from numpy.typing import NDArray

from mesogpu.plan.points import Point


class Status(IntEnum):
    """What is known of one stored sample."""

    CERTIFIED = 0
    """Within max(1e-8, 1e-11 |ln g|) in ln g, by its certificates."""
    REDONE = 1
    """Certified after a second pass at a shorter stabilisation interval."""
    ORACLE = 2
    """Certified after a second pass by the reference backend."""
    NO_CHANNEL = 3
    """The leads have no propagating mode: g = 0, ln g = -inf."""
    NO_PATH = 4
    """Missing sites or bonds leave no path from lead to lead: g = 0, ln g = -inf."""
    FAILED_UNITARITY = 16
    """R + T differs from the number of channels by more than the bound."""
    FAILED_NOT_FINITE = 17
    """The recursion left the finite numbers."""
    FAILED_AUDIT = 18
    """The audit, by independent means, found another ln g."""
    FAILED_ILL_CONDITIONED = 19
    """The recursion lost too many digits, and nothing independent reaches so small a transmission."""
    NOT_COMPUTED = 255
    """No result yet."""

    @property
    def failed(self) -> bool:
        """Whether the sample is left out of statistics."""
        return Status.FAILED_UNITARITY <= self < Status.NOT_COMPUTED


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive realizations of one point.

    point : the physics
    index : number of the block within its point
    first : first realization
    count : number of realizations
    """

    point: Point
    index: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a backend returns for one block.

    point, index, first, count : which block
    arrays  : per-sample variables by their stored name, each (length, count) or (length, count, channel):
              conductance, log_conductance, conditioning float64; status uint8; shot_noise, transmission_eigenvalues
              float64 where the point asks for them (eigenvalues descending, as many channels as the point has).
              Of bars status, conditioning (1, count), and lyapunov_exponents (ascending), lyapunov_errors,
              lyapunov_drift (count, channel) float64
    audit   : (length,) float64, largest |d ln g| to the audit among this block's audited samples, of bars
              |d sum of ln R_ii| / slices; NaN where none
    seconds : wall time that the backend spent on it (not stored)
    """

    point: int
    index: int
    first: int
    count: int
    arrays: Mapping[str, NDArray[Any]]
    audit: NDArray[Any]
    seconds: float
