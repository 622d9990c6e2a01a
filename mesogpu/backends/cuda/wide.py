"""Wide frames on a GPU: compiled steps, and cuBLAS and cuSOLVER through CuPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import KernelOutput, conductor_arrays, given_energies, make_conductor
from mesogpu.backends.cuda.device import cuda_errors, open_device
from mesogpu.backends.cuda.launch import addresses, by_value, placement, upload
from mesogpu.backends.cuda.occupancy import threads_of, transmission_workspace
from mesogpu.backends.cuda.options import TRANSMISSION, WIDE
from mesogpu.backends.cuda.programs import kernels_of
from mesogpu.backends.kernel_inputs import frame_arrays, make_frame_inputs, slots_of
from mesogpu.backends.wide import frames
from mesogpu.backends.wide.arrays import Array, Arrays
from mesogpu.backends.wide.steps import Stretch
from mesogpu.plan.points import Point

FEWEST_ORBITALS = 128
"""Smaller matrices are too small for a library's products. By count, not by timing: to be tuned on a GPU."""

FRAME_BYTES = 32
"""Of a frame, for each square orbital."""

BATCH_BYTES = 2**27
"""Of the frames of a batch; all its arrays together are about ten times as large."""


def needs_wide_frames(point: Point, interval: int) -> bool:
    """Whether a sample is beyond the transmission kernel: nothing of its workspace fits shared memory."""
    if point.system.orbitals < FEWEST_ORBITALS:
        return False
    conductor = make_conductor(point, slots_of(point.system, interval), dict.fromkeys(conductor_arrays(point)))
    return placement(TRANSMISSION, transmission_workspace(conductor)).entry == TRANSMISSION.entries[-1]


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """Wide frames of a list of realizations of a point, in full batches.

    raises : EnvironmentFault where memory is short or a launch fails
    """
    device, orbitals = open_device(), point.system.orbitals
    arrays = Arrays(device.cupy, device.cupy.asnumpy)
    with cuda_errors(f"GPU {device.name}, {orbitals} orbitals"):
        return frames.transmit(arrays, DeviceSteps, point, interval, realizations, batch_of(orbitals))


def batch_of(orbitals: int) -> int:
    """Realizations of a batch: the number of orbitals alone decides, so that no result depends on free memory."""
    return max(1, BATCH_BYTES // (FRAME_BYTES * orbitals**2))


class DeviceSteps:
    """`wide_steps` on the GPU, a block of threads for each realization of a batch."""

    def __init__(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> None:
        cupy = open_device().cupy
        self._arrays = upload(conductor_arrays(point)), upload(frame_arrays(point))
        self._conductor = make_conductor(point, slots_of(point.system, interval), addresses(self._arrays[0]))
        self._inputs = make_frame_inputs(interval, addresses(self._arrays[1]))
        self._realizations = cupy.asarray(realizations)
        energies = given_energies(point, realizations)
        self._given = None if energies is None else cupy.asarray(np.ascontiguousarray(energies))
        numbers = self._conductor.slots * self._conductor.sites * self._conductor.record
        self._records = cupy.empty(len(realizations) * numbers)

    def cross(self, frames: Array, stretch: Stretch) -> None:
        told = [by_value(structure) for structure in (self._conductor, self._inputs, stretch)]
        arguments = (*told, np.int64(len(frames)), self._realizations, self._given, self._records, frames)
        threads = threads_of(self._conductor.sites * self._conductor.spins)
        kernels_of(WIDE).entries["wide_steps"]((len(frames),), (threads,), arguments)
