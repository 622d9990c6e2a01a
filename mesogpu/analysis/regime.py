"""Which theory applies to a sweep point, by rules that never look at how well the data agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mesogpu.config.experiment import Experiment
from mesogpu.errors import StoreError
from mesogpu.physics.closed_forms import golden_rule_mean_free_path, symmetry_class
from mesogpu.physics.systems import System
from mesogpu.plan.points import points

WIRE_ASPECT = 3.0
"""L/W from which a strip counts as a wire in the variance and the shot noise."""

ONE_L_ASPECT = 1.0
"""L/W from which a length enters the one-l fit."""

ONE_L_S = 1.5
"""s = L/l from which a length enters the one-l fit."""

ONE_L_CONDUCTANCE = 1.2
"""Mean conductance down to which the one-l curve has been verified."""

VARIANCE_S = 5.0
FANO_S = 4.0
DIFFUSIVE_CONDUCTANCE = 2.5
"""Mean conductance above which a wire counts as diffusive in the variance and the shot noise."""

ONE_L_MODEL_ERROR = 0.01
VARIANCE_MODEL_ERROR = 0.08
FANO_MODEL_ERROR = 0.02
"""Relative model errors of the finite-size laws, one standard error."""


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
        """Whether the strip is a stretch of its own leads, so that g = N exactly."""
        return self._uniform and self.disorder_variance == 0.0

    @property
    def diffusive_theory(self) -> bool:
        """Whether the theory of wires with weak onsite disorder covers this point.

        The leads must continue the strip; a field must leave trajectories straight over the width (pi W flux <= 1),
        or edge states form.
        """
        bent = math.pi * self.system.width * abs(self.system.flux) > 1.0
        return (
            self._uniform and self.disorder_variance > 0.0 and self.system.width > 1 and self.channels > 0 and not bent
        )

    @property
    def disorder_variance(self) -> float:
        """Variance of the onsite energy, units of t^2."""
        return sum(law.variance for law in self.system.laws)

    @property
    def golden_rule(self) -> float | None:
        """Mean free path of the golden rule in slices; None in a field, whose modes it does not use."""
        if self.system.flux != 0.0:
            return None
        return golden_rule_mean_free_path(
            self.system.width,
            energy=self.system.energy,
            variance=self.disorder_variance,
            periodic=self.system.periodic,
            hopping=self.system.hopping,
        )

    @property
    def beta(self) -> int:
        """Dyson index of the long strip: 1 without a field, 2 in one."""
        return 1 if self.system.flux == 0.0 else 2

    def class_is_definite(self, length: int) -> bool:
        """Whether the strip has the symmetry class `beta` at this length already, and is not in the crossover."""
        return symmetry_class(self.system.flux, width=self.system.width, length=length) == self.beta

    def in_one_l_window(self, length: int, conductance: float) -> bool:
        """Whether a length may enter the one-l fit, as far as one can say before l is known."""
        wire = length >= ONE_L_ASPECT * self.system.width and conductance >= ONE_L_CONDUCTANCE
        return wire and self.class_is_definite(length)

    def is_diffusive_wire(self, length: int, conductance: float, s: float, smallest_s: float) -> bool:
        """Whether the laws of a long diffusive wire hold at this length, s = L/l being as large as they demand."""
        long_wire = length >= WIRE_ASPECT * self.system.width and s >= smallest_s
        return long_wire and conductance >= DIFFUSIVE_CONDUCTANCE and self.class_is_definite(length)

    @property
    def _uniform(self) -> bool:
        system = self.system
        return system.lead_potential == 0.0 and (system.flux == 0.0 or system.lead_flux)


def strips(experiment: Experiment, channels: list[int]) -> list[Strip]:
    """The experiment's points as theory sees them.

    channels : N of each point, as stored
    raises   : StoreError where the stored points are not the experiment's
    """
    systems = [point.system for point in points(experiment)]
    if len(systems) != len(channels):
        raise StoreError(
            f"results: {len(channels)} sweep points, but the experiment stored with them has {len(systems)}; "
            "analyze the file that `mesogpu run` wrote, or pass its own experiment"
        )
    return [Strip(system, count) for system, count in zip(systems, channels, strict=True)]
