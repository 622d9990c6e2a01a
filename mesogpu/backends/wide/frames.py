"""Transmission through wide samples: complex frames from the modes of lead 0, every length on one pass.

The algorithm of kernels/transmission.cu, written for an array module: a batch of realizations goes through the sample
together, and all that costs M^3 is a stack of matrix products.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.kernel_inputs import frame_arrays
from mesogpu.backends.wide.arrays import Array, Arrays, adjoint, in_full_batches
from mesogpu.backends.wide.steps import StepsOf, Stretch
from mesogpu.backends.wide.triangles import Triangle
from mesogpu.plan.points import Point


def transmit(
    arrays: Arrays, steps: StepsOf, point: Point, interval: int, realizations: NDArray[np.uint32], batch: int = 1
) -> KernelOutput:
    """A list of realizations of a point, `interval` slices between stabilisations.

    arrays, steps : linear algebra and steps on the device that is to do it
    batch         : realizations at a time, see `in_full_batches`
    """
    with np.errstate(all="ignore"):  # what leaves the finite numbers is found by its certificates
        parts = [
            _Batch(arrays, steps, point, interval, part).transmit() for part in in_full_batches(realizations, batch)
        ]
    merged: dict[str, Any] = {"eigenvalues": None}
    for name in parts[0]:
        merged[name] = np.concatenate([part[name] for part in parts], axis=1)[:, : len(realizations)]
    return KernelOutput(**merged)


class _Batch:
    """Frames of R realizations on their way through the sample.

    frame        : (R, 2, D, D) complex128, columns on two slices; `here` is the later one's place
    history      : (R, N, N) complex128, upper triangular: P / 2^exponent, propagating part
    exponent     : (R,) int64
    conditioning : (R,) float64
    """

    def __init__(
        self, arrays: Arrays, steps: StepsOf, point: Point, interval: int, realizations: NDArray[np.uint32]
    ) -> None:
        xp, samples, orbitals = arrays.module, len(realizations), point.system.orbitals
        self._arrays, self._point, self._interval = arrays, point, interval
        self._inputs = {name: xp.asarray(array) for name, array in frame_arrays(point).items()}
        start, history = self._inputs["start"], self._inputs["start_history"]
        self._channels = len(history)
        self._closed = orbitals - self._channels
        self._steps = steps(point, interval, realizations)
        self.frame = xp.tile(start.reshape(2, orbitals, orbitals), (samples, 1, 1, 1))
        self.here = 1
        self.history = xp.tile(history, (samples, 1, 1))
        self.exponent = xp.zeros(samples, dtype=np.int64)
        self.conditioning = xp.ones(samples)

    def transmit(self) -> dict[str, NDArray[Any]]:
        """The fields of `KernelOutput` that the point asks for."""
        records = []
        for last, length in pairwise((0, *self._point.lengths)):
            for first in range(last, length, self._interval):
                count = min(self._interval, length - first)
                self._steps.cross(self.frame, Stretch(first, count, length, self.here, first == last > 0))
                self.here = (self.here + count) % 2
                self._stabilise()
            record = self._attach((length - 1) % self._point.system.lattice.period)
            records.append({name: self._arrays.fetch(value) for name, value in record.items()})
        return {name: np.stack([record[name] for record in records]) for name in records[0]}

    def _stabilise(self) -> None:
        """Make the frames orthonormal and carry the change in P, whose largest diagonal entry becomes about 1."""
        xp, columns = self._arrays.module, self.frame.reshape(len(self.frame), -1, self.frame.shape[-1])
        triangle = Triangle(self._arrays, columns)
        self.conditioning = xp.maximum(self.conditioning, triangle.spread)
        triangle.divide(columns)
        triangle.divide(self.history, begin=self._closed, upper=True)
        largest = xp.diagonal(self.history, axis1=1, axis2=2).real.max(axis=1)
        power = xp.where(xp.isfinite(largest), xp.frexp(largest)[1], 0)
        self.history *= xp.ldexp(xp.ones(len(power)), -power)[:, None, None]
        self.exponent = self.exponent + power

    def _attach(self, link: int) -> dict[str, Array]:
        """Lead 1 at the present length: A = incoming X = Q R, and t' = P R^-1 Q^dagger on the propagating modes."""
        xp, incoming = self._arrays.module, self._inputs["incoming"][link]
        frame = self.frame if self.here == 1 else self.frame[:, ::-1]
        columns = xp.ascontiguousarray(frame.reshape(len(frame), -1, frame.shape[-1]))
        incident = incoming @ columns
        triangle = Triangle(self._arrays, incident)
        rows = xp.ascontiguousarray(incident[:, self._closed :])
        triangle.divide(rows)
        defect = self._flux_defect(link, columns, triangle, rows)
        history = self.history.copy()
        triangle.divide(history, begin=self._closed, upper=True)
        amplitudes = history @ adjoint(rows[:, :, self._closed :])
        hermitian = adjoint(amplitudes) @ amplitudes
        trace = self._square_sum(amplitudes)
        record = {
            "exponent": self.exponent,
            "trace": trace,
            "square_trace": self._square_sum(hermitian),
            "defect": defect,
            "conditioning": xp.maximum(self.conditioning, triangle.spread),
        }
        if self._point.eigenvalues:
            # NumPy gives up all matrices for one that is not finite.
            finite = xp.where(xp.isfinite(trace)[:, None, None], hermitian, 0.0)
            record["eigenvalues"] = xp.linalg.eigvalsh(finite)[:, ::-1]
        return record

    def _flux_defect(self, link: int, columns: Array, triangle: Triangle, rows: Array) -> Array:
        """|R + T - N| of one wave, every incoming mode with amplitude 1: A c = b, T = |P c|^2, R = |outgoing X c|^2."""
        xp = self._arrays.module
        wave = triangle.solve(adjoint(rows) @ xp.ones((self._channels, 1), dtype=np.complex128))
        forward = self.history @ wave[:, self._closed :]
        back = self._inputs["outgoing"][link] @ (columns @ wave)
        transmitted = xp.ldexp(self._square_sum(forward), 2 * self.exponent)
        return xp.abs(transmitted + self._square_sum(back) - self._channels)

    def _square_sum(self, matrices: Array) -> Array:
        """Sum of the squared moduli of each matrix's entries, (R,)."""
        numbers = self._arrays.module.ascontiguousarray(matrices).view(np.float64).reshape(len(matrices), 1, -1)
        return (numbers @ numbers.swapaxes(1, 2))[:, 0, 0]
