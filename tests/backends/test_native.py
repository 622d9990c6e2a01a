"""The compiled kernel against the oracle, and against itself in any company."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from models import MODELS, NAMED, block, random_flux, random_point, rashba, strip, su2, zigzag

from mesogpu.backends import frame_samples
from mesogpu.backends.native import cache, compiler, library
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference import backend as reference
from mesogpu.backends.select import choice_reason, select_backend
from mesogpu.errors import BackendUnavailable, EnvironmentFault
from mesogpu.physics.disorder import Uniform
from mesogpu.plan import Block, Point, Status

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)


@pytest.fixture(scope="module")
def native() -> NativeBackend:
    return NativeBackend()


STEPPED = [model for model in MODELS if model not in ("missing-bonds", "vacancies")]
LATTICES = ("chain", "square", "cubic", "zigzag")


def stepped_point(generator: np.random.Generator, model: str, max_width: int, max_length: int) -> Point:
    """A random conductor of a model on any lattice that has a transfer matrix."""
    while True:
        kind = str(generator.choice(LATTICES))
        drawn = random_point(generator, kind, model, max_width=max_width, max_length=max_length)
        if drawn.system.has_transfer_matrix:
            return drawn


def assert_agree(native: NativeBackend, sample: Block) -> None:
    """1e-9 in ln g (1e-11 of it where that is more) and T_n, against samples that the oracle had no trouble with."""
    (result,) = native.run([sample])
    assert np.mean(result.arrays["status"] >= Status.ORACLE) <= 0.2, sample
    exact = reference.compute(sample)
    sound = (exact["status"] == Status.CERTIFIED) & (exact["conditioning"] < 1e4)
    logarithm = exact["log_conductance"]
    deviation = np.abs(result.arrays["log_conductance"] - logarithm) / np.maximum(1e-9, 1e-11 * np.abs(logarithm))
    assert np.all(deviation[sound] <= 1.0), sample
    for name in ("transmission_eigenvalues", "shot_noise"):
        difference = np.abs(result.arrays[name] - exact[name])[sound]
        assert difference.max(initial=0.0) < 1e-9, (name, sample)


@pytest.mark.parametrize("model", STEPPED)
def test_random_samples_of_every_model_agree_with_the_oracle(native, model):
    # Seen to fail with sine and cosine of the Gaussian law exchanged, and with the faults listed beside single models.
    generator = np.random.default_rng(20261121)
    for _ in range(12):
        drawn = stepped_point(generator, model, 10, 60)
        assert_agree(native, Block(drawn, 0, int(generator.integers(1000)), 5))


@pytest.mark.parametrize("name", [name for name, system in NAMED.items() if system.has_transfer_matrix])
def test_every_model_agrees_with_the_oracle_at_every_length(native, name):
    # A length of its own for each parity of two steps, of an interval, and of a zigzag ribbon. Seen to fail with the
    # neighbours of a zigzag's even slices in all of them; without the phases of slice x - 1; with the bond that slice
    # L - 1 shares with lead 1 kept for the next length; and with the components of U along y in the order of x.
    assert_agree(native, block(NAMED[name], (1, 2, 3, 8, 9, 25), first=3, count=11))


@pytest.mark.slow
@pytest.mark.parametrize("model", STEPPED)
def test_a_thousand_random_samples_of_every_model_agree_with_the_oracle(native, model):
    generator = np.random.default_rng(3)
    for _ in range(63):
        drawn = stepped_point(generator, model, 30, 300)
        assert_agree(native, Block(drawn, 0, int(generator.integers(2**20)), 16))


COMPANIES = {
    "field": strip(13, flux=0.01, laws=(Uniform(4.0),)),
    "rashba": rashba(5, laws=(Uniform(4.0),)),
    "su2": su2(4),
    "random flux": random_flux(7),
    "zigzag": zigzag(7),
    "correlated": NAMED["correlated"],
}


@pytest.mark.parametrize("name", COMPANIES)
def test_any_company_gives_the_same_bytes(native, name):
    # Seen to fail with one power of two for all lanes of a group, and with one end of the QL sweep for all lanes.
    system = COMPANIES[name]
    (whole,) = native.run([block(system, (9, 40, 77), count=43)])
    for first, count in ((0, 1), (5, 8), (17, 26), (42, 1)):
        (part,) = native.run([block(system, (9, 40, 77), first=first, count=count)])
        for name, array in whole.arrays.items():
            assert array[:, first : first + count].tobytes() == part.arrays[name].tobytes(), name


def test_energies_that_the_host_draws_in_parts_give_the_same_bytes(native, monkeypatch):
    # Seen to fail with every part given the energies of the first.
    sample = block(NAMED["correlated"], (9, 40), count=43)
    (whole,) = native.run([sample])
    monkeypatch.setattr(library, "GIVEN_BYTES", 1)
    (parts,) = native.run([sample])
    for name, array in whole.arrays.items():
        assert array.tobytes() == parts.arrays[name].tobytes(), name


def test_too_long_an_interval_is_noticed_sample_by_sample_and_mended(native, monkeypatch):
    # The certificate's bound catches every sample that is off by more than 1e-8. Seen to fail with a bound of 1e8.
    system = strip(16, laws=(Uniform(8.0),))
    sample = block(system, (200,), count=256)
    exact = reference.compute(sample)["log_conductance"]
    planted = native.launch(sample.point, 16, np.arange(256, dtype=np.uint32))
    wrong = np.abs(np.log(planted.trace) + 2 * np.log(2.0) * planted.exponent - exact) > 1e-8
    assert wrong.sum() > 25
    assert np.all(planted.conditioning[wrong] > frame_samples.CONDITIONING_BOUND)
    monkeypatch.setattr(frame_samples.FrameSamples, "interval", lambda _self, _point: 16)
    (result,) = native.run([sample])
    assert np.all(np.abs(result.arrays["log_conductance"] - exact) < 1e-8)
    assert set(np.unique(result.arrays["status"])) <= {Status.CERTIFIED, Status.REDONE}
    assert np.all(result.arrays["status"][wrong] == Status.REDONE)


def test_a_sample_that_no_interval_certifies_goes_to_the_oracle(native, monkeypatch):
    monkeypatch.setattr(frame_samples, "CONDITIONING_BOUND", 1.0)
    sample = block(strip(5), (4, 20), count=6)
    (result,) = native.run([sample])
    exact = reference.compute(sample)
    assert np.all(result.arrays["status"] == Status.ORACLE)
    assert result.arrays["log_conductance"].tobytes() == exact["log_conductance"].tobytes()


def test_extreme_disorder_and_sizes_give_a_finite_logarithm(native):
    for system, lengths in (
        (strip(1, laws=(Uniform(20.0),)), (1000,)),
        (strip(3, laws=(Uniform(1e6),)), (1, 2, 30)),
        (strip(4, laws=()), (1, 5)),
        (strip(1), (1,)),
    ):
        sample = block(system, lengths, count=3)
        (result,) = native.run([sample])
        exact = reference.compute(sample)["log_conductance"]
        difference = np.abs(result.arrays["log_conductance"] - exact)
        assert np.all(difference <= np.maximum(1e-8, 1e-11 * np.abs(exact)))
        assert np.all(result.arrays["status"] <= Status.ORACLE)


def test_without_an_open_channel_the_status_says_so(native):
    (result,) = native.run([block(strip(4, energy=5.0), (3,), count=2)])
    assert np.all(result.arrays["status"] == Status.NO_CHANNEL)
    assert np.all(np.isneginf(result.arrays["log_conductance"]))


def test_the_audit_is_the_oracles(native):
    (result,) = native.run([block(strip(8), (5, 30), count=8)])
    assert np.all((result.audit > 0) & (result.audit < 1e-10))


def test_eigenvalues_of_degenerate_and_clean_strips(native):
    # A clean strip's t t^dagger is the identity: every off-diagonal is rounding noise.
    for system in (strip(9, laws=()), strip(8, laws=(), periodic=True, energy=0.3), strip(2, laws=())):
        (result,) = native.run([block(system, (1, 12), count=3)])
        np.testing.assert_allclose(result.arrays["transmission_eigenvalues"], 1.0, atol=1e-11)


def test_one_compilation_serves_processes_that_start_together(tmp_path):
    code = "from mesogpu.backends.native.greens_library import greens_library; print(bool(greens_library()))"
    environment = os.environ | {"MESOGPU_CACHE": str(tmp_path)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert len({process.communicate(timeout=120)[0] for process in running}) == 1
    assert len(list((tmp_path / "kernels").glob("*.so"))) == 1
    assert (tmp_path / "kernels").stat().st_mode & 0o777 == 0o700


def test_a_cache_that_others_may_write_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MESOGPU_CACHE", str(tmp_path))
    cache.kernel_cache.cache_clear()
    try:
        assert cache.kernel_cache() == tmp_path / "kernels"
        (tmp_path / "kernels").chmod(0o770)
        cache.kernel_cache.cache_clear()
        with pytest.raises(EnvironmentFault, match="others may write to it"):
            cache.kernel_cache()
    finally:
        cache.kernel_cache.cache_clear()


def test_without_a_compiler_the_reference_engine_runs_and_says_why(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    for cached in (compiler.find_compiler, select_backend, *_caches()):
        cached.cache_clear()
    try:
        assert select_backend("auto").name == "numpy"
        assert "apt install g++" in choice_reason("auto")
        with pytest.raises(BackendUnavailable, match="none found"):
            select_backend("native")
    finally:
        for cached in (compiler.find_compiler, select_backend, *_caches()):
            cached.cache_clear()


def _caches() -> tuple:
    from mesogpu.backends import select
    from mesogpu.backends.native import library

    return select._fastest, library.transmission_library


def test_field_reversal_and_mirror_images_hold_for_the_kernel(native):
    forward = native.run([block(strip(7, flux=0.03), (22,), count=8)])
    backward = native.run([block(replace(strip(7), flux=-0.03), (22,), count=8)])
    np.testing.assert_allclose(
        next(forward).arrays["transmission_eigenvalues"],
        next(backward).arrays["transmission_eigenvalues"],
        rtol=0,
        atol=1e-10,
    )
