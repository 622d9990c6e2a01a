"""What the transmission kernel is given beside the conductor: its first frame, and lead 1's view of the end."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import record_of
from mesogpu.physics.blas import one_thread
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.leads import CleanLead, LeadModes
from mesogpu.physics.modes import lead_modes
from mesogpu.physics.systems import System
from mesogpu.plan.points import Point

FRAME_GROWTH = 1e4
"""Growth of a frame's fastest column over its slowest between two stabilisations: what its Gram product squares."""

LONGEST_INTERVAL = 16

ARRAYS = ("second_order", "second_ready", "start", "start_history", "incoming", "outgoing")


class FrameInputs(ctypes.Structure):
    """`struct FrameInputs` of kernels/workspace.cuh, field by field."""

    _fields_ = (("interval", ctypes.c_int), *((name, ctypes.c_void_p) for name in ARRAYS))


def frame_arrays(point: Point) -> dict[str, NDArray[Any]]:
    """The arrays that `FrameInputs` points to; points that differ in their disorder alone share the costly ones.

    Columns stand in the order that the kernel uses: decaying modes first, propagating last. D orbitals, N channels.

    second_order  : (period, sites) int32, in which order two steps at once come to the sites of the second slice
    second_ready  : (period, sites) int32, how many of these can follow each site of the first slice
    start         : (2 D, D) complex128, orthonormal frame of lead 0's outgoing waves, on Phi psi_{-1} and psi_0
    start_history : (N, N) complex128, upper triangular: propagating amplitudes in lead 0 of the frame's last N columns
    incoming      : (period, D, 2 D) complex128, incoming amplitudes of lead 1 from (psi_{L-1}, Phi^dagger psi_L)
    outgoing      : (period, N, 2 D) complex128, its propagating outgoing amplitudes
    """
    return _lead_arrays(point.system.lead())


def make_frame_inputs(interval: int, addresses: Mapping[str, int | None]) -> FrameInputs:
    """The structure for one launch; addresses: where each of `ARRAYS` begins."""
    return FrameInputs(interval=interval, **addresses)


def slots_of(system: System, interval: int) -> int:
    """Slices whose records the kernel keeps: those of an interval, and the one before where a step needs it."""
    return interval + record_of(system).reaches_back


def estimated_interval(point: Point) -> int:
    """Slices between two stabilisations, for a pilot to start from: as many as keep the growth of the frame near 1e4.

    gamma = arccosh((|E| + n + W / 8) / 2) for box disorder, in units of t, growth of the fastest mode a slice; n = 2
    neighbours in a slice, 4 of a cubic one
    """
    system = point.system
    spread = 0.5 * sum(law.typical_magnitude for law in system.laws if law.on != "flux")
    spread += float(np.linalg.norm(system.zeeman or 0.0))
    neighbours = 4.0 if system.lattice.depth > 1 else 2.0
    reach = (abs(system.energy) + spread) / (2.0 * system.hopping) + 0.5 * neighbours
    growth = np.arccosh(max(1.0 + 1e-6, reach))
    return int(np.clip(np.log(FRAME_GROWTH) / growth, 1, LONGEST_INTERVAL))


@lru_cache(maxsize=64)
@one_thread()
def _lead_arrays(lead: CleanLead) -> dict[str, NDArray[Any]]:
    lattice, hopping = lead.lattice, lead.hopping
    links = [lead_modes(lead, x) for x in range(lattice.period)]
    first = links[-1]
    closed = first.orbitals - first.channels
    order = np.roll(np.arange(first.orbitals), closed)
    outgoing = np.vstack([-first.hopping @ first.left.here / hopping, first.left.ahead])
    frame, triangle = np.linalg.qr(outgoing[:, order])
    phases = np.diagonal(triangle) / np.abs(np.diagonal(triangle))
    history = np.linalg.inv(triangle / phases[:, None])
    amplitudes = [_amplitudes(link, hopping, order) for link in links]
    second_order, second_ready = step_order(lattice)
    return {
        "second_order": second_order,
        "second_ready": second_ready,
        "start": np.ascontiguousarray(frame * phases),
        "start_history": np.ascontiguousarray(history[closed:, closed:]),
        "incoming": np.stack([both[: first.orbitals] for both in amplitudes]),
        "outgoing": np.stack([both[first.orbitals + closed :] for both in amplitudes]),
    }


def _amplitudes(modes: LeadModes, hopping: float, order: NDArray[np.int64]) -> NDArray[np.complex128]:
    """(2 D, 2 D): incoming (left-moving) and outgoing amplitudes from psi_{L-1} and chi_L = Phi^dagger psi_L."""
    across = -modes.hopping.conj().T / hopping
    waves = [np.vstack([side.here, across @ side.ahead])[:, order] for side in (modes.left, modes.right)]
    return np.asarray(np.linalg.inv(np.hstack(waves)), dtype=np.complex128)


def step_order(lattice: Lattice) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """How two steps are taken at once.

    returns : (period, sites) each: the order in which the sites of the second slice are stepped, and how many of these
              can follow each site of the first
    """
    orders, readies = zip(*(_second_order(lattice, x) for x in range(lattice.period)), strict=True)
    return np.array(orders, dtype=np.int32), np.array(readies, dtype=np.int32)


def _second_order(lattice: Lattice, x: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sites of slice x + 1 in the order in which they can be stepped; how many of them after each site of slice x."""
    # A site needs its neighbours' new rows, and its own old row is needed by its neighbours in the slice before.
    neighbours = np.hstack([np.arange(lattice.sites)[:, None], lattice.neighbours(x), lattice.neighbours(x + 1)])
    after = neighbours.max(axis=1)
    order = np.argsort(after, kind="stable")
    return order, np.searchsorted(after[order], np.arange(lattice.sites), side="right")
