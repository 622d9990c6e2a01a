"""Which theory applies to a sweep point, by rules that never look at how well the data agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mesogpu.analysis.stored import systems
from mesogpu.analysis.symmetry import (
    SymmetryClass,
    is_clean_stretch_of_its_leads,
    magnetic_dephasing_length,
    obstacle,
    symmetry_class_of,
)
from mesogpu.config.experiment import Experiment
from mesogpu.physics.closed_forms import golden_rule_mean_free_path, symmetry_class
from mesogpu.physics.systems import System

ONE_L_S = 1.5
"""s = L/l from which a length enters the one-l fit."""

ONE_L_CONDUCTANCE = 1.2
"""Mean of one of the equal conductances down to which the one-l curve has been verified."""

DEPHASING_LENGTHS = 10.0
"""Lengths over which a symmetry is lost that make a sample long enough to be without it, in a field as among spins."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Where the finite-size laws of a class have been verified, and how far they are off there.

    one_l_aspect   : L/W from which a length enters the one-l fit
    aspect         : L/W from which variance and shot noise are those of a wire
    width          : sites from which they are
    conductance    : mean of one of the equal conductances above which they are
    variance_s     : s = L/l from which the box sum holds
    fano_s         : s from which the shot noise of a diffusive wire holds; infinite where that is not claimed
    one_l_error    : relative model errors, one standard error
    variance_error
    fano_error
    """

    one_l_aspect: float
    aspect: float
    width: int
    conductance: float
    variance_s: float
    fano_s: float
    one_l_error: float
    variance_error: float
    fano_error: float


_WEAK_DISORDER: Final = Verified(
    one_l_aspect=1.0,
    aspect=3.0,
    width=2,
    conductance=2.5,
    variance_s=5.0,
    fano_s=4.0,
    one_l_error=0.01,
    variance_error=0.08,
    fano_error=0.02,
)

_SU2_BONDS: Final = Verified(
    one_l_aspect=1.2,
    aspect=0.5,
    width=40,
    conductance=2.0,
    variance_s=7.0,
    fano_s=math.inf,
    one_l_error=0.015,
    variance_error=0.1,
    fano_error=math.nan,
)
"""SU(2) bonds scatter in every slice: g has fallen below 4 long before L = 3 W, and l grows by 10 % up to L = W, as in
two dimensions. The shot noise lies 5 % below its law at any length with g > 3."""

VERIFIED: Final = {1: _WEAK_DISORDER, 2: _WEAK_DISORDER, 4: _SU2_BONDS}
"""By Dyson index."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A sweep point as theory sees it.

    system   : the conductor and its leads
    channels : N, propagating modes of the leads
    """

    system: System
    channels: int

    @property
    def clean(self) -> bool:
        """Whether the sample is a stretch of its own leads, so that g = N exactly."""
        return is_clean_stretch_of_its_leads(self.system)

    @property
    def obstacle(self) -> str:
        """What keeps the theory of diffusive wires from covering this point; empty where it does."""
        return obstacle(self.system) or ("" if self.channels else "leads without a propagating mode")

    @property
    def symmetry(self) -> SymmetryClass:
        """The class of the long strip; only where there is no obstacle."""
        return symmetry_class_of(self.system)

    @property
    def verified(self) -> Verified:
        """Where that class's laws hold."""
        return VERIFIED[self.symmetry.beta]

    @property
    def modes(self) -> int:
        """N of the closed forms: the channels of one of the equal conductances that g sums."""
        return self.channels // self.symmetry.multiplicity

    def one(self, conductance: float) -> float:
        """One of the equal conductances that g sums."""
        return conductance / self.symmetry.multiplicity

    @property
    def golden_rule(self) -> float | None:
        """Mean free path of the golden rule in slices, over onsite energies and, summed over final spins, J^2.

        None in a field, whose modes it does not use; for SU(2) bonds; for a law without variance.
        """
        variance = self._variance()
        if self.system.flux != 0.0 or self.symmetry.beta == 4 or math.isinf(variance):
            return None
        return self._golden_rule(variance)

    def class_is_definite(self, length: int) -> bool:
        """Whether the strip is in its class at this length already, and not in the crossover from another."""
        spins, everything = self._variance("spins"), self._variance()
        if spins > 0.0:
            # A law without variance shortens l by an unknown amount; without it the length is an upper bound.
            mean_free_path = self._golden_rule(spins if math.isinf(everything) else everything)
            return length >= DEPHASING_LENGTHS * magnetic_dephasing_length(mean_free_path, self._golden_rule(spins))
        return symmetry_class(self.system.flux, width=self.system.lattice.width, length=length) is not None

    def in_one_l_window(self, length: int, conductance: float) -> bool:
        """Whether a length may enter the one-l fit, as far as one can say before l is known."""
        wire = length >= self.verified.one_l_aspect * self.system.lattice.width
        return wire and self.one(conductance) >= ONE_L_CONDUCTANCE and self.class_is_definite(length)

    def box_sum_from(self, mean_free_path: float) -> float:
        """Length in slices from which var g is claimed to be the box sum, as long as g is large."""
        return max(self.verified.variance_s * mean_free_path, self.verified.aspect * self.system.lattice.width)

    def is_diffusive_wire(self, length: int, conductance: float, s: float, smallest_s: float) -> bool:
        """Whether the laws of a diffusive wire hold at this length, s = L/l being as large as they demand."""
        rule, width = self.verified, self.system.lattice.width
        wire = length >= rule.aspect * width and width >= rule.width and s >= smallest_s
        return wire and self.one(conductance) >= rule.conductance and self.class_is_definite(length)

    def _variance(self, *places: str) -> float:
        """Variance of what scatters on a site, units of t^2: the laws on the given places, or all."""
        return sum(law.variance for law in self.system.laws if law.on in (places or ("sites", "spins")))

    def _golden_rule(self, variance: float) -> float:
        lattice = self.system.lattice
        return golden_rule_mean_free_path(
            lattice.width,
            energy=self.system.energy,
            variance=variance,
            periodic=lattice.periodic[0],
            hopping=self.system.hopping,
        )


def strips(experiment: Experiment, channels: list[int]) -> list[Strip]:
    """The experiment's points as theory sees them.

    channels : N of each point, as stored
    raises   : StoreError where the stored points are not the experiment's
    """
    found = systems(experiment, len(channels))
    return [Strip(system, count) for system, count in zip(found, channels, strict=True)]
