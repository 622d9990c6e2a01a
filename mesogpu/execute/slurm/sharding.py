"""Into how many shards a run is cut: by how long it takes, and by how long a job may run."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from typing import Final

from mesogpu.backends.pace import seconds_of_plan
from mesogpu.backends.select import select_backend
from mesogpu.config.profile import Profile
from mesogpu.errors import BackendUnavailable, PlanError
from mesogpu.execute.slurm.directory import MOST_RESTARTS
from mesogpu.plan import Part, Plan
from mesogpu.plan.cost import realization_flops
from mesogpu.plan.parts import cut

AIM: Final = 0.5
"""Of the walltime: how long a shard should take where its number is ours to choose."""

MOST_SHARDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Sharding:
    """A plan cut into shards.

    parts   : what each computes
    seconds : that the largest shard takes by an estimate, None where there is none
    """

    parts: tuple[Part, ...]
    seconds: float | None


def choose_backend(asked: str, profile: Profile) -> str:
    """The engine of all shards, chosen where the run is submitted: cuda where the jobs have GPUs.

    raises : BackendUnavailable for cuda without CuPy, which the jobs would find missing as well
    """
    name = asked
    if asked == "auto":
        name = "cuda" if "gpu" in profile.gres else _without_gpu()
    if name == "cuda" and importlib.util.find_spec("cupy") is None:
        raise BackendUnavailable(
            "backend cuda: CuPy is not installed in this Python, which the jobs use as well; "
            "pip install 'mesogpu[cuda13]', or add --backend native"
        )
    return name


def _without_gpu() -> str:
    try:
        return select_backend("native").name
    except BackendUnavailable:
        return "numpy"


def make_sharding(plan: Plan, profile: Profile, *, backend: str, shards: int | None) -> Sharding:
    """Cut a plan, so that a shard fits into the walltime by the estimate.

    shards : how many at most; None for as many as the walltime needs, or may run at once if those are more
    raises : PlanError where a shard could not come to its end within all its lives
    """
    blocks = len(plan.points) * plan.blocks_per_point
    total, block_seconds = _estimate(plan, profile, backend)
    costs = [realization_flops(point) for point in plan.points]
    if shards is None:
        needed = math.ceil(total / (AIM * profile.seconds)) if total is not None else 1
        shards = min(max(needed, profile.max_parallel, 1), blocks, MOST_SHARDS)
    parts = cut(costs, plan.blocks_per_point, shards)
    largest = max(sum(costs[part.window[0]]) * part.blocks for part in parts)
    seconds = None if total is None else total * largest / (sum(costs) * plan.blocks_per_point)
    _require_time(profile, parts, blocks, seconds, block_seconds)
    return Sharding(parts, seconds)


def _estimate(plan: Plan, profile: Profile, backend: str) -> tuple[float | None, float | None]:
    """Seconds of the whole on one job, and of the largest block on one worker, by a trial on this machine."""
    try:
        engine = select_backend(backend)
    except BackendUnavailable:
        return None, None
    pace, seconds = seconds_of_plan(engine, plan)
    workers = 1 if engine.name == "cuda" else profile.cpus
    return seconds / workers, pace * min(plan.block_size, plan.realizations)


def _require_time(
    profile: Profile, parts: tuple[Part, ...], blocks: int, seconds: float | None, block_seconds: float | None
) -> None:
    if seconds is None or block_seconds is None:
        return
    usable = profile.seconds - profile.signal_seconds
    if block_seconds > usable:
        raise PlanError(
            f"walltime: {profile.walltime} less signal_seconds leaves {usable} s, one block takes about "
            f"{block_seconds:.0f} s on this machine, so no job would finish any; use a longer walltime"
        )
    if block_seconds > profile.signal_seconds and seconds > usable:
        raise PlanError(
            f"signal_seconds: {profile.signal_seconds}, one block takes about {block_seconds:.0f} s on this machine, "
            "so that a shard that is warned could not finish the one in work; "
            f"use signal_seconds: {math.ceil(2 * block_seconds)} in the profile, or a longer walltime or more --shards"
        )
    most = usable * (MOST_RESTARTS + 1)
    if seconds > most:
        remedy = f"use --shards {min(blocks, math.ceil(len(parts) * seconds / (AIM * profile.seconds)))}"
        raise PlanError(
            f"walltime: a shard of {len(parts)} takes about {seconds:.3g} s by this machine's speed, the "
            f"{MOST_RESTARTS + 1} lives of a job of {profile.walltime} are {most} s; {remedy}, a longer walltime or "
            "more cpus"
        )
