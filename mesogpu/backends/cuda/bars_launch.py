"""The Lyapunov kernel on a GPU, as a function of arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bar_inputs import CERTIFICATE, bar_arrays, bar_slots, make_bar_inputs
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import conductor_arrays, draws_on_host, given_energies, make_conductor
from mesogpu.backends.cuda.launch import Task, addresses, run, upload
from mesogpu.backends.cuda.occupancy import bar_workspace
from mesogpu.backends.cuda.options import LYAPUNOV
from mesogpu.plan.points import Point

KEPT_POINTS = 16


def follow(point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
    """The kernel on a list of bars of a point; see `mesogpu.backends.bars.Launch`."""
    arrays = _uploaded(point, ends)
    conductor = make_conductor(point, bar_slots(point, interval), addresses(arrays[0]))
    orbitals, count = point.system.orbitals, len(realizations)
    task = Task(
        program=LYAPUNOV,
        structures=(conductor, make_bar_inputs(interval, ends, addresses(arrays[1]))),
        workspace=bar_workspace(conductor),
        outputs=(len(ends) * orbitals, CERTIFICATE),
        energies=lambda part: given_energies(point, part),
        given=conductor.slices * conductor.sites * draws_on_host(point.system),
    )
    sums, certificates = run(task, realizations)
    assert certificates is not None
    spread_sum, largest = certificates.reshape(count, CERTIFICATE).T
    return BarOutput(sums.reshape(count, len(ends), orbitals).transpose(1, 0, 2), spread_sum, largest)


@lru_cache(maxsize=KEPT_POINTS)
def _uploaded(point: Point, ends: tuple[int, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A point's constants in device memory."""
    return upload(conductor_arrays(point)), upload(bar_arrays(point, ends))
