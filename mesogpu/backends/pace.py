"""How fast a backend is here, for the time estimate of a plan."""

from __future__ import annotations

import time
from dataclasses import replace

from mesogpu.backends.base import Backend
from mesogpu.plan.blocks import Block
from mesogpu.plan.cost import realization_flops
from mesogpu.plan.points import Point

_LARGEST_WIDTH = 256
_TRIAL_FLOPS = 2e9
_TRIAL_REALIZATIONS = 16


def seconds_per_realization(backend: Backend, point: Point) -> float:
    """What one realization of a point costs on one worker, from a shortened trial that takes a fraction of a second.

    Widths beyond 256 are tried at 256 and scaled by the plan's count of operations.
    """
    system = replace(point.system, width=min(point.system.width, _LARGEST_WIDTH), periodic=False)
    slices = max(1, int(_TRIAL_FLOPS / (_TRIAL_REALIZATIONS * 16.0 * system.width**3)))
    trial = replace(point, system=system, lengths=(min(slices, point.lengths[-1]),))
    count = _TRIAL_REALIZATIONS if slices > 1 else 1
    backend.compute(Block(trial, 0, 0, 1))  # the first call pays for libraries and lead modes
    start = time.perf_counter()
    backend.compute(Block(trial, 0, 0, count))
    per_realization = (time.perf_counter() - start) / count
    return per_realization * realization_flops(point) / realization_flops(trial)
