"""The reference backend: blocks through the recursion, observables from its amplitudes, audited by direct solution."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.backends.certify import audit, certificates
from mesogpu.backends.reference.direct import transmission_amplitudes
from mesogpu.backends.reference.recursion import Scattering, scatter
from mesogpu.backends.reference.signature import arithmetic_signature
from mesogpu.backends.samples import Arrays, closed_samples, observables, transmission_eigenvalues
from mesogpu.plan.blocks import Block, BlockResult
from mesogpu.plan.points import Point

CACHE_BYTES = 2**19
"""Samples go through the recursion in batches whose matrices, one a sample, fit this much cache."""


class ReferenceBackend:
    """Batched complex recursive Green's function on NumPy, one block at a time."""

    name = "numpy"

    @cached_property
    def signature(self) -> str:
        """NumPy, SciPy and the BLAS that they call, which together decide the bits."""
        return arithmetic_signature()

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Compute blocks one after the other."""
        for block in blocks:
            start = time.perf_counter()
            arrays = compute(block)
            deviation = audit(block, arrays["log_conductance"], arrays["status"], _audited_log_conductance)
            yield BlockResult(
                point=block.point.index,
                index=block.index,
                first=block.first,
                count=block.count,
                arrays=arrays,
                audit=deviation,
                seconds=time.perf_counter() - start,
            )


def compute(block: Block) -> Arrays:
    """Every per-sample variable of a block, certified, (length, count) or (length, count, channel)."""
    point = block.point
    channels = point.system.channels()
    arrays, defect = closed_samples(block, channels), np.zeros((len(point.lengths), block.count))
    for realizations in _batches(block) if channels else ():
        rows = slice(realizations.start - block.first, realizations.stop - block.first)
        for position, scattering in enumerate(scatter(point.system, onsite(point, realizations), point.lengths)):
            observed = _observables(scattering, point.eigenvalues)
            defect[position, rows] = observed.pop("defect")
            for name in arrays:
                arrays[name][position, rows] = observed[name]
    arrays["status"] = certificates(defect, arrays["log_conductance"], channels)
    return arrays


def onsite(point: Point, realizations: ArrayLike) -> NDArray[np.float64]:
    """Potential of whole samples, (R, longest length, M) float64, units of t."""
    return point.system.onsite(
        seed=point.seed, realizations=realizations, slices=range(point.lengths[-1]), point=point.stream_point
    )


def _batches(block: Block) -> Iterator[range]:
    """Consecutive realizations whose matrices fit the cache; the split changes no bit of the results."""
    size = max(1, CACHE_BYTES // (16 * block.point.system.width**2))
    stop = block.first + block.count
    for first in range(block.first, stop, size):
        yield range(first, min(first + size, stop))


def _observables(scattering: Scattering, eigenvalues: bool) -> Arrays:
    """Landauer's g, ln g, noise and T_n from the amplitudes, and how far R + T is from N."""
    amplitudes = scattering.transmission
    hermitian = np.swapaxes(amplitudes.conj(), -1, -2) @ amplitudes
    observed = observables(_square_sum(amplitudes), _square_sum(hermitian), scattering.exponent)
    observed["conditioning"] = scattering.conditioning
    observed["defect"] = np.abs(_square_sum(scattering.reflection) + observed["conductance"] - amplitudes.shape[-1])
    if eigenvalues:
        singular_values = np.linalg.svd(amplitudes, compute_uv=False)
        observed["transmission_eigenvalues"] = transmission_eigenvalues(singular_values**2, scattering.exponent)
    return observed


def _square_sum(matrices: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Sum of the squared moduli of each matrix's entries, over one contiguous row of numbers."""
    flat = np.ascontiguousarray(matrices).view(np.float64).reshape(len(matrices), -1)
    return np.asarray(np.einsum("ri,ri->r", flat, flat))


def _audited_log_conductance(block: Block, realization: int) -> NDArray[np.float64]:
    """ln g of one realization at every length from the whole sample's linear system; NaN where that underflows."""
    point = block.point
    potential = onsite(point, [realization])[0]
    traces = np.array(
        [np.sum(np.abs(transmission_amplitudes(point.system, potential[:length])) ** 2) for length in point.lengths]
    )
    logarithms = np.full(len(traces), np.nan)
    np.log(traces, where=traces > np.finfo(np.float64).tiny, out=logarithms)
    return logarithms
