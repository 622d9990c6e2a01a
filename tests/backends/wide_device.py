"""Steps of wide frames as a GPU takes them, by one thread of this process."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np

from mesogpu.backends.native import compiler, wide
from mesogpu.backends.sources import kernel_folder
from mesogpu.backends.wide.steps import Stretch, entry_of
from mesogpu.plan import Point

FLAGS = ("-std=c++17", "-O2", "-shared", "-fPIC", "-pthread", "-Wno-unknown-pragmas")


def device_library(folder: Path) -> ctypes.CDLL:
    """The steps as blocks of threads of this process, compiled into a folder."""
    library = folder / "wide.so"
    source = kernel_folder() / "race_check_wide.cpp"
    subprocess.run([compiler.find_compiler().path, *FLAGS, "-x", "c++", str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def device_steps(folder: Path) -> type[wide.HostSteps]:
    """Steps of a batch in one launch, with NumPy for the memory of a GPU."""
    blocks_of_threads = device_library(folder)

    class DeviceSteps(wide.HostSteps):
        def __init__(self, sample: Point, interval: int, realizations: np.ndarray) -> None:
            super().__init__(sample, interval, realizations)
            conductor = self.conductor
            self._drawn = np.full((len(realizations), conductor.slots * conductor.sites * conductor.record), np.nan)
            self._numbers = np.array(realizations)
            energies = wide.given_energies(sample, realizations)
            self._energies = None if energies is None else np.ascontiguousarray(energies)

        def cross(self, frames: np.ndarray, stretch: Stretch) -> None:
            blocks_of_threads.wide_launch(
                entry_of(frames).removeprefix("wide_").encode(),
                *(1, 1),
                ctypes.byref(self.conductor),
                ctypes.byref(self._order),
                ctypes.byref(stretch),
                ctypes.c_int64(len(frames)),
                *(wide.pointer(array) for array in (self._numbers, self._energies, self._drawn, frames)),
            )

    return DeviceSteps
