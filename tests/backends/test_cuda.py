"""The cuda backend against the native one, and against itself in any company; what is missing or runs short, it says.

Each claim about results is tested on an emulated device (see emulated_cupy.py) and, with `-m gpu`, on the GPU of this
machine. Without one those skip; MESOGPU_REQUIRE_GPU=1 makes that a failure.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from emulated_cupy import SOURCES, CompileException, CudaRuntimeError, Machine, compile_device, emulated_cupy
from models import NAMED, armchair, block, correlated, point, random_flux, random_point, rashba, strip, vacancies

from mesogpu.backends import frame_samples, select
from mesogpu.backends.conductor import ARRAYS, make_conductor
from mesogpu.backends.cuda import bars_launch, device, greens_launch, launch, programs, transmission_launch
from mesogpu.backends.cuda.backend import CudaBackend
from mesogpu.backends.cuda.occupancy import transmission_workspace
from mesogpu.backends.cuda.options import TRANSMISSION
from mesogpu.backends.frame_samples import FrameSamples
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.native.compiler import find_compiler
from mesogpu.backends.select import choice_reason, select_backend
from mesogpu.config.experiment import Bars
from mesogpu.errors import BackendUnavailable, EnvironmentFault
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Uniform
from mesogpu.plan import Block, Status

try:
    find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

CACHES = (
    device.open_device,
    programs.kernels_of,
    transmission_launch._uploaded,
    greens_launch._uploaded,
    bars_launch._uploaded,
    select._fastest,
    select.select_backend,
)


def forget() -> None:
    for cached in CACHES:
        cached.cache_clear()


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("emulated")
    return {kernel: compile_device(folder, kernel) for kernel in SOURCES}


@pytest.fixture
def emulate(libraries, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Machine], Machine]]:
    """Makes a machine the one that CuPy finds."""

    def start(machine: Machine) -> Machine:
        monkeypatch.setitem(sys.modules, "cupy", emulated_cupy(machine, libraries))
        forget()
        return machine

    yield start
    forget()


@pytest.fixture(params=["emulated", pytest.param("gpu", marks=pytest.mark.gpu)])
def cuda(request: pytest.FixtureRequest, emulate) -> CudaBackend:
    if request.param == "emulated":
        emulate(Machine())
        return CudaBackend()
    forget()
    try:
        return CudaBackend()
    except BackendUnavailable as missing:
        if os.environ.get("MESOGPU_REQUIRE_GPU") == "1":
            pytest.fail(f"MESOGPU_REQUIRE_GPU=1, but {missing}")
        pytest.skip(f"{missing}")


def size(cuda: CudaBackend, emulated: int, gpu: int) -> int:
    """How much to compute: threads that emulate a GPU are slow."""
    return emulated if cuda.device_name == "Emulated GPU" else gpu


def assert_agree(cuda: CudaBackend, sample: Block) -> None:
    (computed,), (expected,) = cuda.run([sample]), NativeBackend().run([sample])
    found, logarithm = computed.arrays["log_conductance"], expected.arrays["log_conductance"]
    conducting = np.isfinite(logarithm)
    np.testing.assert_array_equal(np.isfinite(found), conducting)
    difference, bound = np.abs(found[conducting] - logarithm[conducting]), np.abs(1e-11 * logarithm[conducting])
    assert np.all(difference <= np.maximum(1e-8, bound)), sample
    for name in ("transmission_eigenvalues", "shot_noise", "conductance"):
        np.testing.assert_allclose(computed.arrays[name], expected.arrays[name], rtol=0, atol=1e-9, err_msg=name)
    np.testing.assert_array_equal(computed.arrays["status"], expected.arrays["status"])


def test_the_run_log_hears_of_the_gpu_and_its_driver(cuda: CudaBackend) -> None:
    # Seen to fail with the processor alone.
    assert cuda.machine["gpu"] == cuda.device_name
    assert cuda.machine["driver"].startswith("CUDA ")
    assert cuda.machine["processor"]


def test_random_samples_agree_with_the_native_backend(cuda):
    # Seen to fail with T_n written to the neighbouring realization.
    generator = np.random.default_rng(20261121)
    for _ in range(size(cuda, 10, 200)):
        lengths, width = size(cuda, 12, 300), size(cuda, 6, 80)
        drawn = random_point(generator, max_width=width, max_length=lengths)
        assert_agree(cuda, Block(drawn, 0, int(generator.integers(1000)), 5))


@pytest.mark.parametrize("law", [Uniform(2.0), Gaussian(0.5), Cauchy(0.1), Binary((-0.5, 0.5), 0.3)])
def test_every_law_agrees_with_the_native_backend(cuda, law):
    assert_agree(cuda, block(strip(6, laws=(law,)), (10, 25), count=8))


@pytest.mark.parametrize("name", NAMED)
def test_every_model_agrees_with_the_native_backend(cuda, name):
    # Seen to fail with the host's energies of realization 0 for all.
    assert_agree(cuda, block(NAMED[name], (3, 8), count=4))


@pytest.mark.parametrize("name", ["strip", "cylinder", "random bonds", "rashba", "su2 bar", "correlated"])
def test_bars_agree_with_the_native_backend(cuda, name):
    # Seen to fail with every bar given the sums of the first.
    bars = Bars(slices=64, warmup=10, exponents=None)
    sample = Block(replace(point(NAMED[name], (64,), eigenvalues=False), shot_noise=False, bars=bars), 0, 3, 5)
    (computed,), (expected,) = cuda.run([sample]), NativeBackend().run([sample])
    for variable in ("lyapunov_exponents", "lyapunov_errors", "lyapunov_drift"):
        np.testing.assert_allclose(computed.arrays[variable], expected.arrays[variable], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(computed.arrays["status"], expected.arrays["status"])


@pytest.mark.parametrize(("width", "entry"), [(40, "shared"), (64, "split"), (110, "global")])
def test_a_strip_too_wide_for_shared_memory_is_computed_all_the_same(cuda, width, entry):
    conductor = make_conductor(point(strip(width), (2,)), 8, dict.fromkeys(ARRAYS))
    layout = launch.placement(TRANSMISSION, transmission_workspace(conductor))
    if size(cuda, 1, 0) or launch.open_device().limits.shared_block == 227 * 1024:
        assert layout.entry == f"transmission_{entry}"
    if width <= size(cuda, 40, width):
        assert_agree(cuda, block(strip(width), (2,), count=2))


@pytest.mark.parametrize(("shared_block", "entry"), [(12_000, "shared"), (6_000, "split"), (1_000, "global")])
def test_every_part_of_the_workspace_may_be_in_device_memory(emulate, shared_block, entry):
    machine = emulate(Machine(shared_block=shared_block))
    assert_agree(CudaBackend(), block(strip(6, flux=0.02), (4, 9), count=5))
    assert {launched[0] for launched in machine.launches} == {entry}


def test_any_company_gives_the_same_bytes(cuda):
    # Seen to fail with all blocks in one workspace.
    system = strip(7, flux=0.01, laws=(Uniform(4.0),))
    (whole,) = cuda.run([block(system, (9, 40), count=21)])
    for first, count in ((0, 1), (5, 8), (17, 4)):
        (part,) = cuda.run([block(system, (9, 40), first=first, count=count)])
        for name, array in whole.arrays.items():
            assert array[:, first : first + count].tobytes() == part.arrays[name].tobytes(), name


def test_blocks_that_share_a_launch_give_the_bytes_that_they_give_alone(cuda):
    # Seen to fail with every block given the first one's part.
    first, second = strip(5), strip(5, laws=(Uniform(3.0),))
    blocks = [
        *(block(first, (6, 20), first=4 * i, count=4) for i in range(3)),
        *(block(second, (6, 20), first=4 * i, count=4) for i in range(2)),
        block(second, (6, 20), first=8, count=3),
    ]
    together = list(cuda.run(blocks))
    for sample, result in zip(blocks, together, strict=True):
        (alone,) = cuda.run([sample])
        assert (result.first, result.count) == (sample.first, sample.count)
        for name, array in result.arrays.items():
            assert array.tobytes() == alone.arrays[name].tobytes(), name


def test_the_blocks_of_a_point_take_one_launch_and_one_upload(emulate):
    machine = emulate(Machine())
    cuda = CudaBackend()
    blocks = [block(strip(5), (6,), first=4 * i, count=4) for i in range(6)]
    begin = time.perf_counter()
    results = list(cuda.run(blocks))
    elapsed = time.perf_counter() - begin
    assert len(results) == 6
    assert [launched[-1] for launched in machine.launches] == [16, 24]  # the pilot, and all blocks
    # Each block is charged its share of the launch, and nobody is charged twice.
    assert 0.0 < sum(result.seconds for result in results) <= elapsed
    assert all(result.seconds > 0.0 for result in results)
    uploaded = machine.uploads
    list(cuda.run(blocks[:1]))
    assert machine.uploads == uploaded + 1  # the realizations' numbers


@pytest.mark.parametrize("system", [armchair(4), vacancies(4), correlated(4), rashba(3), random_flux(4)])
def test_the_blocks_of_any_model_share_their_first_launch(emulate, system):
    # Seen to fail with the pilot taken for the first pass.
    machine = emulate(Machine())
    cuda = CudaBackend()
    blocks = [block(system, (6,), first=16 * i, count=16) for i in range(3)]
    together = list(cuda.run(blocks))
    counts = [launched[-1] for launched in machine.launches]
    assert counts.count(48) == 1
    assert 16 not in counts[counts.index(48) :]  # the pilot's come before
    for sample, result in zip(blocks, together, strict=True):
        (alone,) = cuda.run([sample])
        for name, array in result.arrays.items():
            assert array.tobytes() == alone.arrays[name].tobytes(), name


def test_energies_that_the_host_draws_come_in_parts_where_they_are_many(cuda, monkeypatch):
    # Seen to fail with every part given the first one's energies.
    sample = block(correlated(5), (4, 9), count=11)
    (whole,) = cuda.run([sample])
    monkeypatch.setattr(launch, "GIVEN_BYTES", 3 * 8 * 9 * 5)
    (parts,) = cuda.run([sample])
    for name, array in whole.arrays.items():
        assert array.tobytes() == parts.arrays[name].tobytes(), name


def test_no_more_blocks_are_launched_than_the_device_holds(emulate):
    machine = emulate(Machine(shared_block=1_000))
    list(CudaBackend().run([block(strip(6), (3,), count=50)]))
    _, (entry, blocks, threads, shared, count) = machine.launches  # the pilot first
    assert (entry, blocks, threads, shared, count) == ("global", 4, 32, 0, 50)


def test_an_uncertified_sample_is_redone_and_then_left_to_the_oracle(cuda, monkeypatch):
    sample = block(strip(8, laws=(Uniform(8.0),)), (60,), count=16)
    monkeypatch.setattr(FrameSamples, "interval", lambda _self, _point: 16)
    (redone,) = cuda.run([sample])
    assert Status.REDONE in redone.arrays["status"]
    assert set(np.unique(redone.arrays["status"])) <= {Status.CERTIFIED, Status.REDONE}
    assert_agree(cuda, sample)
    monkeypatch.setattr(frame_samples, "CONDITIONING_BOUND", 1.0)
    (exact,) = cuda.run([block(strip(4), (5,), count=2)])
    assert np.all(exact.arrays["status"] == Status.ORACLE)


def test_without_an_open_channel_the_status_says_so(cuda):
    (result,) = cuda.run([block(strip(4, energy=5.0), (3,), count=2)])
    assert np.all(result.arrays["status"] == Status.NO_CHANNEL)


def test_results_that_do_not_fit_into_memory_are_computed_in_parts(cuda, monkeypatch):
    sample = block(strip(5), (4, 9), count=11)
    (whole,) = cuda.run([sample])
    # 2 lengths, 5 fields and 4 eigenvalues: 144 bytes a realization, of which a quarter of the memory holds 3.
    monkeypatch.setattr(device.Device, "free_bytes", lambda _: 4 * 3 * 144)
    (parts,) = cuda.run([sample])
    for name, array in whole.arrays.items():
        assert array.tobytes() == parts.arrays[name].tobytes(), name


def test_too_little_memory_is_an_error_that_names_the_bytes(cuda, monkeypatch):
    monkeypatch.setattr(device.Device, "free_bytes", lambda _: 500)
    with pytest.raises(EnvironmentFault, match=r"results of one realization take 144 bytes, of 500 that are free"):
        list(cuda.run([block(strip(5), (4, 9), count=2)]))
    monkeypatch.setattr(device.Device, "free_bytes", lambda _: 1_000_000)
    wide = strip(120, laws=())
    with pytest.raises(EnvironmentFault, match=r"workspace of 120 orbitals takes \d{7} bytes.*--backend native"):
        list(cuda.run([block(wide, (1,), count=1)]))


def test_memory_that_others_took_in_the_meantime_is_an_error_with_a_remedy(emulate, monkeypatch):
    machine = emulate(Machine())
    cuda = CudaBackend()
    monkeypatch.setattr(device.Device, "free_bytes", lambda _: 2**30)
    machine.free = 100
    with pytest.raises(
        EnvironmentFault, match=r"device memory is short: Out of memory allocating \d+ bytes.*nvidia-smi"
    ):
        list(cuda.run([block(strip(5), (4, 9), count=10)]))


def test_a_failed_launch_says_what_is_kept_and_what_to_do(emulate):
    machine = emulate(Machine())
    cuda = CudaBackend()
    machine.launch_fault = CudaRuntimeError(700, "cudaErrorIllegalAddress: an illegal memory access was encountered")
    with pytest.raises(EnvironmentFault, match=r"Emulated GPU, 5 orbitals: cudaErrorIllegalAddress.*committed is kept"):
        list(cuda.run([block(strip(5), (4,), count=2)]))


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        (Machine(driver=0), r"NVIDIA driver: none found; install one"),
        (Machine(driver=12040), r"too old: it supports CUDA 12\.4, CuPy needs 13\.0; .*'mesogpu\[cuda12\]'"),
        (Machine(driver=11080), r"too old: it supports CUDA 11\.8, CuPy needs 13\.0; update it$"),
        (Machine(devices=0), r"GPU: the driver shows none to this process; .*CUDA_VISIBLE_DEVICES"),
        (Machine(architecture=61), r"compute capability 6\.1, the kernels need 7\.5"),
        (Machine(compile_fault=CompileException("line 1: no")), r"transmission.cu: does not compile for sm_90: line 1"),
        (Machine(compile_fault=RuntimeError("libnvrtc.so.13")), r"libnvrtc.so.13; pip install 'nvidia-cuda-nvrtc==13"),
        (Machine(compile_fault=CudaRuntimeError(46, "all devices are busy")), r"Emulated GPU: all devices are busy"),
    ],
)
def test_what_is_missing_is_named_and_auto_goes_on_without_it(emulate, machine, message):
    emulate(machine)
    with pytest.raises(BackendUnavailable, match=message):
        select_backend("cuda")
    assert select_backend("auto").name == "native"
    assert "no GPU is used" in choice_reason("auto")


def test_auto_takes_a_gpu_and_names_it(emulate):
    emulate(Machine())
    assert select_backend("auto").name == "cuda"
    assert choice_reason("auto") == "backend cuda: kernels on this machine's GPU, Emulated GPU"
    assert choice_reason("cuda") == "backend cuda: as asked"


def test_the_signature_names_sources_compiler_and_architecture(emulate):
    emulate(Machine())
    assert CudaBackend().signature.startswith("cuda; kernels ")
    assert "; nvrtc 13.0; sm_90; mesogpu " in CudaBackend().signature


def test_without_cupy_the_error_says_how_to_install_it(emulate, monkeypatch):
    del emulate
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    forget()
    with pytest.raises(BackendUnavailable, match=r"CuPy: not installed; pip install 'mesogpu\[cuda13\]'"):
        select_backend("cuda")


def test_a_cupy_that_does_not_import_is_an_error_with_its_reason(emulate, monkeypatch):
    emulate(Machine())
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendUnavailable, match=r"CuPy: does not import \(.*cupy.*\); reinstall it"):
        select_backend("cuda")


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed")
def test_the_real_cupy_is_usable_or_says_what_is_missing():
    forget()
    try:
        found = device.open_device().name
    except BackendUnavailable as missing:
        found = str(missing)
    finally:
        forget()
    assert found.startswith(("NVIDIA", "GPU", "Tesla", "Quadro"))
