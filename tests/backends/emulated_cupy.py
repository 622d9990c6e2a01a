"""As much of CuPy as the cuda backend uses, on a device of ordinary threads: the launches' own code runs without a GPU.

The kernels are those of CUDA (blocks of threads, barriers, shared memory of just the size asked for), compiled by the
host compiler from kernels/race_check*.cpp. What it cannot show: speed, and anything about a driver.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np

from mesogpu.backends.cuda import device
from mesogpu.backends.native.compiler import find_compiler
from mesogpu.backends.sources import kernel_folder

SOURCES = {
    "transmission": "race_check.cpp",
    "greens_function": "race_check_greens.cpp",
    "lyapunov": "race_check_bars.cpp",
}
"""By kernel, what makes a library of it."""

LAUNCHES = {"transmission": "transmission_launch", "greens_function": "greens_launch", "lyapunov": "bars_launch"}
"""What a launch is called there."""

STATIC_LIMIT = 48 * 1024
"""Shared memory that a block may have without asking for more first."""


class CudaRuntimeError(RuntimeError):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class OutOfMemoryError(MemoryError):
    """As CuPy's, named after it."""


class CompileException(Exception):
    """As CuPy's, named after it."""


class DriverError(RuntimeError):
    """As CuPy's, named after it."""


class DeviceArray:
    def __init__(self, values: np.ndarray) -> None:
        self.values = np.ascontiguousarray(values)
        self.data = SimpleNamespace(ptr=self.values.ctypes.data)

    def __len__(self) -> int:
        return len(self.values)


@dataclass
class Machine:
    """What the emulated machine has and what happened on it; tests change it.

    shared_block : bytes of shared memory a block may have
    registers    : 32-bit registers a thread of any entry
    free         : bytes of free memory
    launches     : (entry, blocks, threads, shared bytes, realizations) of each launch
    uploads      : arrays copied to the device
    """

    driver: int = 13000
    runtime: int = 13000
    devices: int = 1
    architecture: int = 90
    shared_block: int = 227 * 1024
    registers: int = 200
    free: int = 2**30
    launches: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    uploads: int = 0
    launch_fault: Exception | None = None
    compile_fault: Exception | None = None


def compile_device(folder: Path, kernel: str = "transmission") -> ctypes.CDLL:
    """A kernel's blocks of threads as a library."""
    source, library = kernel_folder() / SOURCES[kernel], folder / f"{kernel}.so"
    flags = ("-std=c++17", "-O2", "-shared", "-fPIC", "-pthread", "-Wno-unknown-pragmas")
    subprocess.run([find_compiler().path, *flags, "-x", "c++", str(source), "-o", str(library)], check=True)
    loaded = ctypes.CDLL(str(library))
    getattr(loaded, LAUNCHES[kernel]).restype = ctypes.c_int
    return loaded


class Entry:
    """A kernel's entry, as CuPy's RawKernel."""

    max_dynamic_shared_size_bytes = STATIC_LIMIT
    preferred_shared_memory_carveout = -1

    def __init__(self, machine: Machine, libraries: Mapping[str, ctypes.CDLL], name: str) -> None:
        kernel, self._name = name.rsplit("_", 1)
        self._machine, self._launch = machine, getattr(libraries[kernel], LAUNCHES[kernel])
        self.num_regs = machine.registers

    def __call__(self, grid: tuple[int], block: tuple[int], arguments: tuple, *, shared_mem: int) -> None:
        if self._machine.launch_fault is not None:
            raise self._machine.launch_fault
        assert shared_mem <= min(self._machine.shared_block, self.max_dynamic_shared_size_bytes)
        *structures, count, drawn, given, workspace, first, second = arguments
        assert [structure.size for structure in structures] == [1, 1]
        self._machine.launches.append((self._name, *grid, *block, shared_mem, int(count)))
        status = self._launch(
            self._name.encode(),
            *grid,
            *block,
            ctypes.c_int64(shared_mem // 8),
            *(structure.ctypes.data_as(ctypes.c_void_p) for structure in structures),
            ctypes.c_int64(int(count)),
            *(None if a is None else ctypes.c_void_p(a.data.ptr) for a in (drawn, given, workspace, first, second)),
        )
        assert status == 0


def emulated_cupy(machine: Machine, libraries: Mapping[str, ctypes.CDLL]) -> ModuleType:
    """A module to stand in `sys.modules` as cupy; libraries: by kernel."""
    attributes = {
        device.THREADS_PER_MULTIPROCESSOR: 2048,
        device.MULTIPROCESSORS: 2,
        device.COMPUTE_CAPABILITY_MAJOR: machine.architecture // 10,
        device.COMPUTE_CAPABILITY_MINOR: machine.architecture % 10,
        device.SHARED_PER_MULTIPROCESSOR: 228 * 1024,
        device.REGISTERS_PER_MULTIPROCESSOR: 65536,
        device.SHARED_PER_BLOCK_AT_MOST: machine.shared_block,
        device.BLOCKS_PER_MULTIPROCESSOR: 2,
    }

    def count_devices() -> int:
        if machine.devices == 0:
            raise CudaRuntimeError(device.CUDA_NO_DEVICE, "cudaErrorNoDevice")
        return machine.devices

    def allocate(count: int) -> DeviceArray:
        if 8 * count > machine.free:
            raise OutOfMemoryError(f"Out of memory allocating {8 * count:,} bytes")
        return DeviceArray(np.full(count, np.nan))

    def upload(values: np.ndarray) -> DeviceArray:
        machine.uploads += 1
        return DeviceArray(values)

    class Module:
        def __init__(self, *, code: str, options: tuple[str, ...], backend: str) -> None:
            assert any(f"{kernel}_shared" in code for kernel in SOURCES)
            assert any(option.startswith("-DMESOGPU_SOURCE_DIGEST=") for option in options)
            assert backend == "nvrtc"

        def get_function(self, name: str) -> Entry:
            if machine.compile_fault is not None:
                raise machine.compile_fault
            return Entry(machine, libraries, name)

    module = ModuleType("cupy")
    module.__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    module.asarray, module.empty, module.asnumpy, module.RawModule = upload, allocate, lambda a: a.values, Module
    module.get_default_memory_pool = lambda: SimpleNamespace(free_bytes=lambda: 0)
    module.cuda = SimpleNamespace(
        runtime=SimpleNamespace(
            CUDARuntimeError=CudaRuntimeError,
            driverGetVersion=lambda: machine.driver,
            runtimeGetVersion=lambda: machine.runtime,
            getDeviceCount=count_devices,
            getDeviceProperties=lambda _: {"name": b"Emulated GPU"},
            deviceGetAttribute=lambda number, _: attributes[number],
            memGetInfo=lambda: (machine.free, 2**30),
        ),
        driver=SimpleNamespace(CUDADriverError=DriverError),
        memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        compiler=SimpleNamespace(CompileException=CompileException),
        nvrtc=SimpleNamespace(getVersion=lambda: (13, 0)),
        cublas=SimpleNamespace(getVersion=lambda _: 130200),
        device=SimpleNamespace(get_cublas_handle=lambda: 0),
    )
    return module
