"""Conductors of every model: one function a lattice, one a model, and random ones of either kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mesogpu.errors import PhysicsError
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.lattices import KINDS, Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Block, Point

BOX = Uniform(2.0)

MODELS = (
    "plain",
    "field",
    "rashba",
    "ando",
    "su2",
    "evangelou-ziman",
    "zeeman",
    "magnetic",
    "random-flux",
    "bonds",
    "missing-bonds",
    "vacancies",
    "correlated",
)
"""What `random_system` takes for a model; a field or another law may come along in any of them."""


def point(
    system: System, lengths: tuple[int, ...], *, seed: int = 7, eigenvalues: bool = True, stream_point: int = 0
) -> Point:
    return Point(0, (), system, lengths, seed, stream_point, eigenvalues, shot_noise=True)


def block(system: System, lengths: tuple[int, ...], first: int = 0, count: int = 16, **changes: object) -> Block:
    return Block(point(system, lengths, **changes), 0, first, count)


def conductor(lattice: Lattice, **changes: object) -> System:
    """Box disorder of width 2 at an energy in the band of every lattice; `changes` are fields of `System`."""
    return replace(System(lattice, 1.0, 0.0, 0.5, 0.0, True, (BOX,)), **changes)


def chain(**changes: object) -> System:
    return conductor(Lattice("chain", 1), **changes)


def strip(width: int = 6, *, periodic: bool = False, **changes: object) -> System:
    return conductor(Lattice("square", width, 1, (periodic, False)), **changes)


def bar(width: int = 3, depth: int = 4, *, periodic: tuple[bool, bool] = (False, False), **changes: object) -> System:
    return conductor(Lattice("cubic", width, depth, periodic), **changes)


def zigzag(width: int = 6, *, periodic: bool = False, energy: float = 1.3, **changes: object) -> System:
    return conductor(Lattice("zigzag", width, 1, (periodic, False)), energy=energy, **changes)


def armchair(width: int = 6, *, periodic: bool = False, energy: float = 1.3, **changes: object) -> System:
    return conductor(Lattice("armchair", width, 1, (periodic, False)), energy=energy, **changes)


def rashba(width: int = 5, strength: float = 0.3, **changes: object) -> System:
    return strip(width, spin_orbit=SpinOrbit("rashba", strength), **changes)


def ando(width: int = 5, angle: float = np.pi / 6, **changes: object) -> System:
    return strip(width, spin_orbit=SpinOrbit("ando", angle), **changes)


def su2(width: int = 5, **changes: object) -> System:
    return strip(width, spin_orbit=SpinOrbit("su2", 1.0), **changes)


def evangelou_ziman(width: int = 5, strength: float = 1.0, **changes: object) -> System:
    return strip(width, spin_orbit=SpinOrbit("evangelou-ziman", strength), **changes)


def zeeman(width: int = 5, field: tuple[float, float, float] = (0.2, -0.1, 0.3), **changes: object) -> System:
    """Rashba coupling beside it, without which the two spins would just have two energies."""
    return rashba(width, zeeman=field, **changes)


def magnetic(width: int = 5, exchange: float = 0.5, **changes: object) -> System:
    return strip(width, laws=(BOX, MagneticImpurity(exchange)), **changes)


def random_flux(width: int = 6, spread: float = 0.4, **changes: object) -> System:
    return strip(width, laws=(BOX, Uniform(spread, on="flux")), **changes)


def random_bonds(width: int = 6, spread: float = 0.8, **changes: object) -> System:
    return strip(width, laws=(BOX, Uniform(spread, on="bonds")), **changes)


def missing_bonds(width: int = 6, fraction: float = 0.15, **changes: object) -> System:
    return strip(width, laws=(BOX, Binary((0.0, -1.0), fraction, on="bonds")), **changes)


def vacancies(width: int = 6, density: float = 0.15, **changes: object) -> System:
    return strip(width, laws=(BOX, Vacancy(density)), **changes)


def correlated(width: int = 6, sigma: float = 0.5, length: float = 1.5, **changes: object) -> System:
    return strip(width, laws=(Gaussian(sigma, length),), **changes)


NAMED = {
    "chain": chain(),
    "strip": strip(),
    "cylinder": strip(periodic=True),
    "strip in a field": strip(flux=0.03),
    "field between plain leads": strip(flux=0.03, lead_flux=False),
    "bar": bar(),
    "periodic bar in a field": bar(4, 3, periodic=(True, True), flux=0.25),
    "zigzag": zigzag(),
    "zigzag tube": zigzag(periodic=True),
    "armchair": armchair(),
    "armchair in a field": armchair(7, flux=0.02),
    "rashba": rashba(),
    "rashba between plain leads": rashba(lead_spin_orbit=False),
    "ando": ando(),
    "ando in a field": ando(flux=0.03),
    "armchair with rashba": armchair(4, spin_orbit=SpinOrbit("rashba", 0.2)),
    "su2": su2(),
    "su2 bar": bar(3, 2, spin_orbit=SpinOrbit("su2", 1.0)),
    "evangelou-ziman": evangelou_ziman(),
    "zeeman": zeeman(),
    "magnetic": magnetic(),
    "random flux": random_flux(),
    "random bonds": random_bonds(),
    "missing bonds": missing_bonds(),
    "vacancies": vacancies(),
    "graphene with vacancies": zigzag(laws=(Vacancy(0.1),)),
    "correlated": correlated(),
}
"""One conductor of every model, for tests that need no random ones."""


def random_system(
    generator: np.random.Generator, kind: str | None = None, model: str | None = None, max_width: int = 6
) -> System:
    """A conductor of a lattice and a model, any of each where not named, with at least one open channel.

    max_width : of a strip; a bar has its root in either direction
    """
    kind = kind or str(generator.choice(KINDS))
    model = model or str(generator.choice(MODELS))
    while True:
        lattice = _random_lattice(generator, kind, max_width)
        hopping = float(generator.choice([1.0, 0.7, 2.0]))
        coupling = _random_spin_orbit(generator, model, hopping)
        system = System(
            lattice=lattice,
            hopping=hopping,
            flux=_random_flux(generator, lattice) if model == "field" or generator.random() < 0.3 else 0.0,
            energy=float(generator.uniform(-2.5, 2.5)) * hopping,
            lead_potential=float(generator.choice([0.0, 0.0, 0.4])) * hopping,
            lead_flux=bool(generator.random() < 0.5),
            laws=_random_laws(generator, model, hopping),
            spin_orbit=coupling,
            lead_spin_orbit=bool(generator.random() < 0.5),
            zeeman=_random_field(generator, hopping) if model == "zeeman" else None,
        )
        try:
            if system.channels():
                return system
        except PhysicsError:
            continue


def random_point(
    generator: np.random.Generator,
    kind: str | None = None,
    model: str | None = None,
    *,
    max_width: int = 6,
    max_length: int = 14,
) -> Point:
    """A random conductor and up to three lengths of it."""
    lengths = np.unique(generator.integers(1, max_length + 1, size=3))
    system = random_system(generator, kind, model, max_width)
    return point(system, tuple(int(length) for length in lengths), seed=int(generator.integers(2**32)))


def _random_lattice(generator: np.random.Generator, kind: str, max_width: int) -> Lattice:
    if kind == "chain":
        return Lattice("chain", 1)
    joined = (generator.random(2) < 1 / 3).tolist()
    if kind == "cubic":
        largest = int(np.sqrt(max_width)) + 1
        width, depth = (int(generator.integers(3 if ring else 2, largest + 1)) for ring in joined)
        return Lattice("cubic", width, depth, (joined[0], joined[1]))
    width = int(generator.integers(3, max_width + 1))
    if kind != "square" and joined[0]:
        width += width % 2
    return Lattice(kind, width, 1, (joined[0], False))


def _random_flux(generator: np.random.Generator, lattice: Lattice) -> float:
    """Whole quanta through the ring where the sides are joined."""
    flux = float(generator.uniform(-0.3, 0.3))
    return round(flux * lattice.width) / lattice.width if lattice.periodic[0] else flux


def _random_spin_orbit(generator: np.random.Generator, model: str, hopping: float) -> SpinOrbit | None:
    strengths = {
        "rashba": float(generator.uniform(0.1, 0.6)) * hopping,
        "zeeman": float(generator.uniform(0.1, 0.6)) * hopping,
        "ando": float(generator.uniform(0.1, 1.4)),
        "su2": 1.0,
        "evangelou-ziman": float(generator.uniform(0.5, 2.0)),
    }
    if model not in strengths or (model == "zeeman" and generator.random() < 0.3):
        return None
    return SpinOrbit("rashba" if model == "zeeman" else model, strengths[model])


def _random_field(generator: np.random.Generator, hopping: float) -> tuple[float, float, float]:
    x, y, z = (generator.normal(size=3) * 0.3 * hopping).tolist()
    return x, y, z


def _random_laws(generator: np.random.Generator, model: str, hopping: float) -> tuple[Law, ...]:
    """One or two laws of the energies, in units of the hopping, before or behind what the model asks for."""
    strength = float(generator.choice([0.1, 0.3, 0.6])) * hopping
    energies = (
        Uniform(4.0 * strength),
        Gaussian(strength),
        Cauchy(0.2 * strength),
        Binary((-strength, 2.0 * strength), float(generator.random())),
    )
    laws: list[Law] = [energies[k] for k in generator.integers(len(energies), size=int(generator.integers(1, 3)))]
    special: dict[str, list[Law]] = {
        "magnetic": [MagneticImpurity(float(generator.uniform(0.1, 0.8)) * hopping)],
        "random-flux": [
            Uniform(float(generator.uniform(0.1, 1.0)), on="flux"),
            Gaussian(float(generator.uniform(0.05, 0.3)), on="flux"),
        ],
        "bonds": [
            Uniform(float(generator.uniform(0.2, 1.2)) * hopping, on="bonds"),
            Gaussian(0.15 * hopping, on="bonds"),
            Binary((-0.4 * hopping, 0.3 * hopping), 0.4, on="bonds"),
        ],
        "missing-bonds": [Binary((0.0, -hopping), float(generator.uniform(0.05, 0.25)), on="bonds")],
        "vacancies": [Vacancy(float(generator.uniform(0.05, 0.25)))],
        "correlated": [Gaussian(0.5 * hopping, float(generator.uniform(0.5, 2.5)))],
    }
    if model in special:
        choices = special[model]
        laws.insert(int(generator.integers(len(laws) + 1)), choices[generator.integers(len(choices))])
    return tuple(laws)
