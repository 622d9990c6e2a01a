"""What is timed: the standard sizes, and random conductors for comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mesogpu.errors import PhysicsError
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, Uniform
from mesogpu.physics.systems import System
from mesogpu.plan import Point

ENERGY = 0.5
DISORDER = 2.0
FLUX = 0.01
SEED = 20261121


@dataclass(frozen=True, slots=True)
class Case:
    """A strip of the square lattice, hard walls, E = 0.5, box disorder, one length.

    width, length : M, L
    flux          : quanta h/e per plaquette, in the leads too
    disorder      : full width W of the box, units of t
    """

    width: int
    length: int
    flux: float = 0.0
    disorder: float = DISORDER

    @property
    def name(self) -> str:
        """Width x length, as in the tables."""
        return f"{self.width} x {self.length}" + (f", flux {self.flux:g}" if self.flux else "")

    def point(self, *, eigenvalues: bool = False) -> Point:
        """The same as a backend sees it."""
        system = System(
            width=self.width,
            periodic=False,
            hopping=1.0,
            flux=self.flux,
            energy=ENERGY,
            lead_potential=0.0,
            lead_flux=True,
            laws=(Uniform(self.disorder),),
        )
        return Point(0, (), system, (self.length,), SEED, 0, eigenvalues, True)

    def as_json(self) -> dict[str, Any]:
        """All that defines it."""
        return {**asdict(self), "energy": ENERGY, "channels": self.point().system.channels()}


SIZES = ((10, 100), (20, 100), (32, 64), (32, 320), (64, 64), (64, 640), (128, 128))
STANDARD = (*(Case(*size) for size in SIZES), Case(64, 64, FLUX), Case(32, 320, FLUX))
WIDE = Case(256, 256)
"""Where another algorithm gains: timed beside Kwant."""

QUICK = (Case(10, 100), Case(32, 64), Case(32, 64, FLUX))


def random_points(count: int, max_width: int, max_length: int, seed: int = SEED) -> Iterator[Point]:
    """Any width, two lengths, any energy of the band, all four laws; a field in a third, periodic sides in a third."""
    generator = np.random.default_rng(seed)
    made = 0
    while made < count:
        width = int(generator.integers(1, max_width + 1))
        periodic = width >= 3 and generator.random() < 1 / 3
        flux = float(generator.uniform(-0.3, 0.3)) if generator.random() < 1 / 3 else 0.0
        system = System(
            width=width,
            periodic=periodic,
            hopping=1.0,
            flux=round(flux * width) / width if periodic else flux,
            energy=float(generator.uniform(-3.8, 3.8)),
            lead_potential=float(generator.choice([0.0, 0.4])),
            lead_flux=bool(generator.random() < 0.5),
            laws=(_law(generator),),
        )
        lengths = np.unique(generator.integers(1, max_length + 1, size=2))
        try:
            closed = system.channels() == 0
        except PhysicsError:  # the energy hit a lead mode's band edge
            continue
        if closed:
            continue
        made += 1
        seed_of_point = int(generator.integers(2**32))
        yield Point(0, (), system, tuple(int(x) for x in lengths), seed_of_point, 0, True, True)


def _law(generator: np.random.Generator) -> Law:
    strength = float(generator.choice([0.1, 0.3, 1.0, 2.0]))
    laws: tuple[Law, ...] = (
        Uniform(4.0 * strength),
        Gaussian(strength),
        Cauchy(0.2 * strength),
        Binary((-strength, 2.0 * strength), float(generator.random())),
    )
    return laws[int(generator.integers(len(laws)))]
