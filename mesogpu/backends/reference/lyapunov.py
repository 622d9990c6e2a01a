"""Lyapunov exponents of many bars at once, by Householder QR of the frames: plain NumPy, one slice at a time.

A frame holds psi_{x-1} and psi_x of D independent solutions; every few slices X = Q R, and the logarithms of R's
diagonal add up to the exponents, the largest first.

source : MacKinnon and Kramer, Z. Phys. B 53, 1 (1983); Benettin et al., Meccanica 15, 9 (1980)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.reference.recursion import block_product
from mesogpu.physics.slices import Slices
from mesogpu.physics.systems import System

CHUNK = 64
"""Slices drawn at a time."""

ComplexArray = NDArray[np.complex128]


def logarithm_sums(
    system: System, draw: Callable[[range], Slices], ends: Sequence[int], interval: int
) -> Iterator[NDArray[np.float64]]:
    """Sums of ln R_ii from slice 0 up to each end.

    system   : whose transfer matrix exists
    draw     : the slices of R bars in a range of slice numbers
    ends     : increasing, in slices
    interval : slices between two factorisations; an end has one of its own
    returns  : (R, D) float64 for each end, in the order of the columns, descending but for noise
    """
    marks = frozenset(ends)
    behind, here = _start(system, len(draw(range(1)).onsite))
    link: ComplexArray | None = None
    total = np.zeros(here.shape[::2])
    for x, slices, k in _all_slices(draw, ends[-1]):
        behind, here, link = here, _step(system, slices, k, behind, here, link), slices.inter_slice(k)
        if (x + 1) % interval == 0 or x + 1 in marks:
            frame, triangle = np.linalg.qr(np.concatenate([behind, here], axis=1))
            total = total + np.log(np.abs(np.diagonal(triangle, axis1=1, axis2=2)))
            behind, here = frame[:, : here.shape[1]], frame[:, here.shape[1] :]
        if x + 1 in marks:
            yield total


def _start(system: System, bars: int) -> tuple[ComplexArray, ComplexArray]:
    """psi_{-1} = 0 and psi_0 = 1."""
    unit = np.tile(np.eye(system.orbitals, dtype=np.complex128), (bars, 1, 1))
    return np.zeros_like(unit), unit


def _all_slices(draw: Callable[[range], Slices], end: int) -> Iterator[tuple[int, Slices, int]]:
    for first in range(0, end, CHUNK):
        slices = draw(range(first, min(first + CHUNK, end)))
        for k in range(len(slices.numbers)):
            yield first + k, slices, k


def _step(
    system: System, slices: Slices, k: int, behind: ComplexArray, here: ComplexArray, link: ComplexArray | None
) -> ComplexArray:
    """psi_{x+1} = V_x^{-dagger} [(E - h_x) psi_x - V_{x-1} psi_{x-1}]; V_{-1} is not there."""
    outgoing = system.energy * here - slices.intra_slice(k) @ here
    if link is not None:
        outgoing = outgoing - block_product(link, behind)
    adjoint = np.conj(np.swapaxes(slices.inter_slice(k), -1, -2))
    return block_product(np.linalg.inv(adjoint).astype(np.complex128, copy=False), outgoing)
