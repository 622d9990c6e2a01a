"""Where the workspace of a realization goes on a GPU, and how many realizations a multiprocessor works on at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesogpu.backends.cuda.options import ENTRIES, MOST_THREADS

WARP = 32
TILE = 4
REGISTER_UNIT = 256
"""Registers are given to a warp in units of 256."""

SCHEDULERS = 4
"""Parts of a multiprocessor; a warp's registers come from one of them."""

SHARED_UNIT = 128
RESERVED = 1024
"""Bytes of shared memory that a block takes beside its own."""

KIB = 1024
DOUBLE = 8

THREADS_UP_TO_WIDTH = ((16, 32), (24, 64), (40, 128))
"""Threads a block for strips up to a width, MOST_THREADS beyond: about one for each tile of the Gram product. By count,
not by timing: to be tuned on a GPU."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a multiprocessor offers.

    shared       : bytes of shared memory in all
    shared_block : bytes of shared memory that one block may ask for
    """

    registers: int
    warps: int
    blocks: int
    shared: int
    shared_block: int


PUBLISHED = {
    80: Limits(65536, 64, 32, 164 * KIB, 163 * KIB),
    90: Limits(65536, 64, 32, 228 * KIB, 227 * KIB),
    100: Limits(65536, 64, 32, 228 * KIB, 227 * KIB),
    120: Limits(65536, 48, 24, 100 * KIB, 99 * KIB),
}
"""By architecture: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a launch is laid out.

    entry        : which of `ENTRIES`
    threads      : threads a block
    shared       : dynamic shared memory, bytes a block
    global_bytes : workspace in device memory, bytes a block
    blocks       : blocks that a multiprocessor holds at once
    occupancy    : warps that it holds, over the most that it could
    """

    entry: str
    threads: int
    shared: int
    global_bytes: int
    blocks: int
    occupancy: float


def workspace_bytes(width: int, channels: int, interval: int) -> tuple[int, int]:
    """Bytes of the near and the far part of a workspace: near_reals and far_reals of kernels/strip.cuh."""
    columns = -(-width // TILE) * TILE
    history_columns = columns - (columns - channels) // TILE * TILE
    row, history_row = columns + 1, history_columns + 1
    near = 2 * (2 * width * row + columns * (columns + TILE + 4)) + -(-interval * width // 2) * 2
    far = 2 * (2 * channels * history_row + columns * row)
    return DOUBLE * near, DOUBLE * far


def threads_of(width: int) -> int:
    """Threads a block for a strip of `width` sites."""
    return next((threads for most, threads in THREADS_UP_TO_WIDTH if width <= most), MOST_THREADS)


def place(width: int, channels: int, interval: int, limits: Limits, registers: Mapping[str, int]) -> Placement:
    """The layout with as much of the workspace in shared memory as one block may have.

    registers : 32-bit registers a thread, by entry
    """
    near, far = workspace_bytes(width, channels, interval)
    threads = threads_of(width)
    needs = zip(ENTRIES, (near + far, near, 0), strict=True)
    entry, shared = next((entry, shared) for entry, shared in needs if shared <= limits.shared_block)
    blocks = resident_blocks(threads, shared, registers[entry], limits)
    return Placement(
        entry=entry,
        threads=threads,
        shared=shared,
        global_bytes=near + far - shared,
        blocks=blocks,
        occupancy=blocks * threads / WARP / limits.warps,
    )


def resident_blocks(threads: int, shared: int, registers: int, limits: Limits) -> int:
    """Blocks that a multiprocessor holds at once.

    threads   : a block, a multiple of 32
    shared    : bytes a block
    registers : 32-bit registers a thread
    """
    warps = threads // WARP
    warp_registers = -(-registers * WARP // REGISTER_UNIT) * REGISTER_UNIT
    by_registers = limits.registers // SCHEDULERS // max(warp_registers, 1) * SCHEDULERS // warps
    by_shared = limits.shared // (-(-(shared + RESERVED) // SHARED_UNIT) * SHARED_UNIT)
    return min(limits.blocks, limits.warps // warps, by_registers, by_shared)
