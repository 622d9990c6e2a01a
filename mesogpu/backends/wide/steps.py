"""What steps wide frames through the slices of an interval: the entries of kernels/wide.cu, on any device."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import Conductor
from mesogpu.backends.kernel_inputs import step_order
from mesogpu.backends.wide.arrays import Array
from mesogpu.plan.points import Point


class StepOrder(ctypes.Structure):
    """`struct StepOrder` of kernels/steps.cuh, field by field."""

    _fields_ = (("order", ctypes.c_void_p), ("ready", ctypes.c_void_p))


def order_arrays(point: Point) -> dict[str, NDArray[np.int32]]:
    """The arrays that `StepOrder` points to, (period, sites) int32, see `kernel_inputs.step_order`."""
    return dict(zip(("order", "ready"), step_order(point.system.lattice), strict=True))


class Stretch(ctypes.Structure):
    """`struct Stretch` of kernels/wide.cu, field by field: the slices of an interval."""

    _fields_ = tuple((name, ctypes.c_int) for name in ("first", "count", "length", "here", "leaves"))


class Steps(Protocol):
    """Takes the frames of a batch through one interval after the other.

    conductor : what the steps are told of the point
    """

    conductor: Conductor

    def cross(self, frames: Array, stretch: Stretch) -> None:
        """Step all frames, (R, 2, D, D), in place: each new slice takes the place of the older one.

        frames : complex128; or float64, of models that have real frames
        """


StepsOf = Callable[[Point, int, NDArray[np.uint32]], Steps]
"""Of a point, the longest interval, and the realizations of a batch, in their order."""


def entry_of(frames: Array) -> str:
    """The entry of kernels/wide.cu for such frames."""
    return "wide_complex" if frames.dtype.kind == "c" else "wide_real"
