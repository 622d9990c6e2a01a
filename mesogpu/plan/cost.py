"""What a plan costs in floating-point operations, memory and disk: models of the algorithm, not of the machine."""

from __future__ import annotations

from mesogpu.plan.points import Point

BLOCK_FLOPS = 40e9
"""Work of one block: about a second of a core at 40 GFLOP/s, whatever the machine, so no file depends on it."""

SMALLEST_BLOCK = 8
LARGEST_BLOCK = 4096
COMPLEX_BYTES = 16
FLOAT_BYTES = 8

_SLICE_FLOPS = 16.0
_ATTACHMENT_FLOPS = 53.0
_WORKING_MATRICES = 12


def realization_flops(point: Point) -> float:
    """Real operations for one realization: 16 M^3 a slice of the complex recursion, 53 M^3 for each recorded length."""
    cube = float(point.system.width) ** 3
    return cube * (_SLICE_FLOPS * point.lengths[-1] + _ATTACHMENT_FLOPS * len(point.lengths))


def block_size(largest: float) -> int:
    """B, realizations a block: the power of two nearest below 40 GFLOP of the largest point, between 8 and 4096.

    largest : `realization_flops` of the plan's most expensive point
    """
    size = SMALLEST_BLOCK
    while size < LARGEST_BLOCK and 2 * size * largest <= BLOCK_FLOPS:
        size *= 2
    return size


def block_memory(point: Point, count: int) -> int:
    """Bytes that a backend may hold for one block: working matrices, the potential, and the results."""
    width, slices, lengths = point.system.width, point.lengths[-1], len(point.lengths)
    matrices = _WORKING_MATRICES * COMPLEX_BYTES * width**2
    return count * (matrices + FLOAT_BYTES * (slices * width + lengths * (width + 5)))
