"""A disordered conductor between two leads: all that fixes its Hamiltonian but the random numbers and the length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.physics.disorder import Law, onsite_potential
from mesogpu.physics.lattices import inter_slice_hopping, intra_slice_hamiltonian
from mesogpu.physics.leads import Lead, LeadModes, attach_leads, lead_modes


@dataclass(frozen=True, slots=True)
class System:
    """One point of a sweep: a strip of `width` sites, disordered between clean leads.

    width          : M, sites across the current (1 for a chain)
    periodic       : whether the sides are joined
    hopping        : t, the unit of energy
    flux           : flux quanta h/e per plaquette of the sample
    energy         : E, absolute, units of t (band centre 0)
    lead_potential : onsite energy of the leads, units of t
    lead_flux      : whether the leads carry the sample's flux
    laws           : disorder laws, summed
    """

    width: int
    periodic: bool
    hopping: float
    flux: float
    energy: float
    lead_potential: float
    lead_flux: bool
    laws: tuple[Law, ...]

    def intra_slice(self) -> NDArray[np.float64]:
        """Clean Hamiltonian inside a slice of the sample, (M, M) float64, units of t."""
        return intra_slice_hamiltonian(self.width, hopping=self.hopping, periodic=self.periodic)

    def inter_slice(self) -> NDArray[np.float64] | NDArray[np.complex128]:
        """Diagonal of <x+1|H|x> inside the sample, (M,), units of t."""
        return inter_slice_hopping(self.width, hopping=self.hopping, flux=self.flux)

    def onsite(self, *, seed: int, realizations: ArrayLike, slices: ArrayLike, point: int) -> NDArray[np.float64]:
        """Onsite potential (R, X, M) float64, units of t; see `disorder.onsite_potential`."""
        return onsite_potential(
            self.laws, seed=seed, realizations=realizations, slices=slices, width=self.width, point=point
        )

    def lead_modes(self) -> LeadModes:
        """The modes that both leads share.

        raises : PhysicsError where the energy is at the band edge of a lead mode
        """
        return lead_modes(
            width=self.width,
            periodic=self.periodic,
            hopping=self.hopping,
            flux=self.flux if self.lead_flux else 0.0,
            potential=self.lead_potential,
            energy=self.energy,
        )

    def leads(self) -> tuple[Lead, Lead]:
        """Lead 0 (x < 0) and lead 1 (x >= L), as they act on the sample's first and last slice."""
        return attach_leads(self.lead_modes())

    def channels(self) -> int:
        """N, the number of propagating modes of each lead."""
        return self.lead_modes().channels
