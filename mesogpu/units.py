"""What a number means: energies in units of the hopping t, lengths in sites, conductance in e^2/h."""

from __future__ import annotations

from typing import Final

CONDUCTANCE_QUANTUM: Final = 1.602176634e-19**2 / 6.62607015e-34
"""e^2/h in siemens, from the exact SI values of e and h: G = degeneracy * g * e^2/h."""

ENERGY: Final = "t"
"""Energies: the hopping energy t."""

DIMENSIONLESS: Final = "1"

FLUX: Final = "h/e"
"""Flux: quanta h/e per plaquette."""

SLICES: Final = "slices"
"""Lengths along the current: slices, one lattice constant each."""

SITES: Final = "sites"
"""Widths across the current: sites, one lattice constant apart."""

SPIN_DEGENERACY: Final = 2
"""Degeneracy of a spinless model, whose g counts one spin; a spinful model's g is the spin trace, degeneracy 1."""
