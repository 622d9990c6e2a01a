"""Wide frames on the host, and as a GPU would have them, against the oracle; the switch to them against its figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from models import MODELS, bar, block, evangelou_ziman, point, random_point, rashba, strip, zigzag
from threadpoolctl import threadpool_limits
from wide_device import device_steps

from benchmarks.wide import fit
from mesogpu.backends.certify import ABSOLUTE_BOUND, CONDITIONING_BOUND, RELATIVE_BOUND, UNITARITY_BOUND
from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.frame_samples import FrameSamples
from mesogpu.backends.kernel_inputs import estimated_interval
from mesogpu.backends.native import compiler, wide
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference import backend as reference
from mesogpu.backends.samples import observables, transmission_eigenvalues
from mesogpu.backends.wide import frames, switch
from mesogpu.backends.wide.arrays import HOST, Arrays
from mesogpu.backends.wide.triangles import Triangle
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Gaussian, Uniform
from mesogpu.plan import Block, Point, Status

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "wide.json"
Transmit = Callable[[Point, int, np.ndarray], KernelOutput]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a worker: more threads in a library would wait for each other, and for other programs."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Transmit]:
    """Batches of so many realizations as on a GPU."""
    steps = device_steps(tmp_path_factory.mktemp("device"))
    return lambda batch: partial(frames.transmit, Arrays(np), steps, batch=batch)


def deviations(transmit: Transmit, sample: Block) -> tuple[np.ndarray, np.ndarray]:
    """|d ln g| over its bound and the largest |d T_n| of every sample, all of them with their certificates."""
    found = transmit(sample.point, max(1, estimated_interval(sample.point) // 2), realizations_of(sample))
    assert np.all(found.conditioning <= CONDITIONING_BOUND), sample
    assert np.all(found.defect <= UNITARITY_BOUND * found.eigenvalues.shape[-1]), sample
    exact = reference.compute(sample)
    logarithm = exact["log_conductance"]
    bound = np.maximum(ABSOLUTE_BOUND, RELATIVE_BOUND * np.abs(logarithm))
    computed = observables(found.trace, found.square_trace, found.exponent)["log_conductance"]
    eigenvalues = transmission_eigenvalues(found.eigenvalues, found.exponent)
    return (
        np.abs(computed - logarithm) / bound,
        np.abs(eigenvalues - exact["transmission_eigenvalues"]).max(axis=-1),
    )


def realizations_of(sample: Block) -> np.ndarray:
    return np.arange(sample.first, sample.first + sample.count, dtype=np.uint32)


STEPPED = tuple(model for model in MODELS if model not in ("missing-bonds", "vacancies"))
LATTICES = ("chain", "square", "cubic", "zigzag")


@pytest.mark.parametrize("model", STEPPED)
def test_random_samples_of_every_model_agree_with_the_oracle(model, device):
    # Seen to fail with Q in the place of its adjoint, with the places of the two slices not exchanged for an odd number
    # of steps, and with lead 1 of the other link of a zigzag's period.
    generator = np.random.default_rng(20261121)
    for transmit in (wide.transmit, device(3)):
        for kind in LATTICES:
            drawn = random_point(generator, kind, model, max_width=9, max_length=40)
            logarithm, eigenvalues = deviations(transmit, Block(drawn, 0, int(generator.integers(1000)), 4))
            assert logarithm.max() <= 1.0, drawn
            assert eigenvalues.max() < 1e-9, drawn


SEVERAL_BLOCKS = {
    "strip": strip(75),
    "cylinder in a field": strip(66, periodic=True, flux=1 / 66, lead_flux=False, energy=0.3),
    "closed channels": strip(80, energy=-3.2, laws=(Uniform(0.5),)),
    "rashba": rashba(41),
    "random bonds with spin": evangelou_ziman(34),
    "bar": bar(7, 10, periodic=(True, False)),
    "zigzag": zigzag(70),
    "correlated": strip(67, laws=(Gaussian(0.5, 1.5),)),
}


@pytest.mark.parametrize("case", SEVERAL_BLOCKS)
def test_frames_of_several_blocks_agree_with_the_oracle(case, device):
    # Seen to fail with -R T left out of a block's weights, and with the history's rows taken for one block too few.
    for transmit in (wide.transmit, device(2)):
        logarithm, eigenvalues = deviations(transmit, block(SEVERAL_BLOCKS[case], (3, 12, 25), count=2))
        assert logarithm.max() <= 1.0
        assert eigenvalues.max() < 1e-9


def test_any_company_gives_the_same_bytes(device):
    # Seen to fail with one power of two for a whole batch.
    sample = point(strip(37, flux=0.01, laws=(Uniform(7.0),)), (4, 40))
    for transmit in (wide.transmit, device(4)):
        whole = transmit(sample, 4, np.arange(11, dtype=np.uint32))
        for first, count in ((0, 1), (2, 7), (10, 1)):
            part = transmit(sample, 4, np.arange(first, first + count, dtype=np.uint32))
            for field in fields(KernelOutput):
                expected = getattr(whole, field.name)[:, first : first + count]
                assert getattr(part, field.name).tobytes() == expected.tobytes(), field.name


@pytest.mark.parametrize("case", ["strip", "random bonds with spin", "correlated"])
def test_the_steps_of_a_gpu_give_the_numbers_of_the_host(case, device):
    # Seen to fail with the records of all realizations in one place.
    sample = point(SEVERAL_BLOCKS[case], (3, 12))
    realizations = np.array([3, 4, 1000], dtype=np.uint32)
    ours, theirs = device(2)(sample, 4, realizations), wide.transmit(sample, 4, realizations)
    np.testing.assert_array_equal(ours.exponent, theirs.exponent)
    for field in fields(KernelOutput):
        ours_now, theirs_now = getattr(ours, field.name), getattr(theirs, field.name)
        np.testing.assert_allclose(ours_now, theirs_now, rtol=1e-10, atol=1e-10, err_msg=field.name)


def test_too_long_an_interval_is_noticed_sample_by_sample(monkeypatch):
    # Seen to fail with the spread of the last triangle alone.
    sample = block(strip(16, laws=(Uniform(8.0),)), (200,), count=64)
    exact = reference.compute(sample)["log_conductance"]
    planted = wide.transmit(sample.point, 16, np.arange(64, dtype=np.uint32))
    wrong = np.abs(np.log(planted.trace) + 2 * np.log(2.0) * planted.exponent - exact) > 1e-8
    assert wrong.sum() > 5
    assert np.all(planted.conditioning[wrong] > 1e4)
    monkeypatch.setattr(FrameSamples, "interval", lambda *_: 16)
    arrays = FrameSamples(wide.transmit).compute(sample)
    assert np.all(np.abs(arrays["log_conductance"] - exact) < 1e-8)
    assert np.all(arrays["status"][wrong] == Status.REDONE)


def test_what_leaves_the_finite_numbers_is_redone(monkeypatch):
    # Seen to fail with the eigenvalues of every matrix, finite or not.
    sample = block(strip(6, laws=(Uniform(1e30),)), (40,), count=3)
    planted = wide.transmit(sample.point, 16, realizations_of(sample))
    assert not np.any(planted.conditioning <= CONDITIONING_BOUND)
    assert not np.all(np.isfinite(planted.trace))
    monkeypatch.setattr(FrameSamples, "interval", lambda *_: 16)
    arrays = FrameSamples(wide.transmit).compute(sample)
    assert np.all(arrays["status"] <= Status.ORACLE)
    assert np.all(np.isfinite(arrays["log_conductance"]))


@pytest.mark.parametrize("column", [0.0, np.nan])
def test_a_frame_without_a_factor_spoils_none_of_the_others(column):
    # Seen to fail with NumPy's Cholesky factors, which are all or none.
    generator = np.random.default_rng(5)
    matrices = generator.standard_normal((3, 90, 45)) + 1j * generator.standard_normal((3, 90, 45))
    alone = Triangle(HOST, matrices[2:].copy())
    matrices[1, :, 7] = column
    triangle = Triangle(HOST, matrices)
    assert np.isinf(triangle.spread[1])
    assert triangle.spread[2] == alone.spread[0]
    rows = matrices.copy()
    triangle.divide(rows)
    for k in (0, 2):
        np.testing.assert_allclose(rows[k].conj().T @ rows[k], np.eye(45), atol=1e-12)


def test_native_takes_wide_frames_where_they_are_faster_and_certifies_them(monkeypatch):
    # Seen to fail with `launch` as it was.
    counted = []
    original = frames.transmit
    monkeypatch.setattr(frames, "transmit", lambda *arguments: counted.append(arguments[2]) or original(*arguments))
    sample = block(strip(switch.FIRST_WIDE["complex"]), (6, 18), count=2)
    (result,) = NativeBackend().run([sample])
    assert len(counted) >= 2
    assert np.all(result.arrays["status"] == Status.CERTIFIED)
    assert np.all(result.audit < 1e-9)
    counted.clear()
    NativeBackend().launch(point(strip(20), (6,)), 5, np.arange(2, dtype=np.uint32))
    assert not counted


@pytest.mark.slow
@pytest.mark.parametrize("system", [strip(256), rashba(128, 0.2)], ids=["square 256 x 256", "rashba 128 x 128"])
def test_wide_samples_are_certified(system):
    length = system.lattice.width
    (result,) = NativeBackend().run([block(system, (length,), count=8, eigenvalues=False)])
    assert np.all(result.arrays["status"] == Status.CERTIFIED)
    assert np.all(result.audit < 1e-9)


def measured() -> dict:
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_switchs_constants_are_those_of_the_committed_measurements():
    # Seen to fail with any of the constants off by a percent.
    results = measured()
    for rates in switch.MEASURED:
        found = fit(rates.numbers, results["rows"], results["machine"]["second_level_cache"])
        for name in ("cache", "kernel", "decay", "wide", "half"):
            assert getattr(rates, name) == pytest.approx(getattr(found, name), rel=5e-3), (rates.numbers, name)


def test_the_switch_chose_the_faster_way_in_every_measured_case():
    # Near the crossing either will do.
    for row in measured()["rows"]:
        ratio = row["kernel"]["minimum"] / row["wide"]["minimum"]
        chosen = switch.wide_frames_are_faster(row["orbitals"], row["numbers"])
        assert ratio > 0.9 if chosen else ratio < 1.1, row


@pytest.mark.parametrize("numbers", ["complex", "real"])
def test_there_is_one_width_beyond_which_wide_frames_are_faster(numbers):
    faster = [switch.wide_frames_are_faster(orbitals, numbers) for orbitals in range(1, 3000)]
    assert not faster[0]
    assert faster[-1]
    assert np.all(np.diff(np.array(faster, dtype=int)) >= 0)
