"""Random conductors for the backend tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mesogpu.errors import PhysicsError
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, Uniform
from mesogpu.physics.systems import System
from mesogpu.plan import Block, Point


def strip(width: int = 6, **changes: object) -> System:
    """A hard-walled strip in the band, box disorder of width 2."""
    plain = System(
        width=width,
        periodic=False,
        hopping=1.0,
        flux=0.0,
        energy=0.5,
        lead_potential=0.0,
        lead_flux=True,
        laws=(Uniform(2.0),),
    )
    return replace(plain, **changes)


def point(system: System, lengths: tuple[int, ...], *, seed: int = 7, eigenvalues: bool = True) -> Point:
    return Point(0, (), system, lengths, seed=seed, stream_point=0, eigenvalues=eigenvalues, shot_noise=True)


def block(system: System, lengths: tuple[int, ...], first: int = 0, count: int = 16, **changes: object) -> Block:
    return Block(point(system, lengths, **changes), 0, first, count)


def random_point(generator: np.random.Generator, max_width: int, max_length: int) -> Point:
    """Any width, length, energy and disorder strength; a field in a third of the cases, periodic sides in a third."""
    while True:
        width = int(generator.integers(1, max_width + 1))
        periodic = width >= 3 and generator.random() < 1 / 3
        flux = float(generator.uniform(-0.3, 0.3)) if generator.random() < 1 / 3 else 0.0
        hopping = float(generator.choice([1.0, 0.7, 2.0]))
        system = System(
            width=width,
            periodic=periodic,
            hopping=hopping,
            flux=round(flux * width) / width if periodic else flux,
            energy=float(generator.uniform(-3.8, 3.8)) * hopping,
            lead_potential=float(generator.choice([0.0, 0.0, 0.4])) * hopping,
            lead_flux=bool(generator.random() < 0.5),
            laws=tuple(_law(generator) for _ in range(generator.integers(1, 3))),
        )
        lengths = np.unique(generator.integers(1, max_length + 1, size=3))
        try:
            channels = system.channels()
        except PhysicsError:
            continue
        if channels:
            return point(system, tuple(int(length) for length in lengths), seed=int(generator.integers(2**32)))


def _law(generator: np.random.Generator) -> Law:
    strength = float(generator.choice([0.1, 0.3, 1.0, 2.0]))
    laws = (
        Uniform(4.0 * strength),
        Gaussian(strength),
        Cauchy(0.2 * strength),
        Binary((-strength, 2.0 * strength), float(generator.random())),
    )
    return laws[generator.integers(len(laws))]
