"""Random numbers of whole slices: who gets which words, whatever computes them.

A number is fixed by (seed, realization, slice, site, stream) alone. A stream is 16 * position in the disorder list,
plus what is drawn; the random spin-orbit coupling of the model has a position of its own. See NOTATION.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.physics.disorder import Gaussian, Law
from mesogpu.physics.lattices import LINE_STRIDE, Lattice
from mesogpu.physics.philox import philox4x32

STREAMS_A_LAW = 16
ONSITE, BONDS_X, BONDS_Y, BONDS_Z, SPINS, PLAQUETTES = range(6)
"""Streams within a law's sixteen; a bond belongs to the site at its lower end, a plaquette to its lowest corner."""

SPIN_ORBIT_POSITION = 0x0FFFFFF0
"""In place of a position in the disorder list: the random bonds of the model's spin-orbit coupling."""

_NEGLIGIBLE = 1e-6
_RING = 8192
_REPLICAS = 20


@dataclass(frozen=True, slots=True)
class Draws:
    """Realizations and slices to draw for.

    seed         : key word 0, below 2^32
    realizations : (R,) key word 1, below 2^32
    slices       : (X,) slice indices along the current
    lattice      : which sites a slice has
    point        : counter word 3; 0 where sweep points share their realizations
    """

    seed: int
    realizations: ArrayLike
    slices: ArrayLike
    lattice: Lattice
    point: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(R, X, M)."""
        return np.size(self.realizations), np.size(self.slices), self.lattice.sites

    def words(self, cells: NDArray[np.int64], stream: int, slices: ArrayLike | None = None) -> NDArray[np.uint32]:
        """Words of the given cells, (R, X, cells, 4); negative cells and slices count down from 2^32."""
        low = 0xFFFFFFFF
        realization = np.asarray(self.realizations, dtype=np.uint64)[:, None, None]
        slice_index = np.asarray(self.slices if slices is None else slices, dtype=np.int64)[None, :, None] & low
        return philox4x32((cells & low, slice_index, stream, self.point), (self.seed, realization))

    def numbers(self, law: Law, stream: int) -> NDArray[np.float64]:
        """What a law gives each site, (R, X, M), or (R, X, M, 3) for a law of vectors."""
        if isinstance(law, Gaussian) and law.correlation_length > 0.0:
            return _correlated(self, law, stream)
        return self._uncorrelated(law, stream, self.lattice.numbers(), self.slices)

    def _uncorrelated(
        self, law: Law, stream: int, numbers: NDArray[np.int64], slices: ArrayLike
    ) -> NDArray[np.float64]:
        cells, cell = np.unique(numbers // law.sites_per_cell, return_inverse=True)
        values = law.drawn(self.words(cells, stream, slices))
        return np.asarray(values[:, :, cell, numbers % law.sites_per_cell])


def stream_of(position: int, place: int) -> int:
    """Counter word 2 for a law's position in the disorder list and what is drawn."""
    return STREAMS_A_LAW * position + place


@lru_cache(maxsize=64)
def smoothing(correlation_length: float) -> NDArray[np.float64]:
    """Weights k(-r) ... k(r) that turn white noise into a sequence with covariance exp(-d^2 / 2 c^2).

    Exact on the lattice: the square root of the covariance's spectrum, cut where it is below 1e-6 of its centre;
    no covariance is off by more than some 1e-6, and the variance is exact.

    correlation_length : c, from 0.1 to 100 lattice constants
    returns            : (2 r + 1,) float64
    """
    wave_numbers = 2.0 * np.pi * np.arange(_RING // 2 + 1) / _RING
    replicas = wave_numbers[:, None] + 2.0 * np.pi * np.arange(-_REPLICAS, _REPLICAS + 1)
    spectrum = np.sum(np.exp(-0.5 * (correlation_length * replicas) ** 2), axis=1)
    weights = np.fft.irfft(np.sqrt(np.sqrt(2.0 * np.pi) * correlation_length * spectrum), _RING)
    reach = int(np.max(np.flatnonzero(np.abs(weights[: _RING // 2]) > _NEGLIGIBLE * weights[0])))
    kept = np.concatenate([weights[reach:0:-1], weights[: reach + 1]])
    return np.asarray(kept / np.sqrt(np.sum(kept**2)))


def _correlated(draws: Draws, law: Gaussian, stream: int) -> NDArray[np.float64]:
    """White noise smoothed along every direction; what lies outside is drawn too, or comes round the ring."""
    lattice, weights = draws.lattice, smoothing(law.correlation_length)
    reach = len(weights) // 2
    slices = np.asarray(draws.slices, dtype=np.int64)
    along = np.arange(slices.min(initial=0) - reach, slices.max(initial=0) + reach + 1)
    y = np.arange(-reach, lattice.width + reach) if lattice.kind != "chain" else np.arange(1)
    z = np.arange(-reach, lattice.depth + reach) if lattice.kind == "cubic" else np.arange(1)
    y = y % lattice.width if lattice.periodic[0] else y
    z = z % lattice.depth if lattice.periodic[1] else z
    numbers = (LINE_STRIDE * y[:, None] + z if lattice.kind == "cubic" else y[:, None] + z).ravel()
    noise = draws._uncorrelated(law, stream, numbers, along)
    noise = noise.reshape(*noise.shape[:2], len(y), len(z))
    for axis, length in ((3, len(z)), (2, len(y))):
        if length > 1:
            noise = _smoothed(noise, weights, axis)
    smooth = _smoothed(noise, weights, 1)[:, slices - along[0] - reach]
    return np.asarray(smooth.reshape(draws.shape))


def _smoothed(noise: NDArray[np.float64], weights: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The valid part of a convolution along one axis, term by term, so that no bit depends on the batch."""
    length = noise.shape[axis] - len(weights) + 1
    total = np.zeros((*noise.shape[:axis], length, *noise.shape[axis + 1 :]))
    for first, weight in enumerate(weights):
        total += weight * np.take(noise, np.arange(first, first + length), axis=axis)
    return total
