"""The reference backend: blocks through the recursion, observables from its amplitudes, audited by direct solution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.backends.bars import audited_part, compute_by_oracle
from mesogpu.backends.base import Backend
from mesogpu.backends.certify import certificates
from mesogpu.backends.reference.direct import transmission_amplitudes
from mesogpu.backends.reference.recursion import Scattering, scatter
from mesogpu.backends.reference.signature import arithmetic_signature
from mesogpu.backends.samples import Arrays, close_where, closed_samples, observables, transmission_eigenvalues
from mesogpu.physics.clusters import conducting
from mesogpu.physics.slices import Slices
from mesogpu.plan.blocks import Block, Status
from mesogpu.plan.points import Point

CONDITIONING_BOUND = 1e5
"""Largest condition number of an inverted slice that the recursion may meet; beyond, the sample is solved directly."""

LOCALIZED_CONDUCTANCE, LOCALIZED_BOUND = -5.0, 1e4
"""The same below this ln g, where a long sample may be all but closed and the recursion's errors have heavy tails: at
most 7e-10 in ln g for condition numbers below 1e4 (12 700 samples, W = 3 to 12), but 1.5e-8 at 5e4, and 1e-6 at 1e6."""

UNDERFLOW_BOUND = 1e7
"""The same where the direct solution underflows: there |ln g| > 2600, and 1e-11 |ln g| is allowed."""

CACHE_BYTES = 2**19
"""Samples go through the recursion in batches whose matrices, one a sample, fit this much cache."""


class ReferenceBackend(Backend):
    """Batched complex recursive Green's function on NumPy, one block at a time, audited by direct solution."""

    @property
    def name(self) -> str:
        return "numpy"

    @cached_property
    def signature(self) -> str:
        """NumPy, SciPy and the BLAS that they call, which together decide the bits."""
        return arithmetic_signature()

    def compute(self, block: Block) -> Arrays:
        return compute(block) if block.point.bars is None else compute_by_oracle(block)

    def audited(self, block: Block, realization: int) -> NDArray[np.float64]:
        """From the whole sample's linear system; NaN where that underflows."""
        if block.point.bars is not None:
            return audited_part(block, realization)
        logarithms = np.full(len(block.point.lengths), np.nan)
        for position, length in enumerate(block.point.lengths):
            slices, _ = conducting_slices(replace(block.point, lengths=(length,)), [realization])
            solution = transmission_amplitudes(block.point.system, slices, length)
            if solution is not None:
                amplitudes, exponent = solution
                logarithms[position] = np.log(np.sum(np.abs(amplitudes) ** 2)) + 2.0 * exponent * np.log(2.0)
        return logarithms


def compute(block: Block) -> Arrays:
    """Every per-sample variable of a block, certified, (length, count) or (length, count, channel)."""
    point = block.point
    channels = point.system.channels()
    arrays, defect = closed_samples(block, channels), np.zeros((len(point.lengths), block.count))
    paths = np.ones(defect.shape, dtype=np.bool_)
    for realizations in _batches(block) if channels else ():
        rows = slice(realizations.start - block.first, realizations.stop - block.first)
        slices, joined = conducting_slices(point, realizations)
        paths[:, rows] = joined.T
        for position, scattering in enumerate(scatter(point.system, slices, point.lengths)):
            observed = _observables(scattering, point.eigenvalues)
            defect[position, rows] = observed.pop("defect")
            for name in arrays:
                arrays[name][position, rows] = observed[name]
    arrays["status"] = certificates(defect, arrays["log_conductance"], channels)
    close_where(arrays, ~paths, Status.NO_PATH)
    if channels:
        _solve_ill_conditioned(block, arrays)
    return arrays


def _solve_ill_conditioned(block: Block, arrays: Arrays) -> None:
    """Samples beyond the recursion's bound, directly, one by one."""
    point = block.point
    localized = arrays["log_conductance"] < LOCALIZED_CONDUCTANCE
    bound = np.where(localized, LOCALIZED_BOUND, CONDITIONING_BOUND)
    poor = ~(arrays["conditioning"] <= bound) & (arrays["status"] != Status.NO_PATH)
    for position, row in np.argwhere(poor):
        length = point.lengths[position]
        slices, _ = conducting_slices(replace(point, lengths=(length,)), [block.first + row])
        solution = transmission_amplitudes(point.system, slices, length)
        if solution is not None:
            amplitudes, exponent = solution
            observed = amplitude_observables(amplitudes[None], np.array([exponent]), point.eigenvalues)
            for name in arrays.keys() & observed.keys():
                arrays[name][position, row] = observed[name][0]
            arrays["status"][position, row] = Status.ORACLE
        elif not arrays["conditioning"][position, row] <= UNDERFLOW_BOUND:
            arrays["status"][position, row] = Status.FAILED_ILL_CONDITIONED


def conducting_slices(point: Point, realizations: ArrayLike) -> tuple[Slices, NDArray[np.bool_]]:
    """Whole samples without what is cut off from the leads, and whether a path joins them, (R, length)."""
    slices = point.system.slices(
        seed=point.seed, realizations=realizations, slices=range(point.lengths[-1]), point=point.stream_point
    )
    if point.system.may_lack_bonds:
        return conducting(slices, point.lengths)
    return slices, np.ones((len(slices.onsite), len(point.lengths)), dtype=np.bool_)


def _batches(block: Block) -> Iterator[range]:
    """Consecutive realizations whose matrices fit the cache; the split changes no bit of the results."""
    size = max(1, CACHE_BYTES // (16 * block.point.system.orbitals**2))
    stop = block.first + block.count
    for first in range(block.first, stop, size):
        yield range(first, min(first + size, stop))


def _observables(scattering: Scattering, eigenvalues: bool) -> Arrays:
    """What the recursion shows of its samples, and how far R + T is from N."""
    observed = amplitude_observables(scattering.transmission, scattering.exponent, eigenvalues)
    reflected = _square_sum(scattering.reflection)
    observed["defect"] = np.abs(reflected + observed["conductance"] - scattering.reflection.shape[-1])
    observed["conditioning"] = scattering.conditioning
    return observed


def amplitude_observables(amplitudes: NDArray[np.complex128], exponent: NDArray[np.int64], eigenvalues: bool) -> Arrays:
    """Landauer's g, ln g, noise and T_n of t = 2^exponent s.

    amplitudes : (R, N, N) complex128, s
    exponent   : (R,) int64
    """
    hermitian = np.swapaxes(amplitudes.conj(), -1, -2) @ amplitudes
    observed = observables(_square_sum(amplitudes), _square_sum(hermitian), exponent)
    if eigenvalues:
        # LAPACK gives up on NaN; such a sample's other numbers say that it failed.
        singular_values = np.linalg.svd(np.nan_to_num(amplitudes), compute_uv=False).astype(np.float64, copy=False)
        observed["transmission_eigenvalues"] = transmission_eigenvalues(singular_values**2, exponent)
    return observed


def _square_sum(matrices: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Sum of the squared moduli of each matrix's entries, over one contiguous row of numbers."""
    flat = np.ascontiguousarray(matrices).view(np.float64).reshape(len(matrices), -1)
    return np.asarray(np.einsum("ri,ri->r", flat, flat))
