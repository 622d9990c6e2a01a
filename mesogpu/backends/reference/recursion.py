"""Recursive Green's function of many samples at once, slice by slice from lead 0, every length recorded on one pass.

g_x  = (E - h_x - V g_{x-1} V^dagger)^-1         last slice of a sample that ends at x and has lead 0 alone
G_x0 = g_x V G_{x-1,0}                           from the first slice to the last, times lead 0's coupling
Lead 1 enters at each recorded length: g = (g_x^-1 - Sigma_1)^-1. G_x0 decays with the length, so it carries a power
of two.

source : MacKinnon, Z. Phys. B 59, 385 (1985); Fisher and Lee, PRB 23, 6851 (1981)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.physics.slices import Slices
from mesogpu.physics.systems import System

RESCALE_INTERVAL = 8
"""Slices between two extractions of the power of two: no lattice model decays by 1e-37 in one slice."""

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Scattering:
    """Scattering of R samples at one recorded length.

    length       : slices
    transmission : (R, N, N) complex128, t / 2^exponent, from lead 0 to lead 1
    exponent     : (R,) int64
    reflection   : (R, N, N) complex128, r' of lead 1
    conditioning : (R,) float64, largest Frobenius condition number of an inverted slice so far
    """

    length: int
    transmission: ComplexArray
    exponent: NDArray[np.int64]
    reflection: ComplexArray
    conditioning: NDArray[np.float64]


def scatter(system: System, slices: Slices, lengths: tuple[int, ...]) -> Iterator[Scattering]:
    """Scattering of each sample at each length, in increasing order of length.

    slices  : of R realizations, from slice 0 to the longest length or beyond
    lengths : strictly increasing, in slices
    """
    lead_0, _ = system.leads(1)
    samples, orbitals = len(slices.onsite), system.orbitals
    recorded = frozenset(lengths)
    conditioning = np.ones(samples)
    exponent = np.zeros(samples, dtype=np.int64)
    incoming: ComplexArray = np.broadcast_to(lead_0.coupling, (samples, *lead_0.coupling.shape))
    self_energy: ComplexArray = np.broadcast_to(lead_0.self_energy, (samples, orbitals, orbitals))
    for x in range(lengths[-1]):
        present = slices.present(x)
        inverse = system.energy * np.eye(orbitals) - slices.intra_slice(x) - self_energy
        if not present.all():
            incoming = incoming * present[..., None]
            inverse = among(present, inverse, np.eye(orbitals))
        if x + 1 in recorded:
            lead_1 = system.leads(x + 1)[1]
            coupling = present[..., None] * lead_1.coupling
            ended = inverse - among(present, lead_1.self_energy)
            transmission, reflection = _attach(ended, incoming, coupling)
            yield Scattering(x + 1, transmission, exponent.copy(), reflection, conditioning.copy())
        greens_function = _inverse(inverse)
        np.maximum(conditioning, _norm(inverse) * _norm(greens_function), out=conditioning)
        hopping = slices.inter_slice(x)
        incoming = block_product(hopping, greens_function @ incoming)
        if (x + 1) % RESCALE_INTERVAL == 0:
            incoming, shift = _power_of_two(incoming)
            exponent += shift
        self_energy = _between(hopping, greens_function)


def _inverse(matrices: ComplexArray) -> ComplexArray:
    """Each matrix's inverse; NaN where there is none: a level at the energy that no lead reaches yet."""
    try:
        return np.linalg.inv(matrices).astype(np.complex128, copy=False)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(matrices, np.nan)
        return np.concatenate([_inverse(matrix[None]) for matrix in matrices])


def _solved(matrices: ComplexArray, sides: ComplexArray) -> ComplexArray:
    """matrices^-1 sides, one after the other where some have no inverse, NaN for these."""
    try:
        return np.linalg.solve(matrices, sides).astype(np.complex128, copy=False)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(sides, np.nan)
        sides = np.broadcast_to(sides, (len(matrices), *sides.shape[-2:]))
        pairs = zip(matrices, sides, strict=True)
        return np.concatenate([_solved(matrix[None], side[None]) for matrix, side in pairs])


def among(present: NDArray[np.bool_], matrix: ComplexArray, elsewhere: ArrayLike = 0.0) -> ComplexArray:
    """A matrix between orbitals that exist; where either is missing, what stands in `elsewhere`.

    present : (R, D) bool
    matrix  : (R, D, D) or (D, D) complex128
    """
    return np.asarray(np.where(present[:, :, None] & present[:, None, :], matrix, elsewhere), dtype=np.complex128)


def block_product(blocks: ComplexArray, matrix: ComplexArray) -> ComplexArray:
    """Product with a matrix that has one block a site: blocks (R, M, s, s), matrix (R, M s, n)."""
    samples, sites, spins, _ = np.broadcast_shapes(blocks.shape, (len(matrix), 1, 1, 1))
    by_site = matrix.reshape(samples, sites, spins, -1)
    product = np.empty(by_site.shape, dtype=np.complex128)
    for row in range(spins):
        product[:, :, row] = blocks[:, :, row, 0, None] * by_site[:, :, 0]
        for column in range(1, spins):
            product[:, :, row] += blocks[:, :, row, column, None] * by_site[:, :, column]
    return product.reshape(matrix.shape)


def _between(blocks: ComplexArray, matrix: ComplexArray) -> ComplexArray:
    """V g V^dagger for a V of blocks."""
    if blocks.shape[-1] == 1:
        diagonal = blocks[..., 0, 0]
        return np.asarray(diagonal[:, :, None] * diagonal.conj()[:, None, :] * matrix)
    # V g V^dagger = (V (V g)^dagger)^dagger
    return _adjoint(block_product(blocks, _adjoint(block_product(blocks, matrix))))


def _adjoint(matrices: ComplexArray) -> ComplexArray:
    return np.ascontiguousarray(np.swapaxes(matrices, -1, -2).conj())


def _attach(inverse: ComplexArray, incoming: ComplexArray, coupling: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """t = i W^dagger G V G_{x-1,0} W_0 and r' = -1 + i W^dagger G W, with W (R, D, N) the coupling of lead 1."""
    channels = coupling.shape[-1]
    outgoing = _adjoint(_solved(_adjoint(inverse), coupling))
    return 1j * (outgoing @ incoming), 1j * (outgoing @ coupling) - np.eye(channels)


def _norm(matrices: ComplexArray) -> NDArray[np.float64]:
    """Frobenius norm of each matrix."""
    flat = matrices.view(np.float64).reshape(len(matrices), -1)
    norm: NDArray[np.float64] = np.sqrt(np.einsum("ri,ri->r", flat, flat))
    return norm


def _power_of_two(matrices: ComplexArray) -> tuple[ComplexArray, NDArray[np.int64]]:
    """Each matrix divided by the power of two of its largest entry: exact, so no rounding depends on the interval."""
    parts = matrices.view(np.float64).reshape(len(matrices), -1)
    largest = np.abs(parts).max(axis=1, initial=0.0)
    _, exponent = np.frexp(largest)
    exponent = np.where(np.isfinite(largest), exponent, 0).astype(np.int64)
    scaled = np.ldexp(parts, -exponent[:, None].astype(np.int32))
    return scaled.view(np.complex128).reshape(matrices.shape), exponent
