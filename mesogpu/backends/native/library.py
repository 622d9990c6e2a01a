"""The compiled transmission kernel, as a function of arrays."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.kernel_backend import KernelOutput
from mesogpu.backends.kernel_inputs import kernel_inputs
from mesogpu.backends.native.compiler import compiled
from mesogpu.plan.points import Point

FIELDS = 5
ALIGNMENT = 64


class Strip(ctypes.Structure):
    """`struct Strip` of kernels/transmission.cu, field by field."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("width", "channels", "slices", "recorded", "interval")),
        *((name, ctypes.c_int) for name in ("periodic", "laws", "twisted")),
        *((name, ctypes.c_uint32) for name in ("seed", "point")),
        *((name, ctypes.c_double) for name in ("energy", "hopping")),
        *((name, ctypes.c_void_p) for name in ("lengths", "law_kinds", "law_parameters", "twist")),
        *((name, ctypes.c_void_p) for name in ("start", "start_history", "incoming", "outgoing")),
    )


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
    inputs = kernel_inputs(point)
    channels, recorded, count = inputs.channels, len(point.lengths), len(realizations)
    # A group is always full: the last realization fills it up, and no lane sees another.
    groups = -(-count // lanes)
    filled = np.concatenate([realizations, np.repeat(realizations[-1:], groups * lanes - count)])
    constants: dict[str, NDArray[Any]] = {
        "lengths": np.array(point.lengths, dtype=np.int32),
        "law_kinds": inputs.law_kinds,
        "law_parameters": inputs.law_parameters,
        "twist": inputs.twist,
        "start": inputs.start,
        "start_history": inputs.start_history,
        "incoming": inputs.incoming,
        "outgoing": inputs.outgoing,
    }
    strip = Strip(
        width=point.system.width,
        channels=channels,
        slices=point.lengths[-1],
        recorded=recorded,
        interval=interval,
        periodic=point.system.periodic,
        laws=len(point.system.laws),
        twisted=point.system.flux != 0.0,
        seed=point.seed,
        point=point.stream_point,
        energy=point.system.energy,
        hopping=point.system.hopping,
        **{name: array.ctypes.data for name, array in constants.items()},
    )
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
    by_field = fields.reshape(groups, recorded, FIELDS, lanes).transpose(2, 1, 0, 3).reshape(FIELDS, recorded, -1)
    exponent, trace, square_trace, defect, conditioning = by_field[:, :, :count]
    if values is not None:
        values = values.reshape(groups, recorded, channels, lanes).transpose(1, 0, 3, 2)
        values = values.reshape(recorded, groups * lanes, channels)[:, :count]
    return KernelOutput(exponent.astype(np.int64), trace, square_trace, defect, conditioning, values)


def _aligned(count: int) -> NDArray[np.float64]:
    """`count` zeros on a vector's border."""
    extra = ALIGNMENT // 8
    buffer = np.zeros(count + extra)
    offset = (-buffer.ctypes.data // 8) % extra
    return buffer[offset : offset + count]
