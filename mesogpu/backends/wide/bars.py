"""Lyapunov exponents of wide bars: the algorithm of kernels/lyapunov.cu, its linear algebra done by a library."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bar_inputs import has_real_frames
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.wide.arrays import Array, Arrays, in_full_batches
from mesogpu.backends.wide.steps import StepsOf, Stretch
from mesogpu.backends.wide.triangles import Triangle
from mesogpu.plan.points import Point

NO_LEAD = -1
"""In place of the length at which lead 1 is attached."""


def follow(
    arrays: Arrays,
    steps: StepsOf,
    point: Point,
    ends: tuple[int, ...],
    interval: int,
    realizations: NDArray[np.uint32],
    batch: int = 1,
) -> BarOutput:
    """A list of bars of a point; see `mesogpu.backends.bars.Launch`.

    arrays, steps : linear algebra and steps on the device that is to do it
    batch         : bars at a time, see `in_full_batches`
    """
    outputs = [
        _Batch(arrays, steps, point, interval, part).follow(ends) for part in in_full_batches(realizations, batch)
    ]
    count = len(realizations)
    return BarOutput(
        np.concatenate([output.sums for output in outputs], axis=1)[:, :count],
        np.concatenate([output.spread_sum for output in outputs])[:count],
        np.concatenate([output.largest for output in outputs])[:count],
    )


class _Batch:
    """Frames of R bars on their way.

    frame      : (R, 2, D, D) float64 or complex128, columns on two slices; `here` is the later one's place
    spread_sum : (R,) float64, of the spreads of all factors; `largest`: the largest of them
    """

    def __init__(
        self, arrays: Arrays, steps: StepsOf, point: Point, interval: int, realizations: NDArray[np.uint32]
    ) -> None:
        xp, bars, orbitals = arrays.module, len(realizations), point.system.orbitals
        self._arrays, self._interval = arrays, interval
        self._steps = steps(point, max(interval, 1), realizations)
        number = np.float64 if has_real_frames(self._steps.conductor) else np.complex128
        self.frame = xp.zeros((bars, 2, orbitals, orbitals), dtype=number)
        self.frame[:, 1] = xp.eye(orbitals)
        self.here = 1
        self.spread_sum, self.largest = xp.zeros(bars), xp.ones(bars)

    def follow(self, ends: tuple[int, ...]) -> BarOutput:
        """What is added up along them, up to each end."""
        with np.errstate(all="ignore"):  # what leaves the finite numbers is found by its certificates
            sums = [self._arrays.fetch(self._sum(first, end)) for first, end in pairwise((0, *ends))]
            largest = self.largest + 0.0 * self.spread_sum  # NaN where any was
        return BarOutput(np.stack(sums), self._arrays.fetch(self.spread_sum), self._arrays.fetch(largest))

    def _sum(self, first: int, end: int) -> Array:
        """Sum of ln R_ii over slices first ... end - 1, (R, D)."""
        total: Any = 0.0
        halved = self._interval == 0
        for x in range(first, end, max(self._interval, 1)):
            count = min(max(self._interval, 1), end - x)
            self._steps.cross(self.frame, Stretch(x, count, NO_LEAD, self.here, False))
            self.here = (self.here + count) % 2
            if halved:
                exponents = self._halve_growth()
                total = total + self._stabilise()
                self._complete_growth(exponents)
            total = total + self._stabilise()
        # A second factor at an end, so that what the first has missed counts on this side of it.
        return total + self._stabilise()

    def _stabilise(self) -> Array:
        """Make the frames orthonormal; ln R_ii, (R, D)."""
        xp, columns = self._arrays.module, self.frame.reshape(len(self.frame), -1, self.frame.shape[-1])
        triangle = Triangle(self._arrays, columns)
        triangle.divide(columns)
        self.spread_sum = self.spread_sum + triangle.spread
        self.largest = xp.maximum(self.largest, triangle.spread)
        return xp.log(triangle.diagonal)

    def _halve_growth(self) -> Array:
        """Divide each row of the newest slice by the square root of its size, a power of two, where that is above 1.

        returns : (R, D) int, exponents of what the rows were divided by
        """
        xp, here = self._arrays.module, self.frame[:, self.here]
        size = xp.maximum(xp.abs(here.real), xp.abs(here.imag)).max(axis=2)
        exponents = (xp.frexp(xp.maximum(size, 1.0))[1] - 1) >> 1
        here *= xp.ldexp(xp.ones(exponents.shape), -exponents)[:, :, None]
        return exponents

    def _complete_growth(self, exponents: Array) -> None:
        """Multiply the rows by what they were divided by."""
        xp = self._arrays.module
        self.frame[:, self.here] *= xp.ldexp(xp.ones(exponents.shape), exponents)[:, :, None]
