"""The compiled recursive Green's-function kernel, as a function of arrays."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import FIELDS, KernelOutput, by_lanes, conductor_arrays, make_conductor, unpack
from mesogpu.backends.greens_inputs import SLOTS, conducting_energies, layer_arrays, make_layer_inputs
from mesogpu.backends.native.library import GIVEN_BYTES, aligned, full_groups, load, pointer
from mesogpu.plan.points import Point


@cache
def greens_library() -> ctypes.CDLL:
    """That of the Green's-function kernel; raises as `load`."""
    return load("greens_function.cu", "greens_function_workspace", "greens_function")


def recurse(point: Point, split: bool, realizations: NDArray[np.uint32]) -> tuple[KernelOutput, NDArray[np.bool_]]:
    """The kernel on a list of realizations of a point, in groups of as many as there are vector lanes.

    split   : whether an armchair ribbon's slices are two layers each
    returns : what it found, and whether a path joins the leads, (length, R)
    """
    library = greens_library()
    lanes = library.greens_function_lanes()
    arrays = conductor_arrays(point), layer_arrays(point, split)
    addresses = [{name: array.ctypes.data for name, array in part.items()} for part in arrays]
    conductor = make_conductor(point, SLOTS, addresses[0])
    inputs = make_layer_inputs(arrays[1], addresses[1])
    groups, filled = full_groups(realizations, lanes)
    memory = aligned(library.greens_function_workspace(ctypes.byref(conductor), ctypes.byref(inputs)))
    fields = aligned(groups * conductor.recorded * FIELDS * lanes)
    values = aligned(groups * conductor.recorded * conductor.channels * lanes) if point.eigenvalues else None
    paths = np.ones((conductor.recorded, len(filled)), dtype=np.bool_)
    most = max(1, GIVEN_BYTES // (8 * lanes * conductor.slices * conductor.sites))
    for first in range(0, groups, most):
        part = slice(first * lanes, (first + most) * lanes)
        group = filled[part]
        given, paths[:, part] = conducting_energies(point, group)
        library.greens_function(
            ctypes.byref(conductor),
            ctypes.byref(inputs),
            ctypes.c_int64(len(group) // lanes),
            pointer(group),
            pointer(None if given is None else by_lanes(given, lanes, aligned(given.size))),
            pointer(memory),
            pointer(fields[first * conductor.recorded * FIELDS * lanes :]),
            pointer(None if values is None else values[first * conductor.recorded * conductor.channels * lanes :]),
        )
    output = unpack(fields, values, conductor, lanes, len(realizations))
    return output, paths[:, : len(realizations)]
