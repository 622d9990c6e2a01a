"""The transmission kernel on a GPU, as a function of arrays."""

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
    given_energies,
    make_conductor,
    unpack,
)
from mesogpu.backends.cuda.launch import Task, addresses, run, upload
from mesogpu.backends.cuda.occupancy import transmission_workspace
from mesogpu.backends.cuda.options import TRANSMISSION
from mesogpu.backends.kernel_inputs import frame_arrays, make_frame_inputs, slots_of
from mesogpu.plan.points import Point

KEPT_POINTS = 16


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """The kernel on a list of realizations of a point, `interval` slices between stabilisations."""
    arrays = _uploaded(point)
    conductor = make_conductor(point, slots_of(point.system, interval), addresses(arrays[0]))
    task = Task(
        program=TRANSMISSION,
        structures=(conductor, make_frame_inputs(interval, addresses(arrays[1]))),
        workspace=transmission_workspace(conductor),
        outputs=(conductor.recorded * FIELDS, conductor.recorded * conductor.channels * point.eigenvalues),
        energies=lambda part: given_energies(point, part),
        given=conductor.slices * conductor.sites * draws_on_host(point.system),
    )
    fields, values = run(task, realizations)
    return unpack(fields, values, conductor, 1, len(realizations))


@lru_cache(maxsize=KEPT_POINTS)
def _uploaded(point: Point) -> tuple[dict[str, Any], dict[str, Any]]:
    """A point's constants in device memory."""
    return upload(conductor_arrays(point)), upload(frame_arrays(point))
