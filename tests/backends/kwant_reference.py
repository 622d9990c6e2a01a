"""Kwant's side of `test_kwant.py`: the same conductors, built from what the disorder laws gave; needs Kwant and NumPy.

    python kwant_reference.py CASES.npz ANSWERS.npz

CASES.npz   : `cases`, a JSON list of the parameters of `Conductor`; and of case k the arrays "k/NAME",
              onsite   (L, W, Z)        energies; NaN where a site is missing
              spins    (L, W, Z, 3)     h of h . sigma
              change   (3, L, W, Z)     added to the hopping of the bonds to the next site along x, y and z
              coupling (3, L, W, Z, 4)  quaternions of the same bonds, where they are random
              flux     (L, W, Z)        added to the flux quanta of the plaquettes with this lowest corner
ANSWERS.npz : of case k the transmission eigenvalues "k", (N,), descending, and "k/unitarity", the largest entry of
              S^dagger S - 1

Nothing here is taken from the package: a bond is written down as it stands in CONVENTIONS.md.
"""

from __future__ import annotations

import cmath
import json
import math
import sys
from dataclasses import dataclass
from typing import Any

import kwant
import numpy as np

IDENTITY = np.eye(2, dtype=complex)
SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
LATTICE = {1: kwant.lattice.cubic(norbs=1, name="plain"), 2: kwant.lattice.cubic(norbs=2, name="spin")}


@dataclass
class Conductor:
    """Parameters of a case, in the package's names; spin_orbit is [kind, strength] or None."""

    kind: str
    periodic: list[bool]
    hopping: float
    flux: float
    energy: float
    lead_potential: float
    lead_flux: bool
    spin_orbit: Any
    lead_spin_orbit: bool
    spins: int
    arrays: Any

    def bonded(self, axis: int, x: int, y: int, z: int) -> tuple[int, int, int] | None:
        """The next site along an axis, where the lattice has that bond."""
        _, width, depth = self.arrays["onsite"].shape
        if axis == 0:
            return (x + 1, y, z) if self.kind != "armchair" or (x + y) % 2 == 0 else None
        if axis == 1:
            last = y + 1 == width and not self.periodic[0]
            return None if last or (self.kind == "zigzag" and (x + y) % 2) else (x, (y + 1) % width, z)
        last = z + 1 == depth and not self.periodic[1]
        return None if last else (x, y, (z + 1) % depth)

    def spin_rotation(self, axis: int, place: tuple[int, int, int], lead: bool) -> Any:
        """t U of a bond."""
        if self.spins == 1:
            return self.hopping
        kind, strength = self.spin_orbit or (None, 0.0)
        if kind in ("su2", "evangelou-ziman") and not lead:
            scalar, *vector = self.arrays["coupling"][(axis, *place)]
            return self.hopping * (scalar * IDENTITY + 1j * np.tensordot(vector, SIGMA, 1))
        if kind in ("rashba", "ando") and axis < 2 and (self.lead_spin_orbit or not lead):
            plain, coupled = self.hopping, strength
            if kind == "ando":
                plain, coupled = self.hopping * math.cos(strength), self.hopping * math.sin(strength)
            return plain * IDENTITY + 1j * coupled * (SIGMA[1] if axis == 0 else -SIGMA[0])
        return self.hopping * IDENTITY

    def bond(self, axis: int, x: int, y: int, z: int) -> Any:
        """The matrix element from a site to the next one; bonds outside and to the sample are the leads'."""
        length = len(self.arrays["onsite"])
        lead = not (0 <= x < length) or (axis == 0 and x == length - 1)
        element = -self.spin_rotation(axis, (x, y, z), lead)
        if not lead:
            element = element * (1.0 + self.arrays["change"][axis, x, y, z] / self.hopping)
        if axis == 0:
            below = 0.0 if lead else sum(self.arrays["flux"][x, k, z] for k in range(y))
            uniform = self.flux if self.lead_flux or not lead else 0.0
            element = element * cmath.exp(2j * math.pi * (uniform * y + below))
        return element

    def energy_of(self, x: int, y: int, z: int) -> Any:
        """What stands on the diagonal; None where a site is missing."""
        one = IDENTITY if self.spins == 2 else 1.0
        if not 0 <= x < len(self.arrays["onsite"]):
            return self.lead_potential * one
        value = self.arrays["onsite"][x, y, z]
        if math.isnan(value):
            return None
        return value * one + (np.tensordot(self.arrays["spins"][x, y, z], SIGMA, 1) if self.spins == 2 else 0.0)

    def filled(self, builder: Any, slices: range, onward: bool) -> Any:
        """A builder with these slices and their bonds; `onward`: the last one's bonds to its image too."""
        lattice = LATTICE[self.spins]
        _, width, depth = self.arrays["onsite"].shape
        places = [(x, y, z) for x in slices for y in range(width) for z in range(depth)]
        present = {place: self.energy_of(*place) for place in places}
        for place, energy in present.items():
            if energy is not None:
                builder[lattice(*place)] = energy
        for place in places:
            for axis in range(3):
                ahead = self.bonded(axis, *place)
                if ahead is None or present[place] is None:
                    continue
                if present.get(ahead) is not None or (ahead[0] == slices.stop and onward):
                    builder[lattice(*ahead), lattice(*place)] = self.bond(axis, *place)
        return builder

    def scattering_matrix(self) -> Any:
        """Kwant's S; clean slices on either side belong to its region, so that the ends of the sample may have gaps."""
        cell = 2 if self.kind in ("zigzag", "armchair") else 1
        length = len(self.arrays["onsite"])
        # Kwant counts a lead's cells outwards from slice 0: the region ends where one does.
        start, end = 1 - 2 * cell, length + cell + length % cell
        system = self.filled(kwant.Builder(), range(start, end), onward=False)
        for shift, first in ((-cell, start - cell), (cell, end)):
            symmetry = kwant.TranslationalSymmetry((shift, 0, 0))
            added = system.attach_lead(self.filled(kwant.Builder(symmetry), range(first, first + cell), onward=True))
            assert not added
        return kwant.smatrix(system.finalized(), self.energy)


def main() -> None:
    """Answer every case."""
    answers: dict[str, Any] = {}
    with np.load(sys.argv[1]) as stored:
        arrays = dict(stored)
    for number, parameters in enumerate(json.loads(str(arrays["cases"]))):
        own = {name.split("/")[1]: value for name, value in arrays.items() if name.startswith(f"{number}/")}
        scattering = Conductor(**parameters, arrays=own).scattering_matrix()
        answers[str(number)] = np.linalg.svd(scattering.submatrix(1, 0), compute_uv=False) ** 2
        matrix = scattering.data
        answers[f"{number}/unitarity"] = np.abs(matrix.conj().T @ matrix - np.eye(len(matrix))).max()
    np.savez(sys.argv[2], **answers)


if __name__ == "__main__":
    main()
