"""The recursive Green's-function kernel as a block of threads: no race, every barrier needed, the host's numbers."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from race_program import NoThreadSanitizer, RaceProgram, build, case_bytes

from mesogpu.backends.conductor import FIELDS, KernelOutput, conductor_arrays, make_conductor, unpack
from mesogpu.backends.greens_inputs import SLOTS, conducting_energies, layer_arrays, make_layer_inputs
from mesogpu.backends.native import compiler
from mesogpu.backends.native.greens_library import recurse
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Binary, Cauchy, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Point

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

REALIZATIONS = np.array([3, 4, 1000], dtype=np.uint32)

BOX = Uniform(2.0)


def point(
    kind: str, width: int, *lengths: int, periodic: bool = False, eigenvalues: bool = True, **changes: Any
) -> Point:
    lattice = Lattice(kind, width, 1, (periodic, False))
    system = replace(System(lattice, 1.0, 0.0, 0.5, 0.0, True, (BOX,)), **changes)
    return Point(0, (), system, lengths, seed=7, stream_point=0, eigenvalues=eigenvalues, shot_noise=True)


RASHBA = SpinOrbit("rashba", 0.3)
CASES = {
    "one site": point("chain", 1, 1, 6),
    "layers of unlike size, two lengths": point("armchair", 7, 2, 5, flux=0.02),
    "one layer a slice": point("square", 10, 3, 9, laws=(Cauchy(0.05),)),
    "traces alone": point("armchair", 22, 4, eigenvalues=False),
    "a ring with a bond in a layer": point("armchair", 5, 3, periodic=True, energy=0.9),
    "missing sites": point("square", 6, 1, 7, laws=(BOX, Vacancy(0.3))),
    "missing bonds and spin": point("square", 4, 5, spin_orbit=RASHBA, laws=(Binary((0.0, -1.0), 0.2, on="bonds"),)),
    "random spins": point("square", 3, 4, laws=(BOX, MagneticImpurity(0.5))),
    "random flux": point("zigzag", 6, 4, laws=(BOX, Uniform(0.4, on="flux"))),
    "many pivots": point("armchair", 20, 4, 9, energy=0.01, lead_potential=-0.6, laws=(Uniform(0.2),)),
}


def run(
    program: RaceProgram,
    case: Point,
    *,
    entry: str = "shared",
    threads: int = 5,
    blocks: int = 1,
    without: str = "",
) -> tuple[KernelOutput | None, str]:
    """The kernel's output, None where a race was found; and ThreadSanitizer's report."""
    split = not case.system.lattice.fully_linked
    arrays = conductor_arrays(case), layer_arrays(case, split)
    conductor = make_conductor(case, SLOTS, dict.fromkeys(arrays[0]))
    inputs = make_layer_inputs(arrays[1], dict.fromkeys(arrays[1]))
    given, _ = conducting_energies(case, REALIZATIONS)
    sent = case_bytes((conductor, inputs), arrays, REALIZATIONS, given, eigenvalues=case.eigenvalues)
    found, report = program.execute(sent, entry, threads, blocks, without)
    if found is None:
        return None, report
    border = len(REALIZATIONS) * conductor.recorded * FIELDS
    values = found[border:] if case.eigenvalues else None
    return unpack(found[:border], values, conductor, 1, len(REALIZATIONS)), report


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> RaceProgram:
    try:
        return build(tmp_path_factory.mktemp("race"), "race_check_greens.cpp")
    except NoThreadSanitizer as missing:
        pytest.skip(f"{missing}")


def assert_same(computed: KernelOutput, expected: KernelOutput) -> None:
    """As far as condition numbers of 1e5 allow; what is small beside 1, absolute."""
    np.testing.assert_array_equal(computed.exponent, expected.exponent)
    for field in fields(KernelOutput):
        ours, theirs = getattr(computed, field.name), getattr(expected, field.name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10, err_msg=field.name)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [5, 32])
def test_a_block_of_threads_has_no_race_and_gives_the_numbers_of_the_host(program, case, threads):
    # Seen to fail without the barrier after the inverse of a tile, which a host build cannot miss.
    output, report = run(program, CASES[case], threads=threads)
    assert output is not None, report
    assert_same(output, recurse(CASES[case], not CASES[case].system.lattice.fully_linked, REALIZATIONS)[0])


@pytest.mark.parametrize("entry", ["shared", "split", "global"])
def test_any_memory_number_of_blocks_and_threads_gives_the_same_bytes(program, entry):
    # Seen to fail with every block in the workspace of block 0, and with the far part over the end of the near one.
    case = CASES["many pivots"]
    expected, _ = run(program, case, threads=1)
    for blocks, threads in ((1, 7), (2, 5), (3, 40)):
        output, report = run(program, case, entry=entry, blocks=blocks, threads=threads)
        assert output is not None, report
        for field in fields(KernelOutput):
            assert getattr(output, field.name).tobytes() == getattr(expected, field.name).tobytes(), field.name


def barriers() -> list[str]:
    """file:line of every __syncthreads() that this kernel comes past."""
    return [
        f"{name}:{number}"
        for name in ("greens_function.cu", "inverse.cuh", "layers.cuh")
        for number, line in enumerate((kernel_folder() / name).read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*__syncthreads\(\);", line)
    ]


@pytest.mark.parametrize("place", barriers())
def test_every_barrier_that_is_left_out_is_noticed(program, place):
    # With spin and more threads, a site's rows are not those that its thread has in other phases.
    for case, threads in (("many pivots", 5), ("missing bonds and spin", 37)):
        output, report = run(program, CASES[case], threads=threads, without=place)
        if output is None:
            break
    assert output is None
    assert "data race" in report
