"""What steps wide frames through the slices of an interval: `wide_steps` of kernels/wide.cu, on any device."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.wide.arrays import Array
from mesogpu.plan.points import Point


class Stretch(ctypes.Structure):
    """`struct Stretch` of kernels/wide.cu, field by field: the slices of an interval."""

    _fields_ = tuple((name, ctypes.c_int) for name in ("first", "count", "length", "here", "leaves"))


class Steps(Protocol):
    """Takes the frames of a batch through one interval after the other."""

    def cross(self, frames: Array, stretch: Stretch) -> None:
        """Step all frames, (R, 2, D, D) complex128, in place: each new slice takes the place of the older one."""


StepsOf = Callable[[Point, int, NDArray[np.uint32]], Steps]
"""Of a point, the longest interval, and the realizations of a batch, in their order."""
