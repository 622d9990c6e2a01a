"""How fast a backend is here, for the time estimate of a plan."""

from __future__ import annotations

import time
from dataclasses import replace

from mesogpu.backends.base import Backend
from mesogpu.physics.blas import one_thread
from mesogpu.physics.systems import System
from mesogpu.plan.blocks import Block
from mesogpu.plan.cost import realization_flops
from mesogpu.plan.plan import Plan
from mesogpu.plan.points import Point

_MOST_ORBITALS = 256
_MOST_OF_BARS = 64
_TRIAL_FLOPS = 2e9
_TRIAL_REALIZATIONS = 16
_TRIAL_SLICES = 512
"""Of a bar, so that its batches are longer than the intervals between two factorisations."""


def seconds_per_realization(backend: Backend, point: Point) -> float:
    """What one realization of a point costs on one worker, from a shortened trial that takes a fraction of a second.

    Slices of more than 256 orbitals, in bars of more than 64, are tried narrower, and scaled by the plan's count of
    operations.
    """
    trial = _trial(point)
    count = _TRIAL_REALIZATIONS if trial.slices > 1 else 1
    backend.compute(Block(trial, 0, 0, 1))  # the first call pays for libraries and lead modes
    start = time.perf_counter()
    backend.compute(Block(trial, 0, 0, count))
    per_realization = (time.perf_counter() - start) / count
    return per_realization * realization_flops(point) / realization_flops(trial)


def seconds_of_plan(backend: Backend, plan: Plan) -> tuple[float, float]:
    """What a realization of the most expensive point, and the whole plan, cost on one worker; by one trial.

    The points cost as the plan's count of operations says.
    """
    longest = max(plan.points, key=realization_flops)
    with one_thread():
        pace = seconds_per_realization(backend, longest)
    return pace, pace * plan.flops / realization_flops(longest)


def _trial(point: Point) -> Point:
    if point.bars:
        slices = min(_TRIAL_SLICES, point.slices)
        bars = replace(point.bars, slices=slices, warmup=0, exponents=None)
        return replace(point, system=_narrowed(point.system, _MOST_OF_BARS), lengths=(slices,), bars=bars)
    system = _narrowed(point.system, _MOST_ORBITALS)
    slices = max(1, int(_TRIAL_FLOPS / (_TRIAL_REALIZATIONS * 16.0 * system.orbitals**3)))
    return replace(point, system=system, lengths=(min(slices, point.slices),))


def _narrowed(system: System, most: int) -> System:
    """The same with hard sides and no more than so many orbitals a slice, where it has more."""
    lattice = system.lattice
    if system.orbitals <= most:
        return system
    depth = min(lattice.depth, int(most**0.5))
    width = most // (depth * system.spins)
    return replace(system, lattice=replace(lattice, width=width, depth=depth, periodic=(False, False)))
