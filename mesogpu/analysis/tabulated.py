"""Finite-size reference values of systems that others have computed, where an asymptotic law is still off.

Samples are strips of the square lattice with hard sides at E = 0.8, bars have periodic sides; t = 1. Errors are
statistical unless they say otherwise.
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
    columns : by quantity; "conductance_difference" is <g> minus that without flux, of the same realizations
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
        {
            "conductance_variance": ((0.155, 0.111, 0.098, 0.086), (0.008, 0.006, 0.005, 0.004)),
            "conductance_difference": ((-0.635, -0.644, -0.610, -0.592), (0.021, 0.020, 0.019, 0.018)),
        },
        _ONE_PROGRAM,
    ),
    Table(
        replace(_SU2, flux=0.01),
        _SU2_LENGTHS,
        {"conductance_difference": ((-0.329, -0.398, -0.422, -0.465), (0.016, 0.018, 0.018, 0.018))},
        _ONE_PROGRAM,
    ),
    # Box disorder W = 2, leads with the sample's field; from realizations shared with zero flux.
    Table(
        _strip(30, Uniform(2.0), flux=0.004),
        (80,),
        {"conductance_difference": ((0.187,), (0.010,))},
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


def _bar(lattice: Lattice, disorder: float, energy: float = 0.0, coupling: SpinOrbit | None = None) -> System:
    return System(lattice, 1.0, 0.0, energy, 0.0, True, (Uniform(disorder),), coupling)


def _ring(width: int) -> Lattice:
    return Lattice("square", width, 1, (True, False))


_BAR_SOURCE = "the finite-size table of this bar (an independent program)"
_CRITICAL_SOURCE = "the critical value of wide SU(2) strips (Asada, Slevin & Ohtsuki 2004; 2 % for the width)"

BARS: Final[tuple[tuple[System, tuple[float, float, str]], ...]] = (
    # Box disorder next to the critical one, 16.54 t. Transfer matrices, 3.7 to 11 million slices.
    *(
        (_bar(Lattice("cubic", width, width, (True, True)), 16.5), (value, error, _BAR_SOURCE))
        for width, value, error in ((4, 0.5868, 0.0003), (6, 0.5818, 0.0003), (8, 0.5803, 0.0006))
    ),
    # Strips in which everything is localized. The same program.
    *(
        (_bar(_ring(width), disorder), (value, error, _BAR_SOURCE))
        for disorder, columns in (
            (4.0, ((8, 1.957, 0.011), (16, 1.709, 0.023), (32, 1.431, 0.044))),
            (6.0, ((8, 0.9645, 0.005), (16, 0.7476, 0.008), (32, 0.5501, 0.01))),
            (8.0, ((8, 0.5732, 0.002), (16, 0.3917, 0.003), (32, 0.2508, 0.003))),
            (10.0, ((8, 0.3878, 0.0012), (16, 0.2466, 0.001), (32, 0.1432, 0.0013))),
        )
        for width, value, error in columns
    ),
    # The symplectic transition: 1.844(5) is of wide strips. Narrower ones may be 2 % off, which three errors add up to.
    *(
        (_bar(_ring(width), 5.952, 1.0, SpinOrbit("su2", 1.0)), (1.844, 0.0123, _CRITICAL_SOURCE))
        for width in (8, 16, 32)
    ),
)
"""Systems without leads: Lambda = xi / M of each, its error, and where they come from."""


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
    """Reference value, error and source of each tabulated quantity of long bars; empty without a table."""
    found = next((found for known, found in BARS if _same(system, known)), None)
    return {"lambda": found} if found else {}


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
