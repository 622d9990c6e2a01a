"""The compiled Lyapunov kernel, as a function of arrays."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bar_inputs import CERTIFICATE, bar_arrays, bar_slots, make_bar_inputs
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import by_lanes, conductor_arrays, given_energies, make_conductor
from mesogpu.backends.native.library import aligned, full_groups, groups_at_a_time, load, pointer
from mesogpu.plan.points import Point


@cache
def lyapunov_library() -> ctypes.CDLL:
    """That of the Lyapunov kernel; raises as `load`."""
    return load("lyapunov.cu", "lyapunov_workspace", "lyapunov")


def follow(point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
    """The kernel on a list of bars of a point, in groups of as many as there are vector lanes; see `bars.Launch`."""
    library = lyapunov_library()
    lanes = library.lyapunov_lanes()
    arrays = conductor_arrays(point), bar_arrays(point, ends)
    addresses = [{name: array.ctypes.data for name, array in part.items()} for part in arrays]
    conductor = make_conductor(point, bar_slots(point, interval), addresses[0])
    inputs = make_bar_inputs(interval, ends, addresses[1])
    groups, filled = full_groups(realizations, lanes)
    orbitals = point.system.orbitals
    memory = aligned(library.lyapunov_workspace(ctypes.byref(conductor)))
    sums, certificates = aligned(groups * len(ends) * orbitals * lanes), aligned(groups * CERTIFICATE * lanes)
    most = groups_at_a_time(point, lanes) or groups
    for first in range(0, groups, most):
        group = filled[first * lanes : (first + most) * lanes]
        given = given_energies(point, group)
        library.lyapunov(
            ctypes.byref(conductor),
            ctypes.byref(inputs),
            ctypes.c_int64(len(group) // lanes),
            pointer(group),
            pointer(None if given is None else by_lanes(given, lanes, aligned(given.size))),
            pointer(memory),
            pointer(sums[first * len(ends) * orbitals * lanes :]),
            pointer(certificates[first * CERTIFICATE * lanes :]),
        )
    by_bar = sums.reshape(groups, len(ends), orbitals, lanes).transpose(1, 0, 3, 2).reshape(len(ends), -1, orbitals)
    spread_sum, largest = certificates.reshape(groups, CERTIFICATE, lanes).transpose(1, 0, 2).reshape(CERTIFICATE, -1)
    count = len(realizations)
    return BarOutput(by_bar[:, :count], spread_sum[:count], largest[:count])
