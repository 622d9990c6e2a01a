"""Triangular factors of frames, and division by them as a few large matrix products."""

from __future__ import annotations

from itertools import pairwise

from mesogpu.backends.wide.arrays import Array, Arrays

BLOCK = 32
"""Columns of a block, about: a matrix product this narrow still runs near its full rate."""


class Triangle:
    """R of X = Q R for a stack of matrices X, by their Gram products.

    diagonal : (R, columns) float64, of R
    spread   : (R,) float64, largest over smallest diagonal entry of R: what the Gram product squared; NaN or infinite
               where it had no factor
    """

    def __init__(self, arrays: Arrays, matrices: Array) -> None:
        self._arrays = arrays
        xp = arrays.module
        self._factor = factor = arrays.gram_factor(matrices)
        self.diagonal = xp.diagonal(factor, axis1=1, axis2=2).real
        smallest = self.diagonal.min(axis=1)
        self.spread = xp.where(smallest > 0.0, self.diagonal.max(axis=1) / smallest, xp.inf)
        self._blocks = [self._block(first, stop) for first, stop in blocks(factor.shape[-1])]

    def _block(self, first: int, stop: int) -> tuple[int, int, Array]:
        """Columns of a block, and what multiplies all columns up to them: X_b <- X_{<b} (-R_{<b,b} T) + X_b T."""
        factor, arrays = self._factor, self._arrays
        inverse = arrays.triangle_inverse(factor[:, first:stop, first:stop])
        weights = arrays.module.empty((len(factor), stop, stop - first), dtype=factor.dtype)
        weights[:, first:] = inverse
        if first:
            arrays.multiply(factor[:, :first, first:stop], -inverse, out=weights[:, :first])
        return first, stop, weights

    def divide(self, rows: Array, *, begin: int = 0, upper: bool = False) -> None:
        """rows <- rows R^-1, in place.

        rows  : (R, any, columns - begin); the columns before `begin` are zero and left out
        upper : whether `rows` is upper triangular itself
        """
        for first, stop, weights in self._blocks:
            if stop <= begin:
                continue
            own = max(first, begin)
            filled = stop - begin if upper else rows.shape[1]
            product = self._product(rows[:, :filled, : stop - begin], weights[:, begin:, own - first :])
            rows[:, :filled, own - begin : stop - begin] = product

    def solve(self, vectors: Array) -> Array:
        """R^-1 v of vectors (R, columns, 1)."""
        solution = vectors.copy()
        for first, stop, weights in reversed(self._blocks):
            rest = solution[:, first:stop] - self._factor[:, first:stop, stop:] @ solution[:, stop:]
            solution[:, first:stop] = weights[:, first:] @ rest
        return solution

    def _product(self, left: Array, right: Array) -> Array:
        product = self._arrays.module.empty((*left.shape[:2], right.shape[2]), dtype=left.dtype)
        self._arrays.multiply(left, right, out=product)
        return product


def blocks(count: int, size: float = BLOCK) -> list[tuple[int, int]]:
    """0 ... count - 1 in equal parts of about `size`: first and end of each."""
    parts = max(1, round(count / size))
    edges = [count * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))
