"""Wide frames on this processor: compiled steps, a vector lane for each column of a frame, and LAPACK."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import KernelOutput, by_lanes, conductor_arrays, given_energies, make_conductor
from mesogpu.backends.kernel_inputs import slots_of
from mesogpu.backends.native.library import aligned, load, pointer
from mesogpu.backends.wide import bars, frames
from mesogpu.backends.wide.arrays import HOST, Array
from mesogpu.backends.wide.steps import StepOrder, Stretch, entry_of, order_arrays
from mesogpu.plan.points import Point


@cache
def wide_library() -> ctypes.CDLL:
    """That of the steps of wide frames; raises as `load`."""
    return load("wide.cu", "wide_workspace", "wide_complex", "wide_real")


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """Wide frames of a list of realizations of a point, one after the other."""
    return frames.transmit(HOST, HostSteps, point, interval, realizations)


def follow(point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
    """Wide frames of a list of bars of a point, one after the other; see `mesogpu.backends.bars.Launch`."""
    return bars.follow(HOST, HostSteps, point, ends, interval, realizations)


class HostSteps:
    """The steps of the compiled library, on one realization after the other."""

    def __init__(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> None:
        self._library = wide_library()
        self._realizations = realizations.tolist()
        self._arrays = conductor_arrays(point), order_arrays(point)
        addresses = [{name: array.ctypes.data for name, array in part.items()} for part in self._arrays]
        self.conductor = make_conductor(point, slots_of(point.system, interval), addresses[0])
        self._order = StepOrder(**addresses[1])
        size = self._library.wide_workspace(ctypes.byref(self.conductor))
        self._memories = [aligned(size) for _ in self._realizations]
        self._given = self._given_energies(point, realizations)

    def _given_energies(self, point: Point, realizations: NDArray[np.uint32]) -> list[NDArray[Any] | None]:
        energies = given_energies(point, realizations)
        if energies is None:
            return [None] * len(realizations)
        lanes = self._library.wide_lanes()
        return [by_lanes(np.repeat(one[None], lanes, axis=0), lanes, aligned(lanes * one.size)) for one in energies]

    def cross(self, frames: Array, stretch: Stretch) -> None:
        step = getattr(self._library, entry_of(frames))
        each = zip(self._realizations, self._given, self._memories, frames, strict=True)
        for realization, given, memory, frame in each:
            step(
                ctypes.byref(self.conductor),
                ctypes.byref(self._order),
                ctypes.byref(stretch),
                ctypes.c_uint32(realization),
                pointer(given),
                pointer(memory),
                pointer(frame),
            )
