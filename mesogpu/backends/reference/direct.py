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

from mesogpu.backends.certify import UNITARITY_BOUND
from mesogpu.backends.reference.recursion import among, block_product
from mesogpu.physics.slices import Slices
from mesogpu.physics.systems import System

HEADROOM = 900
"""Power of two of the incoming waves: leaves a factor 1e37 for what the sample may pile up."""

SMALLEST = 1e-290
"""Amplitudes below this may have lost digits to underflow."""

DENSE_ORBITALS = 200
"""Up to this many orbitals the matrix is solved as it stands; beyond, as a band matrix of the same numbers."""

ComplexArray = NDArray[np.complex128]


def transmission_amplitudes(system: System, slices: Slices, length: int) -> tuple[ComplexArray, int] | None:
    """Amplitudes t of one sample from lead 0 to lead 1, as s and e with t = 2^e s, the largest |s| about 1.

    slices  : of one realization, from slice 0 on
    length  : slices of the sample
    returns : s (N, N) complex128, e; None where they underflow, below ln g of about -2600, or the system is singular:
              levels at the energy that no lead reaches
    """
    orbitals = system.orbitals
    lead_0, lead_1 = system.leads(length)
    source = np.zeros((length * orbitals, lead_0.channels), dtype=np.complex128)
    source[:orbitals] = slices.present(0)[0][:, None] * lead_0.coupling * 2.0**HEADROOM
    blocks, hoppings = _slice_blocks(system, slices, length)
    try:
        if length * orbitals <= DENSE_ORBITALS:
            solution = np.linalg.solve(_dense(blocks, hoppings), source)
        else:
            band, reach = _banded(blocks, hoppings)
            solution = solve_banded((reach, reach), band, source, overwrite_ab=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    wave: ComplexArray = np.asarray(solution, dtype=np.complex128)
    coupling = slices.present(length - 1)[0][:, None] * lead_1.coupling
    amplitudes = 1j * coupling.conj().T @ wave[-orbitals:]
    largest = np.abs(amplitudes).max(initial=0.0)
    if not largest > SMALLEST or not _conserves_flux(amplitudes, wave[:orbitals], source[:orbitals]):
        return None
    power = int(np.frexp(largest)[1])
    return np.ldexp(amplitudes.real, -power) + 1j * np.ldexp(amplitudes.imag, -power), power - HEADROOM


def _conserves_flux(amplitudes: ComplexArray, first: ComplexArray, source: ComplexArray) -> bool:
    """Whether R + T = N: a nearly singular system has solutions without any sense.

    amplitudes : (N, N), t 2^HEADROOM
    first      : (D, N), the solution on the first slice
    source     : (D, N), W_0 2^HEADROOM
    """
    channels = source.shape[1]
    scale = 2.0**-HEADROOM
    reflected = 1j * (source * scale).conj().T @ (first * scale) - np.eye(channels)
    total = np.sum(np.abs(amplitudes * scale) ** 2) + np.sum(np.abs(reflected) ** 2)
    return bool(abs(total - channels) <= UNITARITY_BOUND * channels)


def _slice_blocks(system: System, slices: Slices, length: int) -> tuple[ComplexArray, ComplexArray]:
    """Diagonal blocks of E - H - Sigma, (L, D, D), and hoppings to the next slice, (L - 1, M, s, s).

    An orbital that is missing keeps a row of its own with 1 on the diagonal.
    """
    orbitals = system.orbitals
    lead_0, lead_1 = system.leads(length)
    blocks = np.empty((length, orbitals, orbitals), dtype=np.complex128)
    for x in range(length):
        blocks[x] = system.energy * np.eye(orbitals) - slices.intra_slice(x)[0]
    blocks[0] -= lead_0.self_energy
    blocks[-1] -= lead_1.self_energy
    present = np.array([slices.present(x)[0] for x in range(length)])
    by_site = present[:, :: system.spins, None, None]
    hoppings = [np.where(by_site[x + 1], slices.inter_slice(x)[0], 0.0) for x in range(length - 1)]
    shape = (length - 1, system.lattice.sites, system.spins, system.spins)
    return among(present, blocks, np.eye(orbitals)), np.array(hoppings, dtype=np.complex128).reshape(shape)


def _dense(blocks: ComplexArray, hoppings: ComplexArray) -> ComplexArray:
    """E - H - Sigma on all orbitals, (L D, L D)."""
    length, orbitals, _ = blocks.shape
    matrix = np.zeros((length, orbitals, length, orbitals), dtype=np.complex128)
    for x in range(length):
        matrix[x, :, x, :] = blocks[x]
        if x + 1 < length:
            matrix[x + 1, :, x, :] = -block_product(hoppings[x : x + 1], np.eye(orbitals, dtype=np.complex128)[None])[0]
            matrix[x, :, x + 1, :] = matrix[x + 1, :, x, :].conj().T
    return matrix.reshape(length * orbitals, length * orbitals)


def _banded(blocks: ComplexArray, hoppings: ComplexArray) -> tuple[ComplexArray, int]:
    """The same matrix by diagonals, (2 r + 1, L D): band[r + i - j, j] = matrix[i, j]; and r."""
    length, orbitals, _ = blocks.shape
    spins = hoppings.shape[-1]
    reach = orbitals + spins - 1
    band = np.zeros((2 * reach + 1, length, orbitals), dtype=np.complex128)
    row, column = np.indices((orbitals, orbitals))
    band[reach + row - column, :, column] = np.moveaxis(blocks, 0, -1)
    for a in range(spins):
        for b in range(spins):
            # Orbital b of a site to orbital a of the same site in the next slice, and back.
            band[reach + orbitals + a - b, :-1, b::spins] = -hoppings[:, :, a, b]
            band[reach - orbitals - a + b, 1:, a::spins] = -hoppings[:, :, a, b].conj()
    return band.reshape(2 * reach + 1, length * orbitals), reach
