"""Every engine against Kwant, which solves the same samples in a process of its own.

MESOGPU_KWANT_PYTHON names an interpreter that has Kwant 1.5; without it, `python3` of the path is asked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from engines import ENGINES
from models import MODELS, random_point
from stored_models import stored_models

from mesogpu.physics.disorder import MagneticImpurity
from mesogpu.physics.draws import SPIN_ORBIT_POSITION, Draws, stream_of
from mesogpu.physics.lattices import KINDS
from mesogpu.plan import Block, Point, Status

pytestmark = pytest.mark.kwant

STORED = stored_models()
PROGRAM = Path(__file__).with_name("kwant_reference.py")
SAMPLES = 4
"""Of every lattice and model."""

BOUND = 1e-9
VISIBLE = 1e-8
"""Kwant's amplitudes have absolute errors: below this conductance its logarithm is not known to 1e-9."""


def samples() -> list[tuple[str, Block]]:
    """The stored conductor of every lattice and model, then random ones; a realization of one length each."""
    generator = np.random.default_rng(20261122)
    blocks = [(name, block) for name, block, _ in STORED]
    for kind in KINDS:
        for model in MODELS:
            for _ in range(SAMPLES):
                point = random_point(generator, kind, model)
                point = Point(0, (), point.system, point.lengths[-1:], point.seed, 0, True, True)
                blocks.append((f"{kind} {model}", Block(point, 0, int(generator.integers(2**20)), 1)))
    return blocks


def kwant_case(block: Block) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Parameters and random numbers of a sample, as `kwant_reference.py` takes them."""
    system, length = block.point.system, block.point.lengths[0]
    lattice, coupling = system.lattice, system.spin_orbit
    draws = Draws(block.point.seed, [block.first], range(length), lattice)
    shape = (length, lattice.width, lattice.depth)
    arrays = {
        "onsite": np.zeros(shape),
        "spins": np.zeros((*shape, 3)),
        "change": np.zeros((3, *shape)),
        "coupling": np.zeros((3, *shape, 4)),
        "flux": np.zeros(shape),
    }
    if system.zeeman is not None:
        arrays["spins"] += system.zeeman
    for position, law in enumerate(system.laws):
        if isinstance(law, MagneticImpurity):
            arrays["spins"] += draws.numbers(law, stream_of(position, 4)).reshape(*shape, 3)
        elif law.on == "bonds":
            for axis in range(3):
                arrays["change"][axis] += draws.numbers(law, stream_of(position, 1 + axis)).reshape(shape)
        else:
            name, place = ("flux", 5) if law.on == "flux" else ("onsite", 0)
            arrays[name] += draws.numbers(law, stream_of(position, place)).reshape(shape)
    if coupling is not None and coupling.random:
        for axis in range(3):
            words = draws.words(lattice.numbers(), stream_of(SPIN_ORBIT_POSITION, 1 + axis))
            arrays["coupling"][axis] = coupling.drawn_bonds(words).reshape(*shape, 4)
    parameters = {
        "kind": lattice.kind,
        "periodic": list(lattice.periodic),
        "spin_orbit": coupling and [coupling.kind, coupling.strength],
        "spins": system.spins,
    }
    same = ("hopping", "flux", "energy", "lead_potential", "lead_flux", "lead_spin_orbit")
    return parameters | {name: getattr(system, name) for name in same}, arrays


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> list[tuple[str, Block, np.ndarray]]:
    """Name, sample and Kwant's transmission eigenvalues."""
    python = os.environ.get("MESOGPU_KWANT_PYTHON") or shutil.which("python3") or "python3"
    if subprocess.run([python, "-c", "import kwant"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no Kwant: set MESOGPU_KWANT_PYTHON to one that has")
    folder = tmp_path_factory.mktemp("kwant")
    blocks, stored, cases = samples(), {}, []
    for number, (_, block) in enumerate(blocks):
        parameters, arrays = kwant_case(block)
        cases.append(parameters)
        stored |= {f"{number}/{name}": array for name, array in arrays.items()}
    np.savez(folder / "cases.npz", cases=json.dumps(cases), **stored)
    # PYTHONPATH of this process may hold a NumPy that Kwant cannot use; its threads get in each other's way.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, str(PROGRAM), str(folder / "cases.npz"), str(folder / "answers.npz")]
    subprocess.run(command, check=True, env=environment, timeout=600)
    with np.load(folder / "answers.npz") as answered:
        assert max(float(answered[f"{number}/unitarity"]) for number in range(len(blocks))) < 1e-9
        return [(name, block, answered[str(number)]) for number, (name, block) in enumerate(blocks)]


def test_the_stored_answers_are_kwants(answers):
    for (name, _, stored), (_, _, exact) in zip(STORED, answers, strict=False):
        np.testing.assert_allclose(stored, exact, rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("engine", ENGINES)
def test_random_conductors_of_every_model_transmit_as_in_kwant(engine, answers, capsys):
    # Seen to fail with each fault of the Hamiltonian listed in test_symmetries.py.
    computing, worst, helped = engine(), defaultdict(lambda: np.zeros(2)), 0
    for name, block, exact in answers[len(STORED) :]:
        arrays = computing.compute(block)
        assert arrays["status"][0, 0] <= Status.NO_PATH, block
        helped += arrays["status"][0, 0] == Status.ORACLE
        eigenvalues = arrays["transmission_eigenvalues"][0, 0]
        assert len(eigenvalues) == len(exact), block
        deviation = np.array([np.abs(eigenvalues - exact).max(), 0.0])
        if exact.sum() > VISIBLE:
            deviation[1] = abs(arrays["log_conductance"][0, 0] - np.log(exact.sum()))
        worst[name] = np.maximum(worst[name], deviation)
        assert deviation.max() < BOUND, (deviation, block)
    # It is this engine's own answers that agree, not those of the one that helps it out.
    assert helped <= 0.05 * len(answers)
    rows = [f"{name:30} {eigenvalue:.1e}  {logarithm:.1e}\n" for name, (eigenvalue, logarithm) in worst.items()]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(answers) - len(STORED)} samples\n{'lattice and model':30} |d T_n|  |d ln g|\n")
        sys.stdout.write("".join(rows))
