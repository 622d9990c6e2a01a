"""The steps of wide frames as a block of threads: no race, every barrier needed, the host's numbers."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from race_program import RACE, SECONDS, NoThreadSanitizer, RaceProgram, build

from mesogpu.backends.conductor import Conductor, conductor_arrays, given_energies, make_conductor
from mesogpu.backends.kernel_inputs import FrameInputs, frame_arrays, make_frame_inputs, slots_of
from mesogpu.backends.native import compiler
from mesogpu.backends.native.wide import HostSteps
from mesogpu.backends.sources import kernel_folder
from mesogpu.backends.wide.steps import Stretch
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Gaussian, MagneticImpurity, Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Point

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

REALIZATIONS = np.array([3, 4, 1000], dtype=np.uint32)
INTERVAL = 3
BOX = Uniform(2.0)
WITH_BARRIERS = ("coefficients.cuh", "steps.cuh")


def point(lattice: Lattice, *lengths: int, **changes: Any) -> Point:
    system = replace(System(lattice, 1.0, 0.0, 0.5, 0.0, True, (BOX,)), **changes)
    return Point(0, (), system, lengths, seed=7, stream_point=0, eigenvalues=False, shot_noise=True)


CASES = {
    "strip, two recorded lengths": point(Lattice("square", 10), 2, 9),
    "field": point(Lattice("square", 6), 4, 7, flux=0.03),
    "random flux": point(Lattice("zigzag", 6), 1, 5, laws=(BOX, Uniform(0.4, on="flux"))),
    "random spins and bonds": point(
        Lattice("cubic", 3, 2), 2, 6, spin_orbit=SpinOrbit("su2", 1.0), laws=(BOX, MagneticImpurity(0.5))
    ),
    "energies from the host": point(Lattice("square", 5), 6, laws=(Gaussian(0.5, 1.2),)),
}


def run(
    program: RaceProgram, case: Point, *, threads: int = 5, blocks: int = 1, without: str = ""
) -> tuple[np.ndarray | None, str]:
    """Frames at the longest length, None where a race was found; and ThreadSanitizer's report."""
    done = subprocess.run(
        [*program.prefix, str(program.path), "steps", str(threads), str(blocks), *([without] if without else [])],
        input=case_bytes(case),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=os.environ | {"TSAN_OPTIONS": f"halt_on_error=1 exitcode={RACE}"},
    )
    report = done.stderr.decode(errors="replace")
    if done.returncode == RACE:
        return None, report
    assert done.returncode == 0, report
    return np.frombuffer(done.stdout, dtype=np.complex128).reshape(len(REALIZATIONS), 2, -1), report


def case_bytes(case: Point) -> bytes:
    """What the program reads, see kernels/thread_block.hpp."""
    arrays = conductor_arrays(case), frame_arrays(case)
    conductor = make_conductor(case, slots_of(case.system, INTERVAL), dict.fromkeys(arrays[0]))
    inputs = make_frame_inputs(INTERVAL, dict.fromkeys(arrays[1]))
    parts = [bytes(conductor), bytes(inputs), numbers(sum(map(len, arrays)))]
    for structure, (kind, members) in enumerate(zip((Conductor, FrameInputs), arrays, strict=True)):
        for name, array in members.items():
            parts += [numbers(structure, getattr(kind, name).offset, array.nbytes), array.tobytes()]
    given = given_energies(case, REALIZATIONS)
    parts += [numbers(len(REALIZATIONS)), REALIZATIONS.tobytes(), numbers(given is not None)]
    return b"".join([*parts, b"" if given is None else np.ascontiguousarray(given).tobytes(), numbers(0)])


def numbers(*values: Any) -> bytes:
    return np.array(values, dtype=np.int64).tobytes()


def on_host(case: Point) -> np.ndarray:
    """The same frames by the host's build."""
    orbitals = case.system.orbitals
    start = frame_arrays(case)["start"].reshape(2, orbitals, orbitals)
    frames = np.tile(start, (len(REALIZATIONS), 1, 1, 1))
    steps, here = HostSteps(case, INTERVAL, REALIZATIONS), 1
    for last, length in pairwise((0, *case.lengths)):
        for first in range(last, length, INTERVAL):
            count = min(INTERVAL, length - first)
            steps.cross(frames, Stretch(first, count, length, here, first == last > 0))
            here = (here + count) % 2
    return frames.reshape(len(REALIZATIONS), 2, -1)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> RaceProgram:
    try:
        return build(tmp_path_factory.mktemp("race"), "race_check_wide.cpp")
    except NoThreadSanitizer as missing:
        pytest.skip(f"{missing}")


@pytest.mark.parametrize("case", CASES)
def test_a_block_of_threads_has_no_race_and_gives_the_frames_of_the_host(program, case):
    # Seen to fail with the slices drawn before the lead is left, without a barrier in between.
    expected = on_host(CASES[case])
    for blocks, threads in ((1, 5), (2, 32)):
        found, report = run(program, CASES[case], blocks=blocks, threads=threads)
        assert found is not None, report
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize(
    "place",
    [
        f"{name}:{number}"
        for name in WITH_BARRIERS
        for number, line in enumerate((kernel_folder() / name).read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*__syncthreads\(\);", line)
    ],
)
def test_every_barrier_that_is_left_out_is_noticed(program, place):
    found, report = run(program, CASES["random flux"], without=place)
    assert found is None
    assert "data race" in report
