"""The clean square strip, slice by slice: what is inside a slice, and what couples it to the next.

H = sum_i eps_i |i><i| - t sum_<ij> (U_ij |i><j| + h.c.); a chain is a strip one site wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def intra_slice_hamiltonian(width: int, *, hopping: float, periodic: bool) -> NDArray[np.float64]:
    """Hamiltonian inside one clean slice.

    width   : M sites across the current
    hopping : t; a bond's matrix element is -t
    returns : (M, M) float64, units of t; with periodic sides the ring is closed (needs M >= 3)
    """
    hamiltonian = -hopping * (np.eye(width, k=1) + np.eye(width, k=-1))
    if periodic:
        hamiltonian[0, -1] = hamiltonian[-1, 0] = -hopping
    return hamiltonian


def inter_slice_hopping(width: int, *, hopping: float, flux: float) -> NDArray[np.float64] | NDArray[np.complex128]:
    """Diagonal of <x+1, y| H |x, y>, the matrix element between neighbouring slices.

    <x+1, y| H |x, y> = -t exp(2 pi i flux y) in the Landau gauge

    width   : M sites across the current
    flux    : flux quanta h/e per plaquette
    returns : (M,) float64 without flux, complex128 with it, units of t
    """
    if flux == 0.0:
        return np.full(width, -hopping)
    return np.asarray(-hopping * np.exp(2j * np.pi * flux * np.arange(width)))
