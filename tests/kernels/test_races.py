"""The kernels as a block of threads: free of races, every barrier needed, and the same numbers as on the host."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from race_program import NoThreadSanitizer, RaceProgram, barriers, build

from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.native import compiler
from mesogpu.backends.native.library import transmit
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, MagneticImpurity, Uniform
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
RASHBA, SU2 = SpinOrbit("rashba", 0.3), SpinOrbit("su2", 1.0)
RANDOM_FLUX, RANDOM_BONDS = Uniform(0.4, on="flux"), Uniform(0.8, on="bonds")
RING = (True, False)


def point(
    lattice: Lattice, *lengths: int, energy: float = 0.5, laws: tuple = (BOX,), eigenvalues: bool = True, **more: object
) -> Point:
    system = replace(System(lattice, 1.0, 0.0, energy, 0.0, False, laws), **more)
    return Point(0, (), system, lengths, seed=7, stream_point=0, eigenvalues=eigenvalues, shot_noise=True)


def strip(width: int) -> Lattice:
    return Lattice("square", width)


CASES = {
    "one site": point(Lattice("chain", 1), 1, 6),
    "one tile, two recorded lengths": point(strip(3), 2, 9),
    "closed channels": point(strip(10), 7, energy=-3.2),
    "flux": point(strip(10), 4, 11, flux=0.03),
    "flux round a cylinder": point(Lattice("square", 13, 1, RING), 5, flux=1 / 13),
    "traces alone": point(strip(13), 1, 2, 8, eigenvalues=False),
    "gaussian": point(strip(3), 8, laws=(Gaussian(0.5),)),
    "cauchy": point(strip(10), 8, laws=(Cauchy(0.05),)),
    "binary and box": point(strip(13), 8, laws=(Binary((-0.3, 0.6), 0.3), Uniform(1.0))),
    "energies from the host": point(strip(5), 5, laws=(Gaussian(0.3, 1.5), BOX)),
    "bar": point(Lattice("cubic", 3, 5), 2, 6),
    "bar with random bonds": point(Lattice("cubic", 3, 4, (True, True)), 5, energy=0.3, laws=(BOX, RANDOM_BONDS)),
    "zigzag": point(Lattice("zigzag", 7), 3, 6, energy=1.3),
    "random flux": point(strip(9), 2, 7, laws=(BOX, RANDOM_FLUX)),
    "rashba": point(strip(5), 2, 7, spin_orbit=RASHBA),
    "rashba in a field": point(strip(5), 3, 5, spin_orbit=RASHBA, flux=0.02, zeeman=(0.2, -0.1, 0.3)),
    "random spin-orbit": point(strip(3), 2, 7, spin_orbit=SU2),
    "magnetic impurities": point(strip(6), 6, laws=(BOX, MagneticImpurity(0.5))),
    "everything": point(
        Lattice("square", 5, 1, RING),
        4,
        11,
        spin_orbit=SU2,
        flux=0.4,
        zeeman=(0.2, -0.1, 0.3),
        laws=(BOX, RANDOM_FLUX, RANDOM_BONDS, MagneticImpurity(0.5)),
    ),
}

INTERVAL = 3


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> RaceProgram:
    try:
        return build(tmp_path_factory.mktemp("race"))
    except NoThreadSanitizer as missing:
        pytest.skip(f"{missing}")


def assert_same(computed: KernelOutput, expected: KernelOutput) -> None:
    """1e-12 relative; the defect, a difference of numbers near N, and T_n, at most 1, absolute."""
    for field in fields(KernelOutput):
        ours, theirs = getattr(computed, field.name), getattr(expected, field.name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            absolute = 1e-12 if field.name in ("defect", "eigenvalues") else 0.0
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=absolute, err_msg=field.name)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [5, 32])
def test_a_block_of_threads_has_no_race_and_gives_the_numbers_of_the_host(program, case, threads):
    # Seen to fail without the barrier before t' takes the place of R, which a host build cannot miss.
    output, report = program.run(CASES[case], INTERVAL, REALIZATIONS, threads=threads)
    assert output is not None, report
    assert_same(output, transmit(CASES[case], INTERVAL, REALIZATIONS))


@pytest.mark.parametrize("entry", ["shared", "split", "global"])
@pytest.mark.parametrize("case", ["flux", "everything"])
def test_any_memory_number_of_blocks_and_threads_gives_the_same_bytes(program, entry, case):
    # Seen to fail with every block in the workspace of block 0, and with the far part over the end of the near one.
    expected, _ = program.run(CASES[case], INTERVAL, REALIZATIONS, threads=1)
    for blocks, threads in ((1, 7), (2, 5), (3, 40)):
        output, report = program.run(CASES[case], INTERVAL, REALIZATIONS, entry=entry, blocks=blocks, threads=threads)
        assert output is not None, report
        for field in fields(KernelOutput):
            assert getattr(output, field.name).tobytes() == getattr(expected, field.name).tobytes(), field.name


@pytest.mark.parametrize("place", barriers("transmission.cu"))
def test_every_barrier_that_is_left_out_is_noticed(program, place):
    output, report = program.run(CASES["everything"], INTERVAL, REALIZATIONS, without=place)
    assert output is None
    assert "data race" in report
