"""Launches of a kernel on a GPU: its workspace placed, realizations split where memory is short, results fetched."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.cuda.device import Device, cuda_errors, open_device
from mesogpu.backends.cuda.occupancy import Placement, Workspace, place
from mesogpu.backends.cuda.options import Program
from mesogpu.backends.cuda.programs import kernels_of
from mesogpu.errors import EnvironmentFault

DOUBLE = 8

WORKSPACE_SHARE = 0.5
RESULTS_SHARE = 0.25
"""Of the free device memory, at most so much for workspaces, and for what one launch is given and gives back."""

GIVEN_BYTES = 2**28
"""Where the host draws energies, at most so many bytes of them for one launch."""

WHOLE_CARVEOUT = 100
"""Percent of a multiprocessor's fast memory that serve as shared memory rather than as cache."""

Energies = Callable[[NDArray[np.uint32]], NDArray[np.float64] | None]
"""What the host gives of the onsite energies of realizations, (R, slices, sites) float64, units of t; None: nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """All of a launch but its realizations.

    program    : the kernel
    structures : what it is told, the pointers in device memory
    workspace  : what one realization is worked out in
    outputs    : numbers a realization of each result; 0 where it is not asked for
    energies   : what the host gives
    given      : numbers of them a realization; 0 where there are none
    """

    program: Program
    structures: tuple[ctypes.Structure, ctypes.Structure]
    workspace: Workspace
    outputs: tuple[int, int]
    energies: Energies
    given: int


Results = tuple[NDArray[np.float64], NDArray[np.float64] | None]
"""Both results of all realizations, one after the other; None for the second where it was not asked for."""


def run(task: Task, realizations: NDArray[np.uint32]) -> Results:
    """The kernel on a list of realizations: one launch, or as few as the memory allows.

    raises : EnvironmentFault where memory is short or a launch fails
    """
    device = open_device()
    with cuda_errors(f"GPU {device.name}, {task.workspace.orbitals} orbitals"):
        most = _realizations_a_launch(device, task)
        parts = [
            _launch(device, task, realizations[first : first + most]) for first in range(0, len(realizations), most)
        ]
    second = np.concatenate([part[1] for part in parts]) if task.outputs[1] else None
    return np.concatenate([part[0] for part in parts]), second


def upload(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Arrays in device memory."""
    cupy = open_device().cupy
    return {name: cupy.asarray(array) for name, array in arrays.items()}


def addresses(arrays: Mapping[str, Any]) -> dict[str, int]:
    """Where arrays in device memory begin."""
    return {name: array.data.ptr for name, array in arrays.items()}


def placement(program: Program, workspace: Workspace) -> Placement:
    """How launches with such a workspace are laid out on this device."""
    return place(program.entries, workspace, open_device().limits, kernels_of(program).registers)


def _realizations_a_launch(device: Device, task: Task) -> int:
    each, free = DOUBLE * (sum(task.outputs) + task.given), device.free_bytes()
    most: int = int(RESULTS_SHARE * free) // each
    if most == 0:
        raise EnvironmentFault(
            f"GPU {device.name}: the results of one realization take {each} bytes, of {free} that are free; "
            "record fewer lengths, or end other programs on this GPU"
        )
    return min(most, max(1, GIVEN_BYTES // (DOUBLE * task.given))) if task.given else most


def _launch(device: Device, task: Task, realizations: NDArray[np.uint32]) -> tuple[Any, Any]:
    """One launch; blocks stay and take one realization after the other, so that few workspaces serve them all."""
    cupy = device.cupy
    layout = placement(task.program, task.workspace)
    blocks = min(len(realizations), layout.blocks * device.multiprocessors)
    if layout.global_bytes:
        free = device.free_bytes()
        blocks = min(blocks, int(WORKSPACE_SHARE * free) // layout.global_bytes)
        if blocks == 0:
            raise EnvironmentFault(
                f"GPU {device.name}: the workspace of {task.workspace.orbitals} orbitals takes {layout.global_bytes} "
                f"bytes, more than {WORKSPACE_SHARE:.0%} of the {free} that are free; end other programs on this GPU, "
                "or use --backend native"
            )
    entry = kernels_of(task.program).entries[layout.entry]
    if layout.shared:
        entry.max_dynamic_shared_size_bytes = layout.shared
        entry.preferred_shared_memory_carveout = WHOLE_CARVEOUT
    workspace = cupy.empty(blocks * layout.global_bytes // DOUBLE) if layout.global_bytes else None
    outputs = [cupy.empty(len(realizations) * numbers) if numbers else None for numbers in task.outputs]
    energies = task.energies(realizations)
    given = None if energies is None else cupy.asarray(energies)
    told = [by_value(structure) for structure in task.structures]
    arguments = (*told, np.int64(len(realizations)), cupy.asarray(realizations), given, workspace, *outputs)
    entry((blocks,), (layout.threads,), arguments, shared_mem=layout.shared)
    first, second = (None if output is None else cupy.asnumpy(output) for output in outputs)
    return first, second


def by_value(structure: ctypes.Structure) -> NDArray[np.void]:
    """A structure as CuPy passes one: a single number of as many bytes."""
    content = bytes(structure)
    return np.frombuffer(content, dtype=np.dtype((np.void, len(content))))
