"""A disordered conductor between two leads: all that fixes its Hamiltonian but the random numbers and the length."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from mesogpu.physics.disorder import Binary, Law, MagneticImpurity, Vacancy
from mesogpu.physics.draws import Draws
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.leads import CleanLead, Lead, LeadModes, attach_lead
from mesogpu.physics.modes import lead_modes
from mesogpu.physics.slices import Slices, draw_slices
from mesogpu.physics.spin import SpinOrbit


@dataclass(frozen=True, slots=True)
class System:
    """One point of a sweep: a disordered conductor between clean leads.

    lattice         : sites and bonds
    hopping         : t, the unit of energy
    flux            : flux quanta h/e per x-y plaquette of the sample
    energy          : E, absolute, units of t (band centre 0)
    lead_potential  : onsite energy of the leads, units of t
    lead_flux       : whether the leads carry the sample's flux
    laws            : the disorder list
    spin_orbit      : coupling of the sample's bonds; None without
    lead_spin_orbit : whether the leads carry it too (a random one they never do)
    zeeman          : (h_x, h_y, h_z) of h . sigma on every site of the sample, never of the leads, units of t; or None
    """

    lattice: Lattice
    hopping: float
    flux: float
    energy: float
    lead_potential: float
    lead_flux: bool
    laws: tuple[Law, ...]
    spin_orbit: SpinOrbit | None = None
    lead_spin_orbit: bool = True
    zeeman: tuple[float, float, float] | None = None

    @property
    def spins(self) -> int:
        """Orbitals of a site: 2 where anything acts on the spin, else 1."""
        impurities = any(isinstance(law, MagneticImpurity) for law in self.laws)
        return 2 if impurities or self.spin_orbit is not None or self.zeeman is not None else 1

    @property
    def orbitals(self) -> int:
        """Orbitals of a slice: number 2 * site + spin, or the site without spin."""
        return self.lattice.sites * self.spins

    @property
    def may_lack_bonds(self) -> bool:
        """Whether some realizations miss sites or bonds: clusters may then be cut off, and slices cannot be stepped."""
        return any(
            isinstance(law, Vacancy) or (isinstance(law, Binary) and law.on == "bonds" and -self.hopping in law.values)
            for law in self.laws
        )

    @property
    def has_zero_modes(self) -> bool:
        """Whether missing sites leave levels at E = 0 alone: two sublattices of which one has more sites left."""
        shifted = any(law.on == "sites" and not isinstance(law, Vacancy) and law.variance > 0.0 for law in self.laws)
        impurities = any(isinstance(law, MagneticImpurity) for law in self.laws)
        return self.may_lack_bonds and not shifted and not impurities and self.zeeman is None

    @property
    def has_transfer_matrix(self) -> bool:
        """Whether each slice follows from the two before it."""
        return self.lattice.fully_linked and not self.may_lack_bonds

    @property
    def preserves_time_reversal(self) -> bool:
        """Whether every realization is its own time reverse."""
        fields = any(law.on in ("flux", "spins") for law in self.laws) or self.zeeman is not None
        return self.flux == 0.0 and not fields

    def slices(self, *, seed: int, realizations: ArrayLike, slices: ArrayLike, point: int) -> Slices:
        """The Hamiltonian of the given slices of the given realizations.

        seed         : key word 0, below 2^32
        realizations : (R,) key word 1, below 2^32
        slices       : (X,) consecutive slice indices along the current, from 0
        point        : counter word 3; 0 where sweep points share their realizations
        """
        return draw_slices(self, Draws(seed, realizations, slices, self.lattice, point))

    def lead(self) -> CleanLead:
        """The clean lead on either side."""
        coupled = self.spin_orbit is not None and self.lead_spin_orbit and not self.spin_orbit.random
        return CleanLead(
            lattice=self.lattice,
            spins=self.spins,
            hopping=self.hopping,
            flux=self.flux if self.lead_flux else 0.0,
            potential=self.lead_potential,
            spin_orbit=self.spin_orbit if coupled else None,
            energy=self.energy,
        )

    def lead_modes(self, x: int = -1) -> LeadModes:
        """The modes of a lead on the link from slice x to slice x + 1; lead 0 has x = -1, lead 1 has x = L - 1.

        raises : PhysicsError where the energy is at the band edge of a lead mode
        """
        return lead_modes(self.lead(), x % self.lattice.period)

    def leads(self, length: int) -> tuple[Lead, Lead]:
        """Lead 0 (x < 0) and lead 1 (x >= L), as they act on the sample's first and last slice."""
        return attach_lead(self.lead_modes(-1), 0), attach_lead(self.lead_modes(length - 1), 1)

    def channels(self) -> int:
        """N, the number of propagating modes of each lead.

        raises : PhysicsError where the energy is at the band edge of a lead mode, on any of the lead's links
        """
        return [self.lead_modes(x).channels for x in range(self.lattice.period)][-1]
