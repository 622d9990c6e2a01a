"""Disorder laws: what is random, and how random words become energies, hoppings, fluxes or spins.

Where the words come from stands in `physics.draws`; the worked values in NOTATION.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mesogpu.physics.elementary import cosine_and_sine_of_turns, natural_logarithm
from mesogpu.physics.philox import fine_unit_interval, unit_interval
from mesogpu.physics.spin import unit_vectors

PLACES = ("sites", "bonds", "flux")
"""What a law of numbers can be on: the onsite energies; the hoppings, t + v on every bond on its own; the flux quanta
of every x-y plaquette, added to the uniform ones."""


@dataclass(frozen=True, slots=True)
class Law(ABC):
    """One entry of the disorder list.

    on             : what is random: one of `PLACES`, or "spins"
    distribution   : the law's name in the configuration
    sites_per_cell : sites that share the four words of one counter
    """

    on: str = field(default="sites", kw_only=True)
    distribution: ClassVar[str]
    sites_per_cell: ClassVar[int]

    @property
    @abstractmethod
    def parameters(self) -> tuple[float, ...]:
        """What the kernels are given, at most three numbers."""

    @abstractmethod
    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Numbers (..., sites_per_cell) for words (..., 4): units of t, or flux quanta; NaN where a site is missing."""

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

    width : full width W, in units of t (flux quanta for random flux)
    """

    width: float
    distribution: ClassVar[str] = "uniform"
    sites_per_cell: ClassVar[int] = 4

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.width,)

    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
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

    sigma              : standard deviation, in units of t
    correlation_length : c of <V V'> = sigma^2 exp(-r^2 / 2 c^2), in lattice constants, on sites alone; 0: uncorrelated
    source             : Box and Muller, Ann. Math. Statist. 29, 610 (1958)
    """

    sigma: float
    correlation_length: float = 0.0
    distribution: ClassVar[str] = "gaussian"
    sites_per_cell: ClassVar[int] = 2

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.sigma,)

    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
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

    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
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

    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        return np.where(unit_interval(words) < self.fraction, self.values[1], self.values[0])

    @property
    def variance(self) -> float:
        """p (1 - p) (b - a)^2."""
        return self.fraction * (1.0 - self.fraction) * (self.values[1] - self.values[0]) ** 2

    @property
    def typical_magnitude(self) -> float:
        """Half the larger magnitude."""
        return 0.5 * max(abs(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Vacancy(Law):
    """Missing sites.

    density : probability that a site is missing, in [0, 1)
    """

    density: float
    distribution: ClassVar[str] = "vacancy"
    sites_per_cell: ClassVar[int] = 4

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.density,)

    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        return np.where(unit_interval(words) < self.density, np.nan, 0.0)

    @property
    def variance(self) -> float:
        """Infinite, unless there are none."""
        return float("inf") if self.density > 0.0 else 0.0

    @property
    def typical_magnitude(self) -> float:
        """None: a missing site has no energy."""
        return 0.0


@dataclass(frozen=True, slots=True)
class MagneticImpurity(Law):
    """A classical spin on every site: H = exchange n . sigma with n uniform on the sphere.

    exchange : J, in units of t
    """

    exchange: float
    on: str = field(default="spins", kw_only=True)
    distribution: ClassVar[str] = "sphere"
    sites_per_cell: ClassVar[int] = 2

    @property
    def parameters(self) -> tuple[float, ...]:
        return (self.exchange,)

    def drawn(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Fields J n, (..., 2, 3), in units of t."""
        return self.exchange * unit_vectors(words)

    @property
    def variance(self) -> float:
        """J^2: the two spin states have energies J and -J along n."""
        return self.exchange**2

    @property
    def typical_magnitude(self) -> float:
        """J / 2."""
        return 0.5 * abs(self.exchange)
