"""One sample as a single linear system: independent of any recursion, the last word of the oracle.

(E - H - Sigma_0 - Sigma_1) X = W_0 on all sites; t = i W_1^dagger X at the last slice. X decays along a localized
sample, so it starts near the largest number there is. (Scaling each slice instead makes the matrix so lopsided that the
solution goes wrong without any sign of it.)

source : Fisher and Lee, PRB 23, 6851 (1981)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from mesogpu.physics.systems import System

HEADROOM = 900
"""Power of two of the incoming waves: leaves a factor 1e37 for what the sample may pile up."""

SMALLEST = 1e-290
"""Amplitudes below this may have lost digits to underflow."""

DENSE_SITES = 200
"""Up to this many sites the matrix is solved as it stands; beyond, as a band matrix of the same numbers."""


def transmission_amplitudes(
    system: System, potential: NDArray[np.float64]
) -> tuple[NDArray[np.complex128], int] | None:
    """Amplitudes t of one sample from lead 0 to lead 1, as s and e with t = 2^e s, the largest |s| about 1.

    potential : (L, M) float64, onsite energies, units of t
    returns   : s (N, N) complex128, e; None where they underflow, below ln g of about -2600
    """
    length, width = potential.shape
    lead_0, lead_1 = system.leads()
    source = np.zeros((length * width, lead_0.channels), dtype=np.complex128)
    source[:width] = lead_0.coupling * 2.0**HEADROOM
    if length * width <= DENSE_SITES:
        wave = np.linalg.solve(_dense(system, potential), source)
    else:
        band = _banded(system, potential)
        wave = solve_banded((width, width), band, source, overwrite_ab=True, check_finite=False)
    amplitudes = 1j * lead_1.coupling.conj().T @ wave[-width:]
    largest = np.abs(amplitudes).max(initial=0.0)
    if not largest > SMALLEST:
        return None
    power = int(np.frexp(largest)[1])
    return np.ldexp(amplitudes.real, -power) + 1j * np.ldexp(amplitudes.imag, -power), power - HEADROOM


def _slice_blocks(system: System, potential: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Diagonal blocks of E - H - Sigma, (L, M, M)."""
    length, width = potential.shape
    lead_0, lead_1 = system.leads()
    blocks = np.tile((system.energy * np.eye(width) - system.intra_slice()).astype(np.complex128), (length, 1, 1))
    blocks[:, np.arange(width), np.arange(width)] -= potential
    blocks[0] -= lead_0.self_energy
    blocks[-1] -= lead_1.self_energy
    return blocks


def _dense(system: System, potential: NDArray[np.float64]) -> NDArray[np.complex128]:
    """E - H - Sigma on all sites, (L M, L M)."""
    length, width = potential.shape
    matrix = np.zeros((length, width, length, width), dtype=np.complex128)
    blocks = _slice_blocks(system, potential)
    hopping = np.diag(system.inter_slice())
    for x in range(length):
        matrix[x, :, x, :] = blocks[x]
        if x + 1 < length:
            matrix[x + 1, :, x, :] = -hopping
            matrix[x, :, x + 1, :] = -hopping.conj().T
    return matrix.reshape(length * width, length * width)


def _banded(system: System, potential: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The same matrix by diagonals, (2 M + 1, L M): band[M + i - j, j] = matrix[i, j]."""
    length, width = potential.shape
    band = np.zeros((2 * width + 1, length, width), dtype=np.complex128)
    blocks = _slice_blocks(system, potential)
    row, column = np.indices((width, width))
    band[width + row - column, :, column] = np.moveaxis(blocks, 0, -1)
    hopping = system.inter_slice()
    band[2 * width, :-1, :] = -hopping
    band[0, 1:, :] = -hopping.conj()
    return band.reshape(2 * width + 1, length * width)
