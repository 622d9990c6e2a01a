"""What the Lyapunov kernel is given beside the conductor."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import Conductor
from mesogpu.backends.kernel_inputs import slots_of, step_order
from mesogpu.plan.points import Point

ARRAYS = ("order", "ready", "ends")
CERTIFICATE = 2
"""Numbers a bar: the sum of kappa over its factorisations, and the largest."""


class BarInputs(ctypes.Structure):
    """`struct BarInputs` of kernels/bars.cuh, field by field."""

    _fields_ = (
        ("interval", ctypes.c_int),
        ("marks", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ARRAYS),
    )


def bar_arrays(point: Point, ends: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """The arrays that `BarInputs` points to.

    order, ready : (period, sites) int32, see `kernel_inputs.step_order`
    ends         : (marks,) int32, slices
    """
    order, ready = step_order(point.system.lattice)
    return {"order": order, "ready": ready, "ends": np.array(ends, dtype=np.int32)}


def bar_slots(point: Point, interval: int) -> int:
    """Slices whose records the kernel keeps; an interval of 0 is one slice."""
    return slots_of(point.system, max(interval, 1))


def has_real_frames(conductor: Conductor) -> bool:
    """Whether frames of bars are real: `has_real_frames` of kernels/bars.cuh."""
    return conductor.spins == 1 and not conductor.twisted and not conductor.phase


def make_bar_inputs(interval: int, ends: tuple[int, ...], addresses: Mapping[str, int | None]) -> BarInputs:
    """The structure for one launch; addresses: where each of `ARRAYS` begins."""
    return BarInputs(interval=interval, marks=len(ends), **addresses)
