"""Finite-size reference values of systems that others have computed, where an asymptotic law is still off.

The strips are of the square lattice with hard sides at E = 0.8, the bars cubic with periodic sides at E = 0; t = 1.
Statistical errors as listed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from mesogpu.physics.disorder import MagneticImpurity, Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System

Column = tuple[tuple[float, ...], tuple[float, ...]]
"""Values and their standard errors, one a length."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of one system.

    lengths : slices
    columns : by quantity
    source  : in words
    """

    system: System
    lengths: tuple[int, ...]
    columns: dict[str, Column]
    source: str


def _strip(width: int, *laws: Uniform | MagneticImpurity, flux: float = 0.0, lead_flux: bool = True) -> System:
    return System(
        lattice=Lattice("square", width),
        hopping=1.0,
        flux=flux,
        energy=0.8,
        lead_potential=0.0,
        lead_flux=lead_flux,
        laws=laws,
    )


_TWO_PROGRAMS = "the finite-size table of this strip (two independent programs)"
_ONE_PROGRAM = "the finite-size table of this strip (an independent program)"
_QUICKSTART = _strip(30, Uniform(1.0))
_QUICKSTART_LENGTHS = (30, 60, 120, 180, 240)
_SU2 = replace(_strip(40, Uniform(2.0), lead_flux=False), spin_orbit=SpinOrbit("su2", 1.0))
_SU2_LENGTHS = (16, 24, 32, 48)

TABLES: Final = (
    # Box disorder W = 1, leads with the sample's field. Complex recursive Green's functions and propagated frames,
    # 8 800 to 40 000 realizations, the first agreeing with Kwant per sample to 3e-10; the errors of F were not
    # recorded and are taken as 0.001.
    Table(
        _QUICKSTART,
        _QUICKSTART_LENGTHS,
        {
            "conductance_mean": ((11.953, 8.355, 5.153, 3.680, 2.833), (0.003, 0.003, 0.003, 0.003, 0.002)),
            "conductance_variance": (
                (0.1896, 0.1703, 0.1434, 0.1330, 0.1284),
                (0.0019, 0.0017, 0.0014, 0.0013, 0.0008),
            ),
            "fano": ((0.2576, 0.3073, 0.3368, 0.3499, 0.3599), (0.001,) * 5),
        },
        _TWO_PROGRAMS,
    ),
    Table(
        replace(_QUICKSTART, flux=0.006),
        _QUICKSTART_LENGTHS,
        {
            "conductance_variance": (
                (0.1516, 0.1134, 0.0824, 0.0746, 0.0715),
                (0.0018, 0.0013, 0.0010, 0.0009, 0.0006),
            ),
        },
        _TWO_PROGRAMS,
    ),
    # Box disorder W = 2, SU(2) bonds in the sample, plain leads without field; 56 channels, spin trace. Complex
    # recursive Green's functions, 800 to 1520 realizations.
    Table(
        _SU2,
        _SU2_LENGTHS,
        {
            "conductance_mean": ((6.852, 5.033, 3.997, 2.889), (0.015, 0.013, 0.012, 0.011)),
            "conductance_variance": ((0.325, 0.244, 0.212, 0.180), (0.012, 0.009, 0.008, 0.007)),
        },
        _ONE_PROGRAM,
    ),
    Table(
        replace(_SU2, flux=0.03),
        _SU2_LENGTHS,
        {"conductance_variance": ((0.155, 0.111, 0.098, 0.086), (0.008, 0.006, 0.005, 0.004))},
        _ONE_PROGRAM,
    ),
    # Box disorder W = 1, classical spins J = 0.5; 42 channels, spin trace. Complex recursive Green's functions, 1000
    # realizations; the errors of F were not recorded and are taken as 0.001.
    Table(
        _strip(30, Uniform(1.0), MagneticImpurity(0.5)),
        (30, 60, 90, 120),
        {
            "conductance_mean": ((10.670, 6.132, 4.289, 3.299), (0.011, 0.009, 0.008, 0.008)),
            "conductance_variance": ((0.1257, 0.0753, 0.0699, 0.0677), (0.0057, 0.0034, 0.0033, 0.0034)),
            "fano": ((0.3244, 0.3313, 0.3339, 0.3344), (0.001,) * 4),
        },
        _ONE_PROGRAM,
    ),
)


BARS: Final = tuple(
    # Box disorder next to the critical one, 16.54 t. Transfer matrices, 3.7 to 11 million slices.
    (
        System(
            lattice=Lattice("cubic", width, width, (True, True)),
            hopping=1.0,
            flux=0.0,
            energy=0.0,
            lead_potential=0.0,
            lead_flux=True,
            laws=(Uniform(16.5),),
        ),
        {"lambda": value},
    )
    for width, value in ((4, (0.5868, 0.0003)), (6, (0.5818, 0.0003)), (8, (0.5803, 0.0006)))
)
"""Systems without leads, and what is known of each: value and standard error."""

BAR_SOURCE = "the finite-size table of this bar (an independent program)"


def tabulated(system: System, length: int) -> dict[str, tuple[float, float, str]]:
    """Reference value, standard error and source of each tabulated quantity; empty for a system without a table.

    length : slices
    """
    for table in TABLES:
        if _same(system, table.system) and length in table.lengths:
            position = table.lengths.index(length)
            return {name: (v[position], e[position], table.source) for name, (v, e) in table.columns.items()}
    return {}


def tabulated_bar(system: System) -> dict[str, tuple[float, float, str]]:
    """Reference value, standard error and source of each tabulated quantity of long bars; empty without a table."""
    for known, columns in BARS:
        if _same(system, known):
            return {name: (value, error, BAR_SOURCE) for name, (value, error) in columns.items()}
    return {}


def _same(system: System, other: System) -> bool:
    """Whether two systems are equal but for the order of their laws and what a lead could carry if there were any."""
    return _essential(system) == _essential(other)


def _essential(system: System) -> System:
    coupling = system.spin_orbit
    return replace(
        system,
        laws=tuple(sorted(system.laws, key=repr)),
        lead_flux=system.lead_flux or system.flux == 0.0,
        lead_spin_orbit=system.lead_spin_orbit or coupling is None or coupling.random,
    )
