"""What a number means: energies in units of the hopping t, lengths in sites, conductance in e^2/h."""

from __future__ import annotations

from typing import Final

CONDUCTANCE_QUANTUM: Final = 1.602176634e-19**2 / 6.62607015e-34
"""e^2/h in siemens, from the exact SI values of e and h: G = degeneracy * g * e^2/h."""

ENERGY: Final = "t"
"""Energies: the hopping energy t."""

DIMENSIONLESS: Final = "1"

RADIANS: Final = "rad"
"""Angles."""

FLUX: Final = "h/e"
"""Flux: quanta h/e per plaquette."""

SLICES: Final = "slices"
"""Lengths along the current: slices, one lattice constant each."""

PER_SLICE: Final = "1/slices"
"""Lyapunov exponents."""

SITES: Final = "sites"
"""Widths across the current: sites, one lattice constant apart."""

SPIN_STATES: Final = 2
"""What a site has in nature; a spinless model has one of them and stands for both."""


def degeneracy(spins: int) -> int:
    """What g is multiplied by in G = degeneracy * g * e^2/h: 2 where g counts one spin, 1 where it is the spin trace.

    spins : orbitals of a site, 1 or 2
    """
    return SPIN_STATES // spins
