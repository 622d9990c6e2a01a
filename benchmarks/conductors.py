"""Random conductors of every model, for comparisons of one engine with another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.cases import SEED
from mesogpu.errors import PhysicsError
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.lattices import KINDS, Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Point

COUPLINGS = ("rashba", "ando", "su2", "evangelou-ziman")


def random_points(count: int, most_orbitals: int, max_length: int, seed: int = SEED) -> Iterator[Point]:
    """Any lattice and size, two lengths, any energy in the band; a field, spin, and up to two laws of any kind.

    most_orbitals : of a slice
    """
    generator = np.random.default_rng(seed)
    made = 0
    while made < count:
        system = _system(generator, most_orbitals)
        lengths = np.unique(generator.integers(1, max_length + 1, size=2))
        try:
            closed = system.channels() == 0
        except PhysicsError:  # the energy hit a lead mode's band edge
            continue
        if closed or system.orbitals > most_orbitals:
            continue
        made += 1
        seed_of_point = int(generator.integers(2**32))
        yield Point(0, (), system, tuple(int(x) for x in lengths), seed_of_point, 0, True, True)


def _system(generator: np.random.Generator, most_orbitals: int) -> System:
    lattice = _lattice(generator, most_orbitals)
    flux = float(generator.uniform(-0.3, 0.3)) if generator.random() < 1 / 3 else 0.0
    coupled = generator.random() < 1 / 3
    kinds = COUPLINGS if lattice.kind in ("chain", "square") else COUPLINGS[2:]
    coupling = SpinOrbit(str(generator.choice(kinds)), float(generator.uniform(0.1, 1.0))) if coupled else None
    zeeman = tuple(float(h) for h in generator.uniform(-0.5, 0.5, size=3)) if generator.random() < 0.15 else None
    laws = [_onsite_law(generator)]
    if generator.random() < 1 / 3:
        laws.append(_other_law(generator, lattice))
    return System(
        lattice=lattice,
        hopping=1.0,
        flux=round(flux * lattice.width) / lattice.width if lattice.periodic[0] else flux,
        energy=float(generator.uniform(-3.0, 3.0) if lattice.kind != "chain" else generator.uniform(-1.9, 1.9)),
        lead_potential=float(generator.choice([0.0, 0.4])),
        lead_flux=bool(generator.random() < 0.5),
        laws=tuple(laws),
        spin_orbit=coupling,
        lead_spin_orbit=bool(generator.random() < 0.5),
        zeeman=zeeman,  # type: ignore[arg-type]
    )


def _lattice(generator: np.random.Generator, most_orbitals: int) -> Lattice:
    kind = str(generator.choice(KINDS))
    if kind == "chain":
        return Lattice(kind, 1)
    if kind == "cubic":
        side = int(most_orbitals**0.5)
        width, depth = (int(n) for n in generator.integers(1, side + 1, size=2))
        periodic = tuple(bool(n >= 3 and generator.random() < 0.5) for n in (width, depth))
        return Lattice(kind, width, depth, (periodic[0], periodic[1]))
    width = int(generator.integers(2, most_orbitals + 1))
    joined = width >= 4 and (kind == "square" or width % 2 == 0) and generator.random() < 1 / 3
    return Lattice(kind, width, 1, (bool(joined), False))


def _onsite_law(generator: np.random.Generator) -> Law:
    strength = float(generator.choice([0.1, 0.3, 1.0, 2.0]))
    laws: tuple[Law, ...] = (
        Uniform(4.0 * strength),
        Gaussian(strength),
        Gaussian(strength, 1.5),
        Cauchy(0.2 * strength),
        Binary((-strength, 2.0 * strength), float(generator.random())),
    )
    return laws[int(generator.integers(len(laws)))]


def _other_law(generator: np.random.Generator, lattice: Lattice) -> Law:
    laws: list[Law] = [
        Uniform(0.8, on="bonds"),
        Gaussian(0.2, on="bonds"),
        MagneticImpurity(0.5),
        Vacancy(0.05),
        Binary((0.0, -1.0), 0.05, on="bonds"),
    ]
    if not lattice.periodic[0] and lattice.kind != "chain":
        laws.append(Uniform(0.3, on="flux"))
    return laws[int(generator.integers(len(laws)))]
