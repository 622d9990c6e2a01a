"""Lyapunov exponents of an ensemble of bars, and how they are judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import hypot

import numpy as np

from mesogpu.backends.native.backend import NativeBackend
from mesogpu.config.experiment import Bars
from mesogpu.physics.systems import System
from mesogpu.plan import Block, Point, Status

SEED = 20261121


@dataclass(frozen=True)
class Measured:
    """Means over bars with their standard errors: from the scatter between bars, and from that within them.

    values, errors, within : (k,) float64, per slice, smallest exponent first
    bars                   : how many
    """

    values: np.ndarray
    errors: np.ndarray
    within: np.ndarray
    bars: int

    @property
    def smallest(self) -> tuple[float, float]:
        """The smallest exponent and its error."""
        return float(self.values[0]), float(self.errors[0])

    def reduced_length(self, width: int) -> tuple[float, float]:
        """Lambda = xi / M and its error."""
        gamma, error = self.smallest
        return 1.0 / (gamma * width), error / (gamma**2 * width)


@cache
def native() -> NativeBackend:
    return NativeBackend()


def measure(
    system: System, bars: int, slices: int, warmup: int, *, exponents: int | None = 1, seed: int = SEED
) -> Measured:
    """All bars of a system, each of them certified."""
    point = Point(0, (), system, (slices,), seed, 0, False, False, Bars(slices, warmup, exponents))
    (result,) = native().run([Block(point, 0, 0, bars)])
    assert np.all(result.arrays["status"] <= Status.REDONE)
    found, own = result.arrays["lyapunov_exponents"], result.arrays["lyapunov_errors"]
    within = np.sqrt(np.mean(own**2, axis=0) / bars)
    return Measured(found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(bars), within, bars)


def tolerance(error: float, reference_error: float = 0.0, demand: float = 0.0) -> float:
    """How far a value may be from its reference: three combined errors, of which a demand is three."""
    return 3.0 * hypot(error, reference_error, demand / 3.0)
