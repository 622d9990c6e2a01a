"""Single samples of random models, for statements that hold for each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from models import MODELS, block, random_system

from mesogpu.backends.base import Backend
from mesogpu.backends.reference.backend import conducting_slices
from mesogpu.backends.reference.recursion import scatter
from mesogpu.errors import PhysicsError
from mesogpu.physics.lattices import KINDS
from mesogpu.physics.slices import Slices
from mesogpu.physics.systems import System
from mesogpu.plan import Block, Status

EXACT = 1e-10


def drawn_block(kind: str, model: str, seed: int, max_length: int = 10) -> Block:
    """One random sample of a lattice and a model."""
    generator = np.random.default_rng(seed)
    system = random_system(generator, kind, model)
    length = int(generator.integers(1, max_length + 1))
    return block(system, (length,), first=int(generator.integers(2**16)), count=1, seed=int(generator.integers(2**32)))


def samples(kinds: tuple[str, ...] = KINDS, models: tuple[str, ...] = MODELS) -> st.SearchStrategy[Block]:
    """Random samples; a seed stands for all else that hypothesis could vary."""
    return st.builds(drawn_block, st.sampled_from(kinds), st.sampled_from(models), st.integers(0, 2**32 - 1))


def with_system(sample: Block, system: System) -> Block:
    """The same random numbers for another system, if that has an open channel and is at no threshold."""
    try:
        assume(system.channels() > 0)
    except PhysicsError:
        assume(False)
    return replace(sample, point=replace(sample.point, system=system))


def slices_of(sample: Block) -> Slices:
    return conducting_slices(sample.point, [sample.first])[0]


def transmitted(engine: type[Backend], sample: Block) -> np.ndarray:
    """T_n of every realization at every length, by this engine and no other that helps it out."""
    arrays = engine().compute(sample)
    assert np.all(np.isin(arrays["status"], [Status.CERTIFIED, Status.REDONE, Status.NO_PATH])), sample
    return arrays["transmission_eigenvalues"]


def by_recursion(system: System, slices: Slices) -> np.ndarray:
    """T_n of samples that the test has made itself."""
    (scattering,) = scatter(system, slices, (len(slices.numbers),))
    return np.linalg.svd(scattering.transmission, compute_uv=False) ** 2 * 4.0 ** scattering.exponent[:, None]
