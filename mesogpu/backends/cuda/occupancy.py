"""Where the workspace of a realization goes on a GPU, and how many realizations a multiprocessor works on at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesogpu.backends.bar_inputs import has_real_frames
from mesogpu.backends.conductor import Conductor
from mesogpu.backends.cuda.options import MOST_THREADS

WARP = 32
TILE = 4
ROW_EXTRA = 1
PANEL, PARTS, BONDS_BACK = 2 * TILE, 16, 2
"""As in kernels/frames.cuh, stage.cuh, inverse.cuh and layers.cuh, for blocks of threads."""

REGISTER_UNIT = 256
"""Registers are given to a warp in units of 256."""

SCHEDULERS = 4
"""Parts of a multiprocessor; a warp's registers come from one of them."""

SHARED_UNIT = 128
RESERVED = 1024
"""Bytes of shared memory that a block takes beside its own."""

KIB = 1024
DOUBLE = 8

THREADS_UP_TO_ORBITALS = ((16, 32), (24, 64), (40, 128))
"""Threads a block for slices of up to so many orbitals, MOST_THREADS beyond: about one a tile of the Gram product. By
count, not by timing: to be tuned on a GPU."""


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

    entry        : which of the kernel's
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


@dataclass(frozen=True, slots=True)
class Workspace:
    """What one realization is worked out in.

    orbitals  : rows of its matrices
    near, far : bytes of what every slice needs, and of the rest
    """

    orbitals: int
    near: int
    far: int


def transmission_workspace(conductor: Conductor) -> Workspace:
    """near_reals and far_reals of kernels/workspace.cuh."""
    orbitals, channels = conductor.sites * conductor.spins, conductor.channels
    columns = _padded(orbitals)
    history_columns = columns - (columns - channels) // TILE * TILE
    row, history_row = columns + ROW_EXTRA, history_columns + ROW_EXTRA
    near = 2 * (2 * orbitals * row + columns * (columns + TILE + 4)) + _records(conductor)
    far = 2 * (2 * channels * history_row + columns * row)
    return Workspace(orbitals, DOUBLE * near, DOUBLE * far)


def greens_workspace(conductor: Conductor, most: int) -> Workspace:
    """greens_near_reals and greens_far_reals of kernels/greens_function.cu.

    most : sites of the largest layer
    """
    orbitals = most * conductor.spins
    rows = _padded(orbitals)
    inverse = 2 * (rows * (PANEL + ROW_EXTRA + PANEL) + 2 * TILE**2) + _even(2 * rows + PARTS)
    hops = 2 * orbitals * BONDS_BACK * conductor.spins
    near = 4 * rows * (rows + ROW_EXTRA) + inverse + hops + _even(rows) + _records(conductor)
    far = 4 * rows * (_padded(conductor.channels) + ROW_EXTRA)
    return Workspace(orbitals, DOUBLE * near, DOUBLE * far)


def bar_workspace(conductor: Conductor) -> Workspace:
    """bar_reals of kernels/bars.cuh."""
    orbitals = conductor.sites * conductor.spins
    columns = _padded(orbitals)
    parts = 1 if has_real_frames(conductor) else 2
    numbers = 2 * orbitals * (columns + ROW_EXTRA) + columns * (columns + TILE)
    return Workspace(orbitals, DOUBLE * (parts * numbers + _records(conductor, orbitals)), 0)


def _padded(count: int) -> int:
    return -(-count // TILE) * TILE


def _even(reals: int) -> int:
    return -(-reals // 2) * 2


def _records(conductor: Conductor, beside: int = 0) -> int:
    return _even(conductor.slots * conductor.sites * conductor.record + beside)


def threads_of(orbitals: int) -> int:
    """Threads a block for slices of so many orbitals."""
    return next((threads for most, threads in THREADS_UP_TO_ORBITALS if orbitals <= most), MOST_THREADS)


def place(entries: Sequence[str], workspace: Workspace, limits: Limits, registers: Mapping[str, int]) -> Placement:
    """The layout with as much of the workspace in shared memory as one block may have.

    entries   : of a kernel, see `Program`
    registers : 32-bit registers a thread, by entry
    """
    near, far = workspace.near, workspace.far
    threads = threads_of(workspace.orbitals)
    needs = (near + far, near, 0) if len(entries) == 3 else (near + far, 0)
    choices = zip(entries, needs, strict=True)
    entry, shared = next((entry, shared) for entry, shared in choices if shared <= limits.shared_block)
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
