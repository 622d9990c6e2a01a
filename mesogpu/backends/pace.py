"""How fast a backend is here, for the time estimate of a plan."""

from __future__ import annotations

import time
from dataclasses import replace

from mesogpu.backends.base import Backend
from mesogpu.physics.systems import System
from mesogpu.plan.blocks import Block
from mesogpu.plan.cost import realization_flops
from mesogpu.plan.points import Point

_MOST_ORBITALS = 256
_TRIAL_FLOPS = 2e9
_TRIAL_REALIZATIONS = 16


def seconds_per_realization(backend: Backend, point: Point) -> float:
    """What one realization of a point costs on one worker, from a shortened trial that takes a fraction of a second.

    Slices of more than 256 orbitals are tried narrower, and scaled by the plan's count of operations.
    """
    system = _narrowed(point.system)
    slices = max(1, int(_TRIAL_FLOPS / (_TRIAL_REALIZATIONS * 16.0 * system.orbitals**3)))
    trial = replace(point, system=system, lengths=(min(slices, point.slices),))
    if point.bars:
        trial = replace(trial, bars=replace(point.bars, slices=trial.lengths[0], warmup=0, exponents=None))
    count = _TRIAL_REALIZATIONS if slices > 1 else 1
    backend.compute(Block(trial, 0, 0, 1))  # the first call pays for libraries and lead modes
    start = time.perf_counter()
    backend.compute(Block(trial, 0, 0, count))
    per_realization = (time.perf_counter() - start) / count
    return per_realization * realization_flops(point) / realization_flops(trial)


def _narrowed(system: System) -> System:
    """The same with hard sides and no more than 256 orbitals a slice, where it has more."""
    lattice = system.lattice
    if system.orbitals <= _MOST_ORBITALS:
        return system
    depth = min(lattice.depth, int(_MOST_ORBITALS**0.5))
    width = _MOST_ORBITALS // (depth * system.spins)
    return replace(system, lattice=replace(lattice, width=width, depth=depth, periodic=(False, False)))
