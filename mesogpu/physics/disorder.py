"""Disorder laws, and the onsite potential that each realization has whatever computes it.

The random numbers of a site are fixed by (seed, realization, slice, site, position of the law) alone; see NOTATION.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.physics.philox import philox4x32, unit_interval

LAWS_PER_STREAM_GROUP = 16
ONSITE_STREAM = 0
SITES_PER_CELL = 4


class Law(Protocol):
    """A disorder law of the sites: how a uniform number becomes an energy."""

    @property
    def distribution(self) -> str:
        """The law's name in the configuration."""

    def energies(self, uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Onsite energies, in units of t, for uniform numbers in (0, 1)."""

    @property
    def variance(self) -> float:
        """Variance of the onsite energy, in units of t^2."""

    @property
    def typical_magnitude(self) -> float:
        """Half the 95 % quantile of |V| (a box: W / 4), in units of t: what the stabilisation interval goes by."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """Box disorder: V uniform in [-width/2, width/2].

    width : full width W, in units of t
    """

    width: float

    @property
    def distribution(self) -> str:
        return "uniform"

    def energies(self, uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.width * (uniforms - 0.5)

    @property
    def variance(self) -> float:
        """W^2 / 12."""
        return self.width**2 / 12.0

    @property
    def typical_magnitude(self) -> float:
        """W / 4."""
        return self.width / 4.0


def onsite_potential(
    laws: Sequence[Law],
    *,
    seed: int,
    realizations: ArrayLike,
    slices: ArrayLike,
    width: int,
    point: int = 0,
) -> NDArray[np.float64]:
    """Onsite potential of whole slices: the sum of all laws.

    laws         : the disorder list, in its order (the position chooses the random stream)
    seed         : key word 0, below 2^32
    realizations : (R,) key word 1, below 2^32
    slices       : (X,) slice indices along the current, from 0
    width        : M sites of a slice
    point        : counter word 3; 0 where sweep points share their realizations
    returns      : (R, X, M) float64, units of t
    """
    realization = np.asarray(realizations, dtype=np.uint64)[:, None, None]
    slice_index = np.asarray(slices, dtype=np.uint64)[None, :, None]
    cells = np.arange(-(-width // SITES_PER_CELL), dtype=np.uint64)[None, None, :]
    shape = (realization.shape[0], slice_index.shape[1], width)
    potential = np.zeros(shape)
    for position, law in enumerate(laws):
        stream = LAWS_PER_STREAM_GROUP * position + ONSITE_STREAM
        words = philox4x32((cells, slice_index, stream, point), (seed, realization))
        words = words.reshape(*shape[:2], -1)[..., :width]
        potential += law.energies(unit_interval(words))
    return potential
