"""What is timed: the standard sizes of the square strip, and one conductor of each other kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mesogpu.config.experiment import Bars
from mesogpu.physics.disorder import Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Point

ENERGY = 0.5
DISORDER = 2.0
FLUX = 0.01
SEED = 20261121
RASHBA = 0.3
"""Strength of the Rashba coupling of the case that has one, units of t; the leads have it too."""


@dataclass(frozen=True, slots=True)
class Case:
    """A conductor with hard walls, E = 0.5, box disorder, one length.

    width, length : M, L
    flux          : quanta h/e per plaquette, in the leads too
    disorder      : full width W of the box, units of t
    model         : a lattice, or "rashba": the square one with that coupling
    depth         : sites along z of a bar
    """

    width: int
    length: int
    flux: float = 0.0
    disorder: float = DISORDER
    model: str = "square"
    depth: int = 1

    @property
    def name(self) -> str:
        """Sizes, length last, and the model, as in the tables."""
        return case_name(asdict(self))

    def system(self) -> System:
        """The conductor."""
        rashba = self.model == "rashba"
        return System(
            lattice=Lattice("square" if rashba else self.model, self.width, self.depth),
            hopping=1.0,
            flux=self.flux,
            energy=ENERGY,
            lead_potential=0.0,
            lead_flux=True,
            laws=(Uniform(self.disorder),),
            spin_orbit=SpinOrbit("rashba", RASHBA) if rashba else None,
        )

    def point(self, *, eigenvalues: bool = False) -> Point:
        """The same as a backend sees it."""
        return Point(0, (), self.system(), (self.length,), SEED, 0, eigenvalues, True)

    def as_json(self) -> dict[str, Any]:
        """All that defines it."""
        return {**asdict(self), "energy": ENERGY, "channels": self.system().channels()}


@dataclass(frozen=True, slots=True)
class BarCase:
    """Periodic bars whose Lyapunov exponents are followed: M x M at the Anderson transition, or strips of width M.

    width    : M
    disorder : full width W of the box, units of t; 16.5 is critical in three dimensions, 5.952 with random SU(2) bonds
    model    : "cubic" at E = 0, or "su2" at E = 1
    """

    width: int
    disorder: float = 16.5
    model: str = "cubic"

    @property
    def name(self) -> str:
        """Sizes and the model, as in the tables."""
        return f"{self.width} x {self.width}" if self.model == "cubic" else f"{self.width}, {self.model}"

    def point(self, slices: int, *, warmup: int = 0) -> Point:
        """Bars of so many recorded slices."""
        cubic = self.model == "cubic"
        system = System(
            lattice=Lattice("cubic", self.width, self.width, (True, True))
            if cubic
            else Lattice("square", self.width, 1, (True, False)),
            hopping=1.0,
            flux=0.0,
            energy=0.0 if cubic else 1.0,
            lead_potential=0.0,
            lead_flux=True,
            laws=(Uniform(self.disorder),),
            spin_orbit=None if cubic else SpinOrbit("su2", 1.0),
        )
        return Point(0, (), system, (slices,), SEED, 0, False, False, Bars(slices, warmup, None))

    def as_json(self) -> dict[str, Any]:
        """All that defines it."""
        return {**asdict(self), "orbitals": self.point(1).system.orbitals}


def case_name(row: dict[str, Any]) -> str:
    """The name of a case from its parameters, as results hold them; those of before other models were are strips."""
    sizes = [row["width"], *([row["depth"]] if row.get("depth", 1) > 1 else []), row["length"]]
    model = row.get("model", "square")
    parts = [" x ".join(map(str, sizes)), *([model] if model != "square" else [])]
    return ", ".join([*parts, *([f"flux {row['flux']:g}"] if row["flux"] else [])])


SIZES = ((10, 100), (20, 100), (32, 64), (32, 320), (64, 64), (64, 640), (128, 128))
STANDARD = (*(Case(*size) for size in SIZES), Case(64, 64, FLUX), Case(32, 320, FLUX))
WIDE = Case(256, 256)
"""Where another algorithm gains: timed beside Kwant."""

MODELS = (
    Case(32, 320, model="rashba"),
    Case(6, 200, model="cubic", depth=6),
    Case(64, 64, model="zigzag"),
    Case(64, 64, model="armchair"),
)
"""Spin, a bar, and the two ribbons of a honeycomb; the last of them is the Green's-function kernel's."""

BARS = tuple(BarCase(width) for width in (4, 6, 8, 12, 16, 24))
"""Beyond 8 x 8 a group's frames leave the second-level cache."""

QUICK = (Case(10, 100), Case(32, 64, FLUX), Case(8, 32, model="rashba"), Case(8, 32, model="armchair"))
