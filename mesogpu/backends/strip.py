"""`struct Strip` of kernels/strip.cuh: what a transmission kernel is told about a point, and what it gives back."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.kernel_backend import KernelOutput
from mesogpu.backends.kernel_inputs import KernelInputs, kernel_inputs
from mesogpu.plan.points import Point

FIELDS = 5
"""Numbers a realization and length: exponent, trace, square trace, flux defect, conditioning."""

ARRAYS = ("lengths", "law_kinds", "law_parameters", "twist", "start", "start_history", "incoming", "outgoing")


class Strip(ctypes.Structure):
    """`struct Strip`, field by field; pointers are addresses in the memory of the device that runs the kernel."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("width", "channels", "slices", "recorded", "interval")),
        *((name, ctypes.c_int) for name in ("periodic", "laws", "twisted")),
        *((name, ctypes.c_uint32) for name in ("seed", "point")),
        *((name, ctypes.c_double) for name in ("energy", "hopping")),
        *((name, ctypes.c_void_p) for name in ARRAYS),
    )


def point_arrays(point: Point) -> dict[str, NDArray[Any]]:
    """The arrays that a strip points to, by the names in `ARRAYS` and in this order; shapes as in `KernelInputs`.

    returns : with lengths, (recorded,) int32, slices; all C-contiguous
    """
    inputs: KernelInputs = kernel_inputs(point)
    lengths = np.array(point.lengths, dtype=np.int32)
    return {name: lengths if name == "lengths" else getattr(inputs, name) for name in ARRAYS}


def make_strip(point: Point, interval: int, channels: int, addresses: Mapping[str, int | None]) -> Strip:
    """The structure for one launch.

    interval  : slices between two stabilisations
    channels  : N, rows of the array `outgoing`
    addresses : where each of `ARRAYS` begins
    """
    system = point.system
    return Strip(
        width=system.width,
        channels=channels,
        slices=point.lengths[-1],
        recorded=len(point.lengths),
        interval=interval,
        periodic=system.periodic,
        laws=len(system.laws),
        twisted=system.flux != 0.0,
        seed=point.seed,
        point=point.stream_point,
        energy=system.energy,
        hopping=system.hopping,
        **addresses,
    )


def unpack(
    fields: NDArray[np.float64], values: NDArray[np.float64] | None, strip: Strip, lanes: int, count: int
) -> KernelOutput:
    """What a kernel wrote, in the order of the realizations.

    fields  : (groups * recorded * FIELDS * lanes,) float64
    values  : (groups * recorded * channels * lanes,) float64, T_n / 4^exponent; None where not asked for
    lanes   : realizations a group; 1 on CUDA
    count   : realizations that were asked for; those beyond fill up the last group
    """
    recorded, channels = strip.recorded, strip.channels
    by_field = fields.reshape(-1, recorded, FIELDS, lanes).transpose(2, 1, 0, 3).reshape(FIELDS, recorded, -1)
    exponent, trace, square_trace, defect, conditioning = by_field[:, :, :count]
    if values is not None:
        values = values.reshape(-1, recorded, channels, lanes).transpose(1, 0, 3, 2)
        values = values.reshape(recorded, -1, channels)[:, :count]
    return KernelOutput(exponent.astype(np.int64), trace, square_trace, defect, conditioning, values)
