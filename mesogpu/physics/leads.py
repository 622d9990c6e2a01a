"""Clean leads: what their modes are made of, and what they do to the sample.

A link is the bonds from slice x to slice x + 1; its ports are the orbitals that have a bond on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import PhysicsError
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.slices import Slices, clean_slices
from mesogpu.physics.spin import SpinOrbit

THRESHOLD = 1e-9
"""Distance |E - band edge| below which a mode counts as at its threshold, units of t."""

SAFE_DISTANCE = 1e-6
"""Distance from a band edge of the energy that the error message offers, units of t."""

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class CleanLead:
    """A lead: the lattice without disorder, for ever.

    spins      : orbitals of a site
    flux       : flux quanta h/e per plaquette inside the lead
    potential  : onsite energy, units of t
    spin_orbit : uniform coupling of its bonds; None without
    energy     : E, units of t
    """

    lattice: Lattice
    spins: int
    hopping: float
    flux: float
    potential: float
    spin_orbit: SpinOrbit | None
    energy: float

    def slices(self, x: int, count: int) -> Slices:
        """Slices x ... x + count - 1."""
        return clean_slices(
            self.lattice, self.hopping, self.flux, self.spin_orbit, range(x, x + count), self.spins, self.potential
        )

    @property
    def separates(self) -> bool:
        """Whether the modes are those of a slice, each with a wave of its own along the lead."""
        return self.flux == 0.0 and self.spin_orbit is None and self.lattice.period == 1


@dataclass(frozen=True, slots=True)
class Lead:
    """What a lead does to the slice it touches.

    self_energy : (D, D) complex128, retarded, units of t
    coupling    : (D, N) complex128; coupling @ coupling^dagger = i (Sigma - Sigma^dagger), one column a channel
    """

    self_energy: ComplexArray
    coupling: ComplexArray

    @property
    def channels(self) -> int:
        """N, the number of propagating modes."""
        return int(self.coupling.shape[1])


@dataclass(frozen=True, slots=True)
class Waves:
    """All waves that leave one way, on both ends of a link: those that propagate first, then those that decay.

    here  : (m, m) complex128, psi_x at the ports; propagating waves carry unit current
    ahead : (m, m) complex128, psi_{x+1} at the ports; decaying ones are any basis of their space
    """

    here: ComplexArray
    ahead: ComplexArray


@dataclass(frozen=True, slots=True)
class LeadModes:
    """All modes of a lead on one link.

    right    : propagate to the right or decay there
    left     : propagate to the left or decay there
    channels : N, how many of either propagate
    ports    : (m,) int64, the orbitals that have a bond on the link
    orbitals : D, orbitals of a slice
    hopping  : (m, m) complex128, V = <x+1|H|x> among the ports, units of t
    """

    right: Waves
    left: Waves
    channels: int
    ports: NDArray[np.int64]
    orbitals: int
    hopping: ComplexArray


def attach_lead(modes: LeadModes, side: int) -> Lead:
    """What a lead does to the sample.

    modes  : of the link between lead and sample
    side   : 0 for the lead at x < 0, 1 for the one at x >= L
    source : Datta, Electronic Transport in Mesoscopic Systems (1995), ch. 3
    """
    # Outgoing waves leave to the right as psi_{x+1} = F psi_x and to the left as psi_x = F' psi_{x+1}.
    if side == 0:
        at_ports = modes.hopping @ _ratio(modes.left.here, modes.left.ahead)
    else:
        at_ports = modes.hopping.conj().T @ _ratio(modes.right.ahead, modes.right.here)
    broadening = 1j * (at_ports - at_ports.conj().T)
    strengths, vectors = np.linalg.eigh(broadening)
    opened = slice(len(strengths) - modes.channels, len(strengths))
    self_energy = np.zeros((modes.orbitals, modes.orbitals), dtype=np.complex128)
    self_energy[np.ix_(modes.ports, modes.ports)] = at_ports
    coupling = np.zeros((modes.orbitals, modes.channels), dtype=np.complex128)
    coupling[modes.ports] = vectors[:, opened] * np.sqrt(strengths[opened])
    return Lead(self_energy, coupling)


def _ratio(numerator: ComplexArray, denominator: ComplexArray) -> ComplexArray:
    return np.asarray(np.linalg.solve(denominator.T, numerator.T).T)


def threshold_error(lead: CleanLead, mode: str) -> PhysicsError:
    """The complaint about an energy at which a mode of the lead opens or closes."""
    safe = float(lead.energy + SAFE_DISTANCE * lead.hopping)
    return PhysicsError(
        f"energy: {float(lead.energy)!r}: at the band edge of a lead mode ({mode}; within {THRESHOLD:.0e} t), "
        f"where the transmission is singular; use {safe!r} instead"
    )
