"""Wide bars on the host, and as a GPU would have them, against Householder QR and the vector kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial

import numpy as np
import pytest
from engines import missing_compiler
from models import bar, chain, correlated, magnetic, random_bonds, random_flux, strip, su2, zigzag
from threadpoolctl import threadpool_limits

if missing := missing_compiler():
    pytest.skip(missing, allow_module_level=True)

from test_bars import block, exact_exponents
from wide_device import device_steps

from mesogpu.backends.bars import BarOutput, KernelBars, Launch, certified, marks
from mesogpu.backends.native import bars_library, wide
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.wide import bars, switch
from mesogpu.backends.wide.arrays import Arrays
from mesogpu.physics.disorder import Binary, Uniform
from mesogpu.plan import Block, Status

CRITICAL = Uniform(16.5)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a worker: more threads in a library would wait for each other, and for other programs."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Launch]:
    """Batches of so many bars as on a GPU."""
    steps = device_steps(tmp_path_factory.mktemp("device"))
    return lambda batch: partial(bars.follow, Arrays(np), steps, batch=batch)


def followed(launch: Launch, sample: Block, interval: int) -> BarOutput:
    rows = np.arange(sample.first, sample.first + sample.count, dtype=np.uint32)
    return launch(sample.point, marks(sample.point), interval, rows)


SYSTEMS = {
    "chain": chain(),
    "strip": strip(37),
    "in a field": strip(34, flux=0.01),
    "periodic bar": bar(5, 7, periodic=(True, True), energy=0.0, laws=(CRITICAL,)),
    "zigzag": zigzag(36),
    "su2": su2(17),
    "magnetic": magnetic(9),
    "random flux": random_flux(8),
    "random bonds": random_bonds(33),
    "correlated": correlated(12),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_wide_bars_have_the_exponents_of_householder_qr(name: str, device: Callable[[int], Launch]) -> None:
    # Seen to fail with the places of the two slices not exchanged.
    sample = block(SYSTEMS[name], 60, 20, count=3)
    exact = exact_exponents(sample)
    for launch in (wide.follow, device(2)):
        for interval in (0, 2):
            output = followed(launch, sample, interval)
            ends = np.array(marks(sample.point))
            found = output.sums[ends > 20].sum(axis=0)[:, ::-1] / 60
            np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", ["strip", "periodic bar", "su2"])
def test_wide_bars_are_those_of_the_kernel_with_its_certificates(name: str) -> None:
    # Seen to fail with a factor too few at the ends, with the last spread for the largest, and with rows divided by all
    # of their size in place of its root.
    sample = block(SYSTEMS[name], 50, 0, count=3)
    for interval in (0, 1, 3):
        ours, theirs = followed(wide.follow, sample, interval), followed(bars_library.follow, sample, interval)
        for field in fields(BarOutput):
            one, other = getattr(ours, field.name), getattr(theirs, field.name)
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11, err_msg=field.name)


def test_any_company_gives_the_same_bytes(device: Callable[[int], Launch]) -> None:
    # Seen to fail with the largest spread of a batch for all of it.
    sample = block(SYSTEMS["periodic bar"], 30, 0, count=7)
    for launch in (wide.follow, device(3)):
        whole = followed(launch, sample, 3)
        part = launch(sample.point, marks(sample.point), 3, np.arange(2, 4, dtype=np.uint32))
        assert part.sums.tobytes() == whole.sums[:, 2:4].tobytes()
        assert part.spread_sum.tobytes() == whole.spread_sum[2:4].tobytes()
        assert part.largest.tobytes() == whole.largest[2:4].tobytes()


OFF = {
    "too long an interval": bar(3, 3, periodic=(True, True), energy=0.0, laws=(CRITICAL,)),
    "enormous energies": strip(7, laws=(Uniform(4.0), Binary((0.0, 2e7), 0.01))),
}


@pytest.mark.parametrize("name", OFF)
def test_wide_bars_that_are_off_are_flagged_and_redone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Seen to fail with the first pass kept.
    sample = block(OFF[name], 600, 0, count=4)
    exact = exact_exponents(sample)
    planted = followed(wide.follow, sample, 16)
    off = ~(np.abs(planted.sums.sum(axis=0)[:, ::-1] / 600 - exact).max(axis=1) <= 1e-9)
    assert off.any()
    assert not np.any(off & certified(planted, 600))
    monkeypatch.setattr(KernelBars, "interval", lambda *_: 16)
    arrays = KernelBars(wide.follow).compute(sample)
    assert np.all(arrays["status"] <= Status.REDONE)
    np.testing.assert_allclose(arrays["lyapunov_exponents"], exact, rtol=0, atol=2e-9)


def test_native_follows_wide_bars_where_they_are_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    # Seen to fail with `follow` as it was.
    counted = []
    original = bars.follow
    monkeypatch.setattr(bars, "follow", lambda *told: counted.append(told[3]) or original(*told))
    width = -(-switch.FIRST_WIDE["real"] // 16)
    sample = block(bar(width, 16, periodic=(True, True), energy=0.0, laws=(CRITICAL,)), 24, 4, count=1)
    (result,) = NativeBackend().run([sample])
    assert counted
    assert np.all(result.arrays["status"] == Status.CERTIFIED)
    assert result.audit[0] < 1e-11
    counted.clear()
    NativeBackend().compute(block(bar(3, 3), 24, 4, count=1))
    assert not counted


@pytest.mark.slow
@pytest.mark.parametrize("width", [24, 32])
def test_bars_far_beyond_the_cache_are_certified(width: int) -> None:
    system = bar(width, width, periodic=(True, True), energy=0.0, laws=(CRITICAL,))
    (result,) = NativeBackend().run([block(system, 48, 16, count=1)])
    assert np.all(result.arrays["status"] == Status.CERTIFIED)
    assert result.audit[0] < 1e-10
