"""The compiled transmission kernel, as a function of arrays."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import (
    FIELDS,
    KernelOutput,
    by_lanes,
    conductor_arrays,
    draws_on_host,
    given_energies,
    make_conductor,
    unpack,
)
from mesogpu.backends.kernel_inputs import frame_arrays, make_frame_inputs, slots_of
from mesogpu.backends.native.compiler import compiled
from mesogpu.plan.points import Point

ALIGNMENT = 64

GIVEN_BYTES = 2**26
"""Where the host draws energies, so many bytes of them are drawn at a time."""


def load(source: str, workspace: str, *entries: str) -> ctypes.CDLL:
    """The library of a kernel source, compiled where need be.

    source    : name of the file in kernels/
    workspace : its function that tells how many numbers a group of lanes takes
    entries   : its functions that compute
    raises    : BackendUnavailable where there is no compiler
    """
    library = ctypes.CDLL(str(compiled(source)))
    getattr(library, workspace).restype = ctypes.c_int64
    for entry in entries:
        getattr(library, entry).restype = None
    return library


@cache
def transmission_library() -> ctypes.CDLL:
    """That of the transmission kernel; raises as `load`."""
    return load("transmission.cu", "transmission_workspace", "transmission")


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """The kernel on a list of realizations of a point, in groups of as many as there are vector lanes."""
    library = transmission_library()
    lanes = library.transmission_lanes()
    arrays = conductor_arrays(point), frame_arrays(point)
    addresses = [{name: array.ctypes.data for name, array in part.items()} for part in arrays]
    conductor = make_conductor(point, slots_of(point.system, interval), addresses[0])
    inputs = make_frame_inputs(interval, addresses[1])
    groups, filled = full_groups(realizations, lanes)
    memory = aligned(library.transmission_workspace(ctypes.byref(conductor)))
    fields = aligned(groups * conductor.recorded * FIELDS * lanes)
    values = aligned(groups * conductor.recorded * conductor.channels * lanes) if point.eigenvalues else None
    most = groups_at_a_time(point, lanes) or groups
    for first in range(0, groups, most):
        group = filled[first * lanes : (first + most) * lanes]
        given = given_energies(point, group)
        library.transmission(
            ctypes.byref(conductor),
            ctypes.byref(inputs),
            ctypes.c_int64(len(group) // lanes),
            pointer(group),
            pointer(None if given is None else by_lanes(given, lanes, aligned(given.size))),
            pointer(memory),
            pointer(fields[first * conductor.recorded * FIELDS * lanes :]),
            pointer(None if values is None else values[first * conductor.recorded * conductor.channels * lanes :]),
        )
    return unpack(fields, values, conductor, lanes, len(realizations))


def full_groups(realizations: NDArray[np.uint32], lanes: int) -> tuple[int, NDArray[np.uint32]]:
    """How many groups of lanes, and their realizations: the last one fills up its group, and no lane sees another."""
    filled = np.concatenate([realizations, np.repeat(realizations[-1:], -len(realizations) % lanes)])
    return len(filled) // lanes, filled


def groups_at_a_time(point: Point, lanes: int) -> int | None:
    """Groups whose energies the host draws at a time; None where it draws none."""
    if not draws_on_host(point.system):
        return None
    return max(1, GIVEN_BYTES // (8 * lanes * point.slices * point.system.lattice.sites))


def pointer(array: NDArray[Any] | None) -> ctypes.c_void_p | None:
    """Where an array begins."""
    return None if array is None else array.ctypes.data_as(ctypes.c_void_p)


def aligned(count: int) -> NDArray[np.float64]:
    """`count` zeros on a vector's border."""
    extra = ALIGNMENT // 8
    buffer = np.zeros(count + extra)
    offset = (-buffer.ctypes.data // 8) % extra
    return buffer[offset : offset + count]
