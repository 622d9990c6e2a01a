"""The Lyapunov kernel as a block of threads: no race, every barrier needed, the host's numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from race_program import NoThreadSanitizer, RaceProgram, barriers, build, case_bytes

from mesogpu.backends.bar_inputs import CERTIFICATE, bar_arrays, bar_slots, make_bar_inputs
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import conductor_arrays, given_energies, make_conductor
from mesogpu.backends.native import compiler
from mesogpu.backends.native.bars_library import follow
from mesogpu.config.experiment import Bars
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Cauchy, Gaussian, MagneticImpurity, Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Point

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

REALIZATIONS = np.array([3, 4, 1000], dtype=np.uint32)
ENDS = (2, 5, 6)
BOX = Uniform(2.0)


def point(kind: str, width: int, depth: int = 1, **changes: Any) -> Point:
    system = replace(System(Lattice(kind, width, depth), 1.0, 0.0, 0.5, 0.0, True, (BOX,)), **changes)
    return Point(0, (), system, ENDS[-1:], 7, 0, False, False, Bars(ENDS[-1], 0, None))


CASES = {
    "one site": (point("chain", 1), 3),
    "a strip": (point("square", 10), 3),
    "a bar": (point("cubic", 3, 3), 2),
    "field": (point("square", 6, flux=0.03), 4),
    "random flux": (point("zigzag", 10, laws=(BOX, Uniform(0.4, on="flux"))), 3),
    "random spins and bonds": (
        point("cubic", 3, 2, spin_orbit=SpinOrbit("su2", 1.0), laws=(BOX, MagneticImpurity(0.5))),
        3,
    ),
    "energies from the host": (point("square", 5, laws=(Gaussian(0.5, 1.2),)), 3),
    "slices in halves": (point("square", 9, laws=(Cauchy(3.0), Uniform(0.3, on="flux"))), 0),
}


def run(
    program: RaceProgram, name: str, *, entry: str = "shared", threads: int = 5, blocks: int = 1, without: str = ""
) -> tuple[BarOutput | None, str]:
    """What the kernel adds up, None where a race was found; and ThreadSanitizer's report."""
    case, interval = CASES[name]
    arrays = conductor_arrays(case), bar_arrays(case, ENDS)
    conductor = make_conductor(case, bar_slots(case, interval), dict.fromkeys(arrays[0]))
    inputs = make_bar_inputs(interval, ENDS, dict.fromkeys(arrays[1]))
    given, count = given_energies(case, REALIZATIONS), len(REALIZATIONS)
    told = case_bytes((conductor, inputs), arrays, REALIZATIONS, given, eigenvalues=False)
    found, report = program.execute(told, entry, threads, blocks, without)
    if found is None:
        return None, report
    sums, certificates = np.split(found, [len(found) - count * CERTIFICATE])
    by_mark = sums.reshape(count, len(ENDS), case.system.orbitals).transpose(1, 0, 2)
    return BarOutput(by_mark, *certificates.reshape(count, CERTIFICATE).T), report


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> RaceProgram:
    try:
        return build(tmp_path_factory.mktemp("race"), "race_check_bars.cpp")
    except NoThreadSanitizer as missing:
        pytest.skip(f"{missing}")


@pytest.mark.parametrize("name", CASES)
def test_a_block_of_threads_has_no_race_and_gives_the_numbers_of_the_host(program, name):
    case, interval = CASES[name]
    expected = follow(case, ENDS, interval, REALIZATIONS)
    for blocks, threads in ((1, 5), (2, 32)):
        found, report = run(program, name, blocks=blocks, threads=threads)
        assert found is not None, report
        np.testing.assert_allclose(found.sums, expected.sums, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.spread_sum, expected.spread_sum, rtol=1e-9)
        np.testing.assert_allclose(found.largest, expected.largest, rtol=1e-9)


@pytest.mark.parametrize("entry", ["shared", "global"])
@pytest.mark.parametrize("name", ["random flux", "slices in halves"])
def test_any_memory_number_of_blocks_and_threads_gives_the_same_bytes(program, entry, name):
    expected, _ = run(program, name, threads=1)
    for blocks, threads in ((1, 7), (2, 5), (3, 40)):
        found, report = run(program, name, entry=entry, blocks=blocks, threads=threads)
        assert found is not None, report
        assert found.sums.tobytes() == expected.sums.tobytes()
        assert found.spread_sum.tobytes() == expected.spread_sum.tobytes()


# Those of frames.cuh are the transmission kernel's case: here each thread goes on with the tile that it has computed.
OWN_BARRIERS = [place for place in barriers("lyapunov.cu") if not place.startswith("frames.cuh")]


@pytest.mark.parametrize("place", OWN_BARRIERS)
def test_every_barrier_that_is_left_out_is_noticed(program, place):
    # Few threads have their columns to themselves, and many their sites.
    runs = [
        run(program, name, threads=threads, without=place)
        for name in ("random flux", "slices in halves")
        for threads in (5, 32)
    ]
    assert any(found is None and "data race" in report for found, report in runs)
