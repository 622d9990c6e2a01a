"""Disorder laws, and the onsite potential that each realization has whatever computes it.

The random numbers of a site are fixed by (seed, realization, slice, site, position of the law) alone; see NOTATION.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.physics.elementary import cosine_and_sine_of_turns, natural_logarithm
from mesogpu.physics.philox import fine_unit_interval, philox4x32, unit_interval

LAWS_PER_STREAM_GROUP = 16
ONSITE_STREAM = 0


@dataclass(frozen=True, slots=True)
class Law(ABC):
    """A disorder law of the sites: how the random words of a cell of sites become energies.

    distribution   : the law's name in the configuration
    sites_per_cell : sites that share the four words of one counter
    """

    distribution: ClassVar[str]
    sites_per_cell: ClassVar[int]

    @property
    @abstractmethod
    def parameters(self) -> tuple[float, ...]:
        """What the kernels are given, at most three numbers."""

    @abstractmethod
    def energies(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Onsite energies (..., sites_per_cell), in units of t, for words (..., 4)."""

    @property
    @abstractmethod
    def variance(self) -> float:
        """Variance of the onsite energy, in units of t^2."""

    @property
    @abstractmethod
    def typical_magnitude(self) -> float:
        """Half the 95 % quantile of |V| (a box: W / 4), in units of t: what the stabilisation interval goes by."""


@dataclass(frozen=True, slots=True)
class Uniform(Law):
    """Box disorder: V uniform in [-width/2, width/2].

    width : full width W, in units of t
    """

    width: float
    distribution: ClassVar[str] = "uniform"
    sites_per_cell: ClassVar[int] = 4

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.width,)

    def energies(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        return self.width * (unit_interval(words) - 0.5)

    @property
    def variance(self) -> float:
        """W^2 / 12."""
        return self.width**2 / 12.0

    @property
    def typical_magnitude(self) -> float:
        """W / 4."""
        return self.width / 4.0


@dataclass(frozen=True, slots=True)
class Gaussian(Law):
    """Normal disorder of mean 0, by Box and Muller's pairs.

    sigma  : standard deviation, in units of t
    source : Box and Muller, Ann. Math. Statist. 29, 610 (1958)
    """

    sigma: float
    distribution: ClassVar[str] = "gaussian"
    sites_per_cell: ClassVar[int] = 2

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.sigma,)

    def energies(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        radius = self.sigma * np.sqrt(-2.0 * natural_logarithm(fine_unit_interval(words[..., :2])))
        cosine, sine = cosine_and_sine_of_turns(fine_unit_interval(words[..., 2:]))
        return np.stack([radius * cosine, radius * sine], axis=-1)

    @property
    def variance(self) -> float:
        """sigma^2."""
        return self.sigma**2

    @property
    def typical_magnitude(self) -> float:
        """0.98 sigma."""
        return 0.98 * self.sigma


@dataclass(frozen=True, slots=True)
class Cauchy(Law):
    """Lloyd's disorder: V = half_width tan(pi (u - 1/2)), without moments.

    half_width : half the full width at half maximum, in units of t
    source     : Lloyd, J. Phys. C 2, 1717 (1969)
    """

    half_width: float
    distribution: ClassVar[str] = "cauchy"
    sites_per_cell: ClassVar[int] = 2

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.half_width,)

    def energies(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        pairs = words.reshape(*words.shape[:-1], 2, 2)
        cosine, sine = cosine_and_sine_of_turns(0.5 * (fine_unit_interval(pairs) - 0.5))
        return self.half_width * (sine / cosine)

    @property
    def variance(self) -> float:
        """Infinite."""
        return float("inf")

    @property
    def typical_magnitude(self) -> float:
        """Half of tan(0.95 pi / 2) half widths."""
        return 6.35 * self.half_width


@dataclass(frozen=True, slots=True)
class Binary(Law):
    """Two energies, as in a binary alloy.

    values   : (a, b), in units of t
    fraction : probability of b, in [0, 1]
    """

    values: tuple[float, float]
    fraction: float
    distribution: ClassVar[str] = "binary"
    sites_per_cell: ClassVar[int] = 4

    @property
    def parameters(self) -> tuple[float, ...]:
        return (*self.values, self.fraction)

    def energies(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        return np.where(unit_interval(words) < self.fraction, self.values[1], self.values[0])

    @property
    def variance(self) -> float:
        """p (1 - p) (b - a)^2."""
        return self.fraction * (1.0 - self.fraction) * (self.values[1] - self.values[0]) ** 2

    @property
    def typical_magnitude(self) -> float:
        """Half the larger magnitude."""
        return 0.5 * max(abs(value) for value in self.values)


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
    shape = (realization.shape[0], slice_index.shape[1], width)
    potential = np.zeros(shape)
    for position, law in enumerate(laws):
        cells = np.arange(-(-width // law.sites_per_cell), dtype=np.uint64)
        stream = LAWS_PER_STREAM_GROUP * position + ONSITE_STREAM
        words = philox4x32((cells, slice_index, stream, point), (seed, realization))
        potential += law.energies(words).reshape(*shape[:2], -1)[..., :width]
    return potential
