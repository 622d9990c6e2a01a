"""Wide frames on an emulated GPU: NumPy does what CuPy would do, threads of this process the steps."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from emulated_cupy import Machine, emulated_cupy
from models import bar, correlated, point, rashba, strip
from threadpoolctl import threadpool_limits
from wide_device import device_library

from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.cuda import cubin, device, programs, wide
from mesogpu.backends.cuda.backend import CudaBackend
from mesogpu.backends.cuda.occupancy import PUBLISHED
from mesogpu.backends.cuda.options import WIDE
from mesogpu.backends.native import compiler
from mesogpu.backends.native import wide as native
from mesogpu.config.experiment import Bars
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
        self.numbers: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, {"asnumpy": "asarray"}.get(name, name))
        if name not in CREATE:
            return found
        return lambda *arguments, **options: found(*arguments, **options).view(DeviceArray)

    def RawModule(self, **_: Any) -> Any:  # noqa: N802
        return self

    def get_function(self, name: str) -> Any:
        return WideSteps(self, name) if name.startswith("wide_") else SimpleNamespace(num_regs=200)


class WideSteps:
    """An entry of the kernel, on two blocks of three threads whatever the launch asks for."""

    num_regs = 200

    def __init__(self, cupy: EmulatedCupy, name: str) -> None:
        self._cupy, self._name = cupy, name.removeprefix("wide_")

    def __call__(self, grid: tuple[int], block: tuple[int], arguments: tuple) -> None:
        *structures, count, realizations, given, records, frames = arguments
        assert frames.flags.c_contiguous
        assert frames.dtype == {"complex": np.complex128, "real": np.float64}[self._name]
        self._cupy.launches.append((*grid, *block))
        self._cupy.numbers.add(self._name)
        arrays = (realizations, given, records, frames)
        self._cupy.library.wide_launch(
            self._name.encode(),
            *(2, 3),
            *(structure.ctypes.data_as(ctypes.c_void_p) for structure in structures),
            ctypes.c_int64(int(count)),
            *(None if array is None else ctypes.c_void_p(array.data.ptr) for array in arrays),
        )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return device_library(tmp_path_factory.mktemp("device"))


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
    assert wide.batch_of(point(strip(128), (7,))) == 256
    assert wide.batch_of(point(strip(4096), (7,))) == 1
    assert wide.batch_of(point(correlated(16), (10**6,))) == 2
    counts = []
    monkeypatch.setattr(wide, "BATCH_BYTES", 4 * wide.FRAME_BYTES * 12**2)
    original = wide.DeviceSteps.__init__
    monkeypatch.setattr(wide.DeviceSteps, "__init__", lambda *told: counts.append(len(told[3])) or original(*told))
    whole = wide.transmit(sample, 3, np.arange(10, dtype=np.uint32))
    part = wide.transmit(sample, 3, np.arange(5, 7, dtype=np.uint32))
    assert counts == [4, 4, 4, 4]
    for field in fields(KernelOutput):
        assert getattr(part, field.name).tobytes() == getattr(whole, field.name)[:, 5:7].tobytes(), field.name


@pytest.mark.parametrize(
    ("system", "numbers"),
    [(bar(3, 4), "real"), (strip(11, flux=0.01), "complex"), (correlated(9), "real")],
    ids=["bar", "flux", "given"],
)
def test_wide_bars_on_a_gpu_are_those_of_the_host(cupy, monkeypatch, system, numbers):
    # Seen to fail with complex frames for all.
    monkeypatch.setattr(wide, "BATCH_BYTES", 3 * wide.FRAME_BYTES * system.orbitals**2)
    sample, ends = replace(point(system, (13,)), bars=Bars(13, 0, None)), (6, 13)
    realizations = np.array([7, 8, 9, 1000], dtype=np.uint32)
    ours, theirs = (way.follow(sample, ends, 4, realizations) for way in (wide, native))
    for field in fields(BarOutput):
        one, other = getattr(ours, field.name), getattr(theirs, field.name)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10, err_msg=field.name)
    assert cupy.launches == [(3, 32)] * (2 * (2 + 2))
    assert cupy.numbers == {numbers}


@pytest.mark.usefixtures("cupy")
def test_the_backend_follows_wide_bars_by_products_of_the_library(monkeypatch):
    # Seen to fail with the kernel for any bar.
    asked = []
    monkeypatch.setattr(wide, "follow", lambda *told: asked.append(told[0].system.orbitals) or native.follow(*told))
    sample = replace(point(bar(11, 12, periodic=(True, True)), (4,)), bars=Bars(4, 0, 1))
    CudaBackend().follow(sample, (4,), 2, np.arange(2, dtype=np.uint32))
    assert asked == [132]
    assert not wide.needs_wide_bars(replace(sample, system=bar(9, 10)), 2)


@pytest.mark.usefixtures("cupy")
def test_wide_frames_are_for_what_the_kernel_has_no_shared_memory_for():
    assert not wide.needs_wide_frames(point(strip(40), (5,)), 4)
    assert not wide.needs_wide_frames(point(strip(127), (5,)), 4)
    assert wide.needs_wide_frames(point(strip(128), (5,)), 4)
    assert wide.needs_wide_frames(point(rashba(64), (5,)), 4)


@pytest.mark.parametrize(
    "architecture", [pytest.param(each, marks=pytest.mark.slow if each != 90 else ()) for each in sorted(PUBLISHED)]
)
def test_the_steps_compile_for_each_architecture_without_spills(architecture):
    # Seen to fail with __launch_bounds__(1024).
    try:
        cubin.nvrtc_version()
    except EnvironmentFault as missing:
        pytest.skip(f"{missing}")
    found = cubin.compile_cubin(WIDE.source, architecture)
    assert [entry.name for entry in found.entries] == sorted(WIDE.entries)
    for entry in found.entries:
        assert (entry.spilled, entry.stack, entry.static_shared) == (0, 0, 0), entry
    assert "warning" not in found.log


def test_short_memory_is_an_error_that_says_so(cupy, monkeypatch):
    def full(*_: Any) -> None:
        raise cupy.cuda.memory.OutOfMemoryError("Out of memory allocating 1 byte")

    monkeypatch.setattr(wide.DeviceSteps, "cross", full)
    with pytest.raises(EnvironmentFault, match="12 orbitals: device memory is short"):
        wide.transmit(point(strip(12), (7,)), 3, np.arange(2, dtype=np.uint32))
