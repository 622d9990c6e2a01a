"""The recursive Green's-function kernel on a GPU, as a function of arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import (
    FIELDS,
    KernelOutput,
    conductor_arrays,
    draws_on_host,
    make_conductor,
    unpack,
)
from mesogpu.backends.cuda.launch import Task, addresses, run, upload
from mesogpu.backends.cuda.occupancy import greens_workspace
from mesogpu.backends.cuda.options import GREENS_FUNCTION
from mesogpu.backends.greens_inputs import SLOTS, conducting_energies, layer_arrays, make_layer_inputs
from mesogpu.plan.points import Point

KEPT_POINTS = 16


def recurse(point: Point, split: bool, realizations: NDArray[np.uint32]) -> tuple[KernelOutput, NDArray[np.bool_]]:
    """The kernel on a list of realizations of a point.

    split   : whether an armchair ribbon's slices are two layers each
    returns : what it found, and whether a path joins the leads, (length, R)
    """
    arrays = _uploaded(point, split)
    conductor = make_conductor(point, SLOTS, addresses(arrays[0]))
    inputs = make_layer_inputs(layer_arrays(point, split), addresses(arrays[1]))
    paths: list[NDArray[np.bool_]] = []

    def energies(part: NDArray[np.uint32]) -> NDArray[np.float64] | None:
        given, joined = conducting_energies(point, part)
        paths.append(joined)
        return given

    host_draws = draws_on_host(point.system) or point.system.may_lack_bonds
    task = Task(
        program=GREENS_FUNCTION,
        structures=(conductor, inputs),
        workspace=greens_workspace(conductor, inputs.most),
        outputs=(conductor.recorded * FIELDS, conductor.recorded * conductor.channels * point.eigenvalues),
        energies=energies,
        given=conductor.slices * conductor.sites * host_draws,
    )
    fields, values = run(task, realizations)
    return unpack(fields, values, conductor, 1, len(realizations)), np.concatenate(paths, axis=1)


@lru_cache(maxsize=KEPT_POINTS)
def _uploaded(point: Point, split: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """A point's constants in device memory."""
    return upload(conductor_arrays(point)), upload(layer_arrays(point, split))
