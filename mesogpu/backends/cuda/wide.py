"""Wide frames on a GPU: compiled steps, and cuBLAS and cuSOLVER through CuPy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bar_inputs import bar_slots
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import (
    ARRAYS,
    Conductor,
    KernelOutput,
    conductor_arrays,
    draws_on_host,
    given_energies,
    make_conductor,
)
from mesogpu.backends.cuda.device import cuda_errors, open_device
from mesogpu.backends.cuda.launch import GIVEN_BYTES, addresses, by_value, placement, upload
from mesogpu.backends.cuda.occupancy import Workspace, bar_workspace, threads_of, transmission_workspace
from mesogpu.backends.cuda.options import LYAPUNOV, TRANSMISSION, WIDE, Program
from mesogpu.backends.cuda.programs import kernels_of
from mesogpu.backends.kernel_inputs import slots_of
from mesogpu.backends.wide import bars, frames
from mesogpu.backends.wide.arrays import Array, Arrays
from mesogpu.backends.wide.steps import StepOrder, Stretch, entry_of, order_arrays
from mesogpu.plan.points import Point

FEWEST_ORBITALS = 128
"""Smaller matrices are too small for a library's products. By count, not by timing: to be tuned on a GPU."""

FRAME_BYTES = 32
"""Of a frame, for each square orbital."""

BATCH_BYTES = 2**27
"""Of the frames of a batch; all its arrays together are about ten times as large."""


def needs_wide_frames(point: Point, interval: int) -> bool:
    """Whether a sample is beyond the transmission kernel: nothing of its workspace fits shared memory."""
    return _is_beyond(TRANSMISSION, transmission_workspace(_conductor(point, slots_of(point.system, interval))))


def needs_wide_bars(point: Point, interval: int) -> bool:
    """The same of a bar and the Lyapunov kernel."""
    return _is_beyond(LYAPUNOV, bar_workspace(_conductor(point, bar_slots(point, interval))))


def _conductor(point: Point, slots: int) -> Conductor:
    return make_conductor(point, slots, dict.fromkeys(ARRAYS))


def _is_beyond(program: Program, workspace: Workspace) -> bool:
    return workspace.orbitals >= FEWEST_ORBITALS and placement(program, workspace).entry == program.entries[-1]


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """Wide frames of a list of realizations of a point, in full batches.

    raises : EnvironmentFault where memory is short or a launch fails
    """
    with _on_device(point) as arrays:
        return frames.transmit(arrays, DeviceSteps, point, interval, realizations, batch_of(point))


def follow(point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
    """Wide frames of a list of bars of a point, in full batches; see `mesogpu.backends.bars.Launch`.

    raises : EnvironmentFault where memory is short or a launch fails
    """
    with _on_device(point) as arrays:
        return bars.follow(arrays, DeviceSteps, point, ends, interval, realizations, batch_of(point))


@contextmanager
def _on_device(point: Point) -> Iterator[Arrays]:
    device = open_device()
    with cuda_errors(f"GPU {device.name}, {point.system.orbitals} orbitals"):
        yield Arrays(device.cupy, device.cupy.asnumpy)


def batch_of(point: Point) -> int:
    """Realizations of a batch: the point alone decides, so that no result depends on free memory."""
    system = point.system
    most = BATCH_BYTES // (FRAME_BYTES * system.orbitals**2)
    if draws_on_host(system):
        most = min(most, GIVEN_BYTES // (8 * point.slices * system.lattice.sites))
    return max(1, most)


class DeviceSteps:
    """The steps on the GPU, a block of threads for each realization of a batch."""

    def __init__(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> None:
        cupy = open_device().cupy
        self._arrays = upload(conductor_arrays(point)), upload(order_arrays(point))
        self.conductor = make_conductor(point, slots_of(point.system, interval), addresses(self._arrays[0]))
        self._order = StepOrder(**addresses(self._arrays[1]))
        self._realizations = cupy.asarray(realizations)
        energies = given_energies(point, realizations)
        self._given = None if energies is None else cupy.asarray(np.ascontiguousarray(energies))
        numbers = self.conductor.slots * self.conductor.sites * self.conductor.record
        self._records = cupy.empty(len(realizations) * numbers)

    def cross(self, frames: Array, stretch: Stretch) -> None:
        told = [by_value(structure) for structure in (self.conductor, self._order, stretch)]
        arguments = (*told, np.int64(len(frames)), self._realizations, self._given, self._records, frames)
        threads = threads_of(self.conductor.sites * self.conductor.spins)
        kernels_of(WIDE).entries[entry_of(frames)]((len(frames),), (threads,), arguments)
