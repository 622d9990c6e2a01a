"""Wide frames on an emulated GPU: NumPy does what CuPy would do, threads of this process the steps."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from emulated_cupy import Machine, emulated_cupy
from models import correlated, point, rashba, strip
from threadpoolctl import threadpool_limits

from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.cuda import cubin, device, programs, wide
from mesogpu.backends.cuda.occupancy import PUBLISHED
from mesogpu.backends.cuda.options import WIDE
from mesogpu.backends.native import compiler
from mesogpu.backends.native import wide as native
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable, EnvironmentFault

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

CREATE = ("asarray", "ascontiguousarray", "empty", "ones", "tile", "zeros")


class DeviceArray(np.ndarray):
    """A NumPy array with CuPy's way to its memory."""

    @property
    def data(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(ptr=self.ctypes.data)


class EmulatedCupy(ModuleType):
    """What `emulated_cupy` has of a device, and NumPy for the rest."""

    def __init__(self, machine: Machine, library: ctypes.CDLL) -> None:
        super().__init__("cupy")
        base = emulated_cupy(machine, {})
        self.__spec__, self.cuda = base.__spec__, base.cuda
        self.get_default_memory_pool, self.library = base.get_default_memory_pool, library
        self.launches: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, {"asnumpy": "asarray"}.get(name, name))
        if name not in CREATE:
            return found
        return lambda *arguments, **options: found(*arguments, **options).view(DeviceArray)

    def RawModule(self, **_: Any) -> Any:  # noqa: N802
        return self

    def get_function(self, name: str) -> Any:
        return SimpleNamespace(num_regs=200) if name != "wide_steps" else WideSteps(self)


class WideSteps:
    """The kernel's entry, on two blocks of three threads whatever the launch asks for."""

    num_regs = 200

    def __init__(self, cupy: EmulatedCupy) -> None:
        self._cupy = cupy

    def __call__(self, grid: tuple[int], block: tuple[int], arguments: tuple) -> None:
        *structures, count, realizations, given, records, frames = arguments
        assert frames.flags.c_contiguous
        assert frames.dtype == np.complex128
        self._cupy.launches.append((*grid, *block))
        arrays = (realizations, given, records, frames)
        self._cupy.library.wide_launch(
            *(2, 3),
            *(structure.ctypes.data_as(ctypes.c_void_p) for structure in structures),
            ctypes.c_int64(int(count)),
            *(None if array is None else ctypes.c_void_p(array.data.ptr) for array in arrays),
        )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built: Path = tmp_path_factory.mktemp("device") / "wide.so"
    flags = ("-std=c++17", "-O2", "-shared", "-fPIC", "-pthread", "-Wno-unknown-pragmas")
    source = kernel_folder() / "race_check_wide.cpp"
    subprocess.run([compiler.find_compiler().path, *flags, "-x", "c++", str(source), "-o", str(built)], check=True)
    return ctypes.CDLL(str(built))


@pytest.fixture
def cupy(library: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedCupy]:
    caches = (device.open_device, programs.kernels_of)
    emulated = EmulatedCupy(Machine(), library)
    monkeypatch.setitem(sys.modules, "cupy", emulated)
    for cached in caches:
        cached.cache_clear()
    with threadpool_limits(1):
        yield emulated
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize("system", [strip(30, flux=0.01), rashba(17), correlated(31)], ids=["flux", "rashba", "given"])
def test_wide_frames_on_a_gpu_are_those_of_the_host(cupy, monkeypatch, system):
    # Seen to fail with the host's energies in another order than the kernel's, and with a last batch left short.
    monkeypatch.setattr(wide, "BATCH_BYTES", 3 * wide.FRAME_BYTES * system.orbitals**2)
    sample, realizations = point(system, (4, 13)), np.array([7, 8, 9, 10, 1000], dtype=np.uint32)
    ours, theirs = wide.transmit(sample, 5, realizations), native.transmit(sample, 5, realizations)
    np.testing.assert_array_equal(ours.exponent, theirs.exponent)
    for field in fields(KernelOutput):
        one, other = getattr(ours, field.name), getattr(theirs, field.name)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10, err_msg=field.name)
    assert cupy.launches == [(3, 128)] * (2 * (1 + 2))


@pytest.mark.usefixtures("cupy")
def test_a_batch_is_always_full_so_that_any_split_gives_the_same_bytes(monkeypatch):
    sample = point(strip(12), (7,))
    assert wide.batch_of(128) == 256
    assert wide.batch_of(10**6) == 1
    counts = []
    monkeypatch.setattr(wide, "BATCH_BYTES", 4 * wide.FRAME_BYTES * 12**2)
    original = wide.DeviceSteps.__init__
    monkeypatch.setattr(wide.DeviceSteps, "__init__", lambda *told: counts.append(len(told[3])) or original(*told))
    whole = wide.transmit(sample, 3, np.arange(10, dtype=np.uint32))
    part = wide.transmit(sample, 3, np.arange(5, 7, dtype=np.uint32))
    assert counts == [4, 4, 4, 4]
    for field in fields(KernelOutput):
        assert getattr(part, field.name).tobytes() == getattr(whole, field.name)[:, 5:7].tobytes(), field.name


@pytest.mark.usefixtures("cupy")
def test_wide_frames_are_for_what_the_kernel_has_no_shared_memory_for():
    assert not wide.needs_wide_frames(point(strip(40), (5,)), 4)
    assert not wide.needs_wide_frames(point(strip(127), (5,)), 4)
    assert wide.needs_wide_frames(point(strip(128), (5,)), 4)
    assert wide.needs_wide_frames(point(rashba(64), (5,)), 4)


@pytest.mark.parametrize("architecture", sorted(PUBLISHED))
def test_the_steps_compile_for_each_architecture_without_spills(architecture):
    # Seen to fail with __launch_bounds__(1024).
    try:
        cubin.nvrtc_version()
    except EnvironmentFault as missing:
        pytest.skip(f"{missing}")
    found = cubin.compile_cubin(WIDE.source, architecture)
    (entry,) = found.entries
    assert (entry.name,) == WIDE.entries
    assert (entry.spilled, entry.stack, entry.static_shared) == (0, 0, 0)
    assert "warning" not in found.log


def test_short_memory_is_an_error_that_says_so(cupy, monkeypatch):
    def full(*_: Any) -> None:
        raise cupy.cuda.memory.OutOfMemoryError("Out of memory allocating 1 byte")

    monkeypatch.setattr(wide.DeviceSteps, "cross", full)
    with pytest.raises(EnvironmentFault, match="12 orbitals: device memory is short"):
        wide.transmit(point(strip(12), (7,)), 3, np.arange(2, dtype=np.uint32))
