"""The compiled transmission kernel, as a function of arrays."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.kernel_backend import KernelOutput
from mesogpu.backends.native.compiler import compiled
from mesogpu.backends.strip import FIELDS, make_strip, point_arrays, unpack
from mesogpu.plan.points import Point

ALIGNMENT = 64


@cache
def transmission_library() -> ctypes.CDLL:
    """The library, compiled where need be.

    raises : BackendUnavailable where there is no compiler
    """
    library = ctypes.CDLL(str(compiled("transmission.cu")))
    library.transmission_workspace.restype = ctypes.c_int64
    library.transmission.restype = None
    return library


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """The kernel on a list of realizations of a point, in groups of as many as there are vector lanes."""
    library = transmission_library()
    lanes = library.transmission_lanes()
    arrays = point_arrays(point)
    channels, recorded, count = len(arrays["outgoing"]), len(point.lengths), len(realizations)
    # A group is always full: the last realization fills it up, and no lane sees another.
    groups = -(-count // lanes)
    filled = np.concatenate([realizations, np.repeat(realizations[-1:], groups * lanes - count)])
    strip = make_strip(point, interval, channels, {name: array.ctypes.data for name, array in arrays.items()})
    memory = _aligned(library.transmission_workspace(ctypes.byref(strip)))
    fields = _aligned(groups * recorded * FIELDS * lanes)
    values = _aligned(groups * recorded * channels * lanes) if point.eigenvalues else None
    library.transmission(
        ctypes.byref(strip),
        ctypes.c_int64(groups),
        filled.ctypes.data_as(ctypes.c_void_p),
        memory.ctypes.data_as(ctypes.c_void_p),
        fields.ctypes.data_as(ctypes.c_void_p),
        None if values is None else values.ctypes.data_as(ctypes.c_void_p),
    )
    return unpack(fields, values, strip, lanes, count)


def _aligned(count: int) -> NDArray[np.float64]:
    """`count` zeros on a vector's border."""
    extra = ALIGNMENT // 8
    buffer = np.zeros(count + extra)
    offset = (-buffer.ctypes.data // 8) % extra
    return buffer[offset : offset + count]
