"""Lyapunov exponents by NumPy's QR, as a careful user would write them: real numbers, a stack of bars, a long interval.

Written for this comparison and for nothing else: it knows cubic bars with periodic sides at E = 0 alone.

source : MacKinnon and Kramer, Z. Phys. B 53, 1 (1983)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def logarithm_sums(onsite: NDArray[np.float64], interval: int) -> NDArray[np.float64]:
    """Sums of ln |R_ii| along B bars, factorised every `interval` slices.

    onsite  : (B, slices, M, M) float64, units of t
    returns : (B, M^2) float64, the largest first but for noise
    """
    bars, slices, width, _ = onsite.shape
    orbitals = width * width
    frame = np.zeros((bars, 2, orbitals, orbitals))
    frame[:, 1] = np.eye(orbitals)
    sums = np.zeros((bars, orbitals))
    for x in range(slices):
        frame = np.stack([frame[:, 1], _next_slice(onsite[:, x], frame)], axis=1)
        if (x + 1) % interval == 0 or x + 1 == slices:
            columns, triangle = np.linalg.qr(frame.reshape(bars, 2 * orbitals, orbitals))
            sums += np.log(np.abs(np.diagonal(triangle, axis1=1, axis2=2)))
            frame = columns.reshape(frame.shape)
    return sums


def _next_slice(onsite: NDArray[np.float64], frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """psi_{x+1} = V psi_x - (psi_x of the four neighbours) - psi_{x-1}, in units of t."""
    bars, width, _ = onsite.shape
    psi = frame[:, 1].reshape(bars, width, width, -1)
    ahead = onsite[..., None] * psi - frame[:, 0].reshape(psi.shape)
    for axis in (1, 2):
        for step in (1, -1):
            ahead -= np.roll(psi, step, axis)
    return ahead.reshape(bars, width * width, -1)
