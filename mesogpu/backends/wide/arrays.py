"""Linear algebra of stacks of matrices by an array module, and by LAPACK where that is better."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

Array = Any
"""An array of the module, float64 or complex128, C-contiguous unless it says otherwise."""


class Arrays:
    """Stacks of matrices, (R, rows, columns), in the memory of a device.

    Nothing is decided by a number: where a matrix has no Cholesky factor, its diagonal says so.

    module : numpy or cupy
    fetch  : copies an array of the module to the host
    """

    def __init__(self, module: Any, fetch: Callable[[Array], NDArray[Any]] = np.asarray) -> None:
        self.module = module
        self.fetch = fetch

    def multiply(self, left: Array, right: Array, out: Array) -> None:
        """out = left right; any of the three may be a part of a larger array."""
        out[...] = left @ right

    def gram_factor(self, matrices: Array) -> Array:
        """R of X^dagger X = R^dagger R, upper triangular with a positive diagonal; X (R, rows, columns)."""
        lower = self.module.linalg.cholesky(adjoint(matrices) @ matrices)
        return self.module.ascontiguousarray(adjoint(lower))

    def triangle_inverse(self, upper: Array) -> Array:
        """Inverses of small upper triangular matrices."""
        return self.module.linalg.inv(upper)


GRAM = {"f": blas.dsyrk, "c": blas.zherk}
FACTOR = {"f": lapack.dpotrf, "c": lapack.zpotrf}
INVERSE = {"f": lapack.dtrtri, "c": lapack.ztrtri}
"""By the kind of a matrix's numbers."""


class HostArrays(Arrays):
    """NumPy, with LAPACK for half the work of a Gram product; a matrix without a factor spoils none of the others."""

    def __init__(self) -> None:
        super().__init__(np)

    def multiply(self, left: Array, right: Array, out: Array) -> None:
        np.matmul(left, right, out=out)

    def gram_factor(self, matrices: Array) -> Array:
        samples, _, columns = matrices.shape
        factors = np.empty((samples, columns, columns), dtype=matrices.dtype)
        kind = matrices.dtype.kind
        for matrix, factor in zip(matrices, factors, strict=True):
            # LAPACK reads the memory of X as X^T, and writes that of R^T: (X^dagger X)^* = R^T R^*.
            gram = GRAM[kind](1.0, matrix.T, lower=1)
            lower, failed = FACTOR[kind](gram, lower=1, overwrite_a=1)
            factor[...] = np.nan if failed else lower.T
        return factors

    def triangle_inverse(self, upper: Array) -> Array:
        inverses = np.empty(upper.shape, dtype=upper.dtype)
        for triangle, inverse in zip(upper, inverses, strict=True):
            lower, _ = INVERSE[upper.dtype.kind](triangle.T, lower=1)
            inverse[...] = lower.T
        return inverses


HOST = HostArrays()


def adjoint(matrices: Array) -> Array:
    """The conjugate transpose of each matrix."""
    return matrices.conj().swapaxes(-1, -2)


def in_full_batches(realizations: NDArray[np.uint32], size: int) -> Iterator[NDArray[np.uint32]]:
    """Realizations `size` at a time; the last one fills up its batch: libraries go another way for another number."""
    filled = np.concatenate([realizations, np.repeat(realizations[-1:], -len(realizations) % size)])
    for first in range(0, len(filled), size):
        yield filled[first : first + size]
