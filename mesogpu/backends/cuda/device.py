"""The GPU of this process through CuPy, which is imported here when asked for; and all that can be missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from mesogpu.backends.cuda.occupancy import Limits
from mesogpu.errors import BackendUnavailable, EnvironmentFault

EXTRAS = {12: "mesogpu[cuda12]", 13: "mesogpu[cuda13]"}
"""What to install for a driver that supports this major version of CUDA."""

NEWEST_CUDA = max(EXTRAS)
MAJOR = 1000
"""CUDA writes version 13.2 as 13020."""

OLDEST_ARCHITECTURE = 75

# enum cudaDeviceAttr of the CUDA runtime
THREADS_PER_MULTIPROCESSOR = 39
MULTIPROCESSORS = 16
COMPUTE_CAPABILITY_MAJOR = 75
COMPUTE_CAPABILITY_MINOR = 76
SHARED_PER_MULTIPROCESSOR = 81
REGISTERS_PER_MULTIPROCESSOR = 82
SHARED_PER_BLOCK_AT_MOST = 97
BLOCKS_PER_MULTIPROCESSOR = 106

CUDA_NO_DEVICE = 100


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU that can be used.

    cupy            : the module
    name            : as the driver calls it
    architecture    : 90 for sm_90
    multiprocessors : how many it has
    limits          : what each of them offers
    driver          : newest CUDA version that the driver supports, such as "13.0"
    """

    cupy: Any
    name: str
    architecture: int
    multiprocessors: int
    limits: Limits
    driver: str

    def free_bytes(self) -> int:
        """Device memory that this process can still have: the driver's, and what CuPy's pool keeps for it."""
        free, _ = self.cupy.cuda.runtime.memGetInfo()
        return int(free) + int(self.cupy.get_default_memory_pool().free_bytes())


@cache
def open_device() -> Device:
    """The first GPU that CUDA shows to this process (CUDA_VISIBLE_DEVICES decides).

    raises : BackendUnavailable, saying what is missing and how to get it
    """
    cupy = _import_cupy()
    runtime = cupy.cuda.runtime
    driver = _usable_driver(runtime)
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        if error.status != CUDA_NO_DEVICE:
            raise BackendUnavailable(
                f"GPU: CUDA does not start: {error}; nvidia-smi shows the state of the driver"
            ) from error
        count = 0
    if count == 0:
        raise BackendUnavailable(
            "GPU: the driver shows none to this process; look at nvidia-smi, at CUDA_VISIBLE_DEVICES, "
            "and in a container at --gpus"
        )
    return _describe(cupy, driver)


def _import_cupy() -> Any:
    if importlib.util.find_spec("cupy") is None:
        raise BackendUnavailable(f"CuPy: not installed; pip install '{EXTRAS[NEWEST_CUDA]}'")
    try:
        import cupy
    except ImportError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackendUnavailable(
            f"CuPy: does not import ({reason}); reinstall it: pip install '{EXTRAS[NEWEST_CUDA]}'"
        ) from error
    return cupy


def _usable_driver(runtime: Any) -> str:
    """The driver's CUDA version, "13.0"; it must be of CuPy's major version, or newer."""
    driver, needed = int(runtime.driverGetVersion()), int(runtime.runtimeGetVersion())
    if driver == 0:
        raise BackendUnavailable("NVIDIA driver: none found; install one (nvidia-smi lists the GPUs once it works)")
    version = f"{driver // MAJOR}.{driver % MAJOR // 10}"
    if driver // MAJOR < needed // MAJOR:
        extra = EXTRAS.get(driver // MAJOR)
        other = f", or pip uninstall this CuPy and pip install '{extra}'" if extra else ""
        raise BackendUnavailable(
            f"NVIDIA driver: too old: it supports CUDA {version}, CuPy needs {needed // MAJOR}.0; update it{other}"
        )
    return version


def _describe(cupy: Any, driver: str) -> Device:
    runtime = cupy.cuda.runtime

    def attribute(number: int) -> int:
        return int(runtime.deviceGetAttribute(number, 0))

    with cuda_errors("GPU 0", BackendUnavailable):
        name = runtime.getDeviceProperties(0)["name"]
        architecture = 10 * attribute(COMPUTE_CAPABILITY_MAJOR) + attribute(COMPUTE_CAPABILITY_MINOR)
        limits = Limits(
            registers=attribute(REGISTERS_PER_MULTIPROCESSOR),
            warps=attribute(THREADS_PER_MULTIPROCESSOR) // 32,
            blocks=attribute(BLOCKS_PER_MULTIPROCESSOR),
            shared=attribute(SHARED_PER_MULTIPROCESSOR),
            shared_block=attribute(SHARED_PER_BLOCK_AT_MOST),
        )
        multiprocessors = attribute(MULTIPROCESSORS)
    name = name.decode() if isinstance(name, bytes) else str(name)
    if architecture < OLDEST_ARCHITECTURE:
        raise BackendUnavailable(
            f"GPU {name}: compute capability {architecture / 10}, the kernels need {OLDEST_ARCHITECTURE / 10}; "
            "use --backend native"
        )
    return Device(cupy, name, architecture, multiprocessors, limits, driver)


@contextmanager
def cuda_errors(what: str, kind: type[EnvironmentFault] = EnvironmentFault) -> Iterator[None]:
    """Turn what CUDA and CuPy raise inside into errors that say what to do.

    what   : the subject of the message
    raises : `kind`
    """
    import cupy

    try:
        yield
    except cupy.cuda.memory.OutOfMemoryError as error:
        raise kind(
            f"{what}: device memory is short: {error}; end other programs on this GPU (nvidia-smi lists them), "
            "or use --backend native"
        ) from error
    except (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError) as error:
        raise kind(
            f"{what}: {error}; what was committed is kept: run the same command again in a fresh process; "
            "if it comes back, look at nvidia-smi, or use --backend native"
        ) from error
