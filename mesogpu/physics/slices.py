"""Slices of realizations, the one description of a sample that every engine computes from.

    H_{x,x}     = V + h . sigma - t sum over the bonds inside the slice of U, and the adjoint
    H_{x+1,x}   = -t U exp(2 pi i theta) on each bond to the next slice

Everything random is drawn here; engines that draw inside their kernels have these functions for their twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mesogpu.physics.disorder import Law
from mesogpu.physics.draws import (
    BONDS_X,
    BONDS_Y,
    BONDS_Z,
    ONSITE,
    PLAQUETTES,
    SPIN_ORBIT_POSITION,
    SPINS,
    Draws,
    stream_of,
)
from mesogpu.physics.lattices import NEXT_Y, NEXT_Z, Lattice
from mesogpu.physics.spin import SpinOrbit, X, Y, Z, field_matrices, matrices

if TYPE_CHECKING:
    from mesogpu.physics.systems import System

_STREAMS = {X: BONDS_X, Y: BONDS_Y, Z: BONDS_Z}


@dataclass(frozen=True, slots=True)
class Slices:
    """X consecutive slices of R realizations; where all are alike, R or X may be 1 instead.

    lattice : sites and bonds
    hopping : t
    numbers : (X,) slice indices
    onsite  : (R, X, M) float64, V, units of t; NaN where a site is missing
    field   : (R, X, M, 3) float64, h of h . sigma, units of t; None without spin
    bonds   : three of (R, X, M, Q) float64, U of the bonds to the next site along x, y and z; Q = 4 with spin, else 1;
              bonds that the lattice lacks have a number too, which nothing uses
    phases  : (R, X, M) float64, theta of the bonds to the next slice, flux quanta; None without field
    """

    lattice: Lattice
    hopping: float
    numbers: NDArray[np.int64]
    onsite: NDArray[np.float64]
    field: NDArray[np.float64] | None
    bonds: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    phases: NDArray[np.float64] | None

    @property
    def spins(self) -> int:
        """Orbitals of a site."""
        return 1 if self.bonds[X].shape[-1] == 1 else 2

    def present(self, k: int) -> NDArray[np.bool_]:
        """Which orbitals of the k-th slice exist, (R, M spins)."""
        return np.repeat(~np.isnan(_at(self.onsite, k)), self.spins, axis=-1)

    def intra_slice(self, k: int) -> NDArray[np.complex128]:
        """Hamiltonian inside the k-th slice, (R, D, D) complex128, D = M spins; zero where a site is missing."""
        sites, spins, x = self.lattice.sites, self.spins, int(self.numbers[k])
        potential = np.nan_to_num(_at(self.onsite, k))[..., None, None]
        onsite = potential * np.eye(spins) + (0.0 if self.field is None else field_matrices(_at(self.field, k)))
        samples = np.broadcast_shapes(onsite.shape[:1], *(_at(bond, k).shape[:1] for bond in self.bonds[1:]))[0]
        hamiltonian = np.zeros((samples, sites, spins, sites, spins), dtype=np.complex128)
        here = np.arange(sites)
        hamiltonian[:, here, :, here, :] = np.moveaxis(onsite, 1, 0)
        neighbours = self.lattice.neighbours(x)
        for direction, column in ((Y, NEXT_Y), (Z, NEXT_Z)):
            lower = np.flatnonzero(neighbours[:, column] >= 0)
            upper = neighbours[lower, column]
            hopping = -self.hopping * matrices(_at(self.bonds[direction], k)[:, lower])
            hamiltonian[:, upper, :, lower, :] += np.moveaxis(hopping, 1, 0)
            hamiltonian[:, lower, :, upper, :] += np.moveaxis(np.conj(np.swapaxes(hopping, -1, -2)), 1, 0)
        flat = hamiltonian.reshape(samples, sites * spins, sites * spins)
        present = self.present(k)
        if not present.all():
            flat = flat * (present[:, :, None] & present[:, None, :])
        return flat

    def inter_slice(self, k: int) -> NDArray[np.complex128]:
        """<x+1|H|x> from the k-th slice to the next: a spins x spins block a site, (R, M, spins, spins) complex128.

        Zero where the lattice has no bond or a site of slice k is missing; one missing in slice k + 1 is not seen.
        """
        hopping = -self.hopping * matrices(_at(self.bonds[X], k))
        if self.phases is not None:
            hopping = hopping * np.exp(2j * np.pi * _at(self.phases, k))[..., None, None]
        bonded = self.lattice.linked(int(self.numbers[k])) & ~np.isnan(_at(self.onsite, k))
        return np.where(bonded[..., None, None], hopping, 0.0)


def clean_slices(
    lattice: Lattice,
    hopping: float,
    flux: float,
    spin_orbit: SpinOrbit | None,
    numbers: Sequence[int],
    spins: int,
    potential: float = 0.0,
) -> Slices:
    """Slices without disorder, R = 1.

    flux       : flux quanta h/e per plaquette
    spin_orbit : of the bonds; a random one counts as none
    numbers    : (X,) slice indices
    spins      : orbitals of a site
    potential  : onsite energy, units of t
    """
    plain = np.zeros(4 if spins == 2 else 1)
    plain[0] = 1.0
    bonds = [np.broadcast_to(plain, (1, 1, lattice.sites, len(plain)))] * 3
    if spin_orbit is not None and not spin_orbit.random:
        for direction in (X, Y):
            bond = spin_orbit.uniform_bond(direction, hopping)
            bonds[direction] = np.broadcast_to(bond, (1, 1, lattice.sites, 4))
    phases = None if flux == 0.0 else np.asarray(flux * lattice.rows(), dtype=np.float64)[None, None, :]
    onsite = np.full((1, len(numbers), lattice.sites), potential)
    return Slices(lattice, hopping, np.asarray(numbers), onsite, None, (bonds[X], bonds[Y], bonds[Z]), phases)


def draw_slices(system: System, draws: Draws) -> Slices:
    """The slices of disordered realizations; see `System.slices`."""
    coupling = system.spin_orbit
    clean = clean_slices(
        system.lattice, system.hopping, system.flux, coupling, np.atleast_1d(draws.slices).tolist(), system.spins
    )
    onsite, phases, bonds = np.zeros(draws.shape), clean.phases, list(clean.bonds)
    field = None if system.zeeman is None else np.tile(system.zeeman, (1, 1, system.lattice.sites, 1))
    if coupling is not None and coupling.random:
        number = draws.lattice.numbers()
        for direction, place in _STREAMS.items():
            bonds[direction] = coupling.drawn_bonds(draws.words(number, stream_of(SPIN_ORBIT_POSITION, place)))
    hopping_change: dict[int, NDArray[np.float64]] = {}
    for position, law in enumerate(system.laws):
        if law.on == "sites":
            onsite = onsite + draws.numbers(law, stream_of(position, ONSITE))
        elif law.on == "bonds":
            for direction, place in _STREAMS.items():
                change = draws.numbers(law, stream_of(position, place)) / system.hopping
                hopping_change[direction] = hopping_change.get(direction, 0.0) + change
        elif law.on == "flux":
            phases = np.asarray((0.0 if phases is None else phases) + _random_phases(draws, law, position))
        else:
            field = (0.0 if field is None else field) + draws.numbers(law, stream_of(position, SPINS))
    for direction, change in hopping_change.items():
        bonds[direction] = bonds[direction] * (1.0 + change)[..., None]
    return Slices(system.lattice, system.hopping, clean.numbers, onsite, field, (bonds[X], bonds[Y], bonds[Z]), phases)


def _random_phases(draws: Draws, law: Law, position: int) -> NDArray[np.float64]:
    """Phases of the bonds along x whose differences along y are the fluxes of the plaquettes between them."""
    lattice = draws.lattice
    fluxes = draws.numbers(law, stream_of(position, PLAQUETTES)).reshape(*draws.shape[:2], lattice.width, lattice.depth)
    phases = np.zeros_like(fluxes)
    np.cumsum(fluxes[:, :, :-1], axis=2, out=phases[:, :, 1:])
    return phases.reshape(draws.shape)


def _at(values: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The k-th slice of (R, X, ...), where X may be 1 for all."""
    return values[:, k if values.shape[1] > 1 else 0]
