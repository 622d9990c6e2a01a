"""The acceptance run passes what is right, and notices what is wrong.

The planted faults are the ones that these tests were seen to fail on: with the checks made blind to them, they do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import acceptance
from benchmarks.cases import BarCase, Case
from benchmarks.conductors import random_points
from mesogpu.backends.bars import LOSS_BOUND, BarOutput
from mesogpu.backends.kernel_backend import KernelBackend, KernelOutput
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference.backend import ReferenceBackend
from mesogpu.backends.select import select_backend
from mesogpu.errors import BackendUnavailable

ROOT = Path(__file__).parents[2]

try:
    NATIVE = NativeBackend()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)


class Altered(NativeBackend):
    """The native engine with one fault in what its kernel returns."""

    def launch(self, point, interval, realizations) -> KernelOutput:
        return self.alter(super().launch(point, interval, realizations))

    @abstractmethod
    def alter(self, output: KernelOutput) -> KernelOutput:
        """The output, altered."""


class Imprecise(Altered):
    """ln g is off by 1e-7."""

    def alter(self, output: KernelOutput) -> KernelOutput:
        return replace(output, trace=output.trace * (1.0 + 1e-7))


class Neighbourly(Altered):
    """The last bit of a sample depends on how many others come with it."""

    def alter(self, output: KernelOutput) -> KernelOutput:
        return replace(output, trace=output.trace * (1.0 + 2e-16 * (output.trace.shape[1] % 3)))


class Drifting(NativeBackend):
    """Every exponent of a bar is off by twice what a certified one may be."""

    def follow(self, point, ends, interval, realizations) -> BarOutput:
        output = super().follow(point, ends, interval, realizations)
        return replace(output, sums=output.sums + 2.0 * LOSS_BOUND * np.diff(ends, prepend=0)[:, None, None])


class Orderly(NativeBackend):
    """The last bits of a sample depend on whether it follows its predecessor."""

    def launch(self, point, interval, realizations) -> KernelOutput:
        output = super().launch(point, interval, realizations)
        falls = np.diff(realizations.astype(np.int64), prepend=-1) < 0
        return replace(output, trace=output.trace * (1.0 + 1e-15 * falls))


class Trusting(Altered):
    """The kernel's certificates are lost."""

    def alter(self, output: KernelOutput) -> KernelOutput:
        return replace(output, defect=output.defect * 0.0, conditioning=np.ones_like(output.conditioning))


def parity(backend: KernelBackend) -> acceptance.Check:
    return acceptance.parity(backend, ReferenceBackend(), random_points(5, 12, 60), 4)


def test_the_native_engine_passes():
    assert parity(NATIVE)["passed"]
    assert acceptance.parity_at_standard_sizes(NATIVE, ReferenceBackend(), [Case(10, 100)])["passed"]
    assert acceptance.equal_bytes(NATIVE)["passed"]
    found = acceptance.certificate(NATIVE, ReferenceBackend(), 64)
    assert found["passed"]
    assert found["wrong"] > 0


def test_an_error_of_1e_7_fails_parity():
    localized = Case(8, 100, disorder=8.0).point(eigenvalues=True)
    found = acceptance.parity(Imprecise(), ReferenceBackend(), [localized], 4)
    assert found["largest_difference_in_shot_noise"] < acceptance.LINEAR_BOUND
    assert not found["passed"]
    assert found["largest_difference_in_log_conductance"] == pytest.approx(10.0, rel=0.05)


def test_exponents_beyond_their_bound_fail_the_parity_of_bars():
    cases = [BarCase(3), BarCase(3, 5.952, model="su2")]
    assert acceptance.parity_of_bars(NATIVE, ReferenceBackend(), cases)["passed"]
    found = acceptance.parity_of_bars(Drifting(), ReferenceBackend(), cases)
    assert not found["passed"]
    assert found["largest_difference_in_exponents"] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("faulty", [Neighbourly, Orderly])
def test_a_bit_that_depends_on_company_fails_equal_bytes(faulty):
    assert not acceptance.equal_bytes(faulty())["passed"]


def test_a_lost_certificate_is_missed_samples():
    found = acceptance.certificate(Trusting(), ReferenceBackend(), 64)
    assert not found["passed"]
    assert found["missed"] > 0


def test_numbers_that_are_not_finite_never_pass():
    arrays = {
        "log_conductance": np.array([[-1.0, np.nan]]),
        "transmission_eigenvalues": np.zeros((1, 2, 3)),
        "shot_noise": np.zeros((1, 2)),
    }
    exact = {**arrays, "log_conductance": np.array([[-1.0, -1.0]])}
    assert acceptance.differences(arrays, exact)["log_conductance"] == np.inf


def test_without_a_gpu_it_says_so_and_exits_5():
    try:
        select_backend("cuda")
    except BackendUnavailable:
        pass
    else:
        pytest.skip("there is a GPU here")
    command = [sys.executable, "-m", "benchmarks.gpu", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 5
    assert run.stderr.startswith("benchmarks.gpu: ")
    assert "Traceback" not in run.stderr


def test_json_of_a_check_holds_plain_numbers():
    json.dumps([parity(NATIVE), acceptance.equal_bytes(NATIVE)])
