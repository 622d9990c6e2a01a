"""How far a submitted run is: what its files hold, and over it what SLURM says of its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesogpu.errors import EnvironmentFault, StoreError
from mesogpu.execute.slurm.commands import Job, jobs
from mesogpu.execute.slurm.directory import RunDirectory
from mesogpu.store import count_done, read_progress

UNKNOWN = "unknown"
NOT_QUEUED = "not queued"


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """How far one shard is.

    number      : of the shard, its position in the array
    done, total : realizations over all its points, committed and in all
    failed      : of them, with a failed sample
    job         : that it was last submitted with, None for none
    state       : SLURM's word of it, "not queued", or "unknown" where SLURM does not answer
    reason      : why it waits or how it ended
    problem     : why its file cannot be read, empty where it can
    """

    number: int
    done: int
    total: int
    failed: int
    job: int | None
    state: str
    reason: str
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing of it is left to compute."""
        return self.done == self.total and not self.problem


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is.

    shards : each of them
    merge  : the merge job, None where none was submitted or SLURM has forgotten it
    merged : whether the merged file is there and complete
    silent : why SLURM said nothing, empty where it did
    """

    shards: tuple[ShardStatus, ...]
    merge: Job | None
    merged: bool
    silent: str

    @property
    def done(self) -> int:
        """Realizations committed."""
        return sum(shard.done for shard in self.shards)

    @property
    def total(self) -> int:
        """Realizations in all."""
        return sum(shard.total for shard in self.shards)

    @property
    def failed(self) -> int:
        """Realizations with a failed sample."""
        return sum(shard.failed for shard in self.shards)

    @property
    def complete(self) -> bool:
        """Whether every shard is."""
        return all(shard.complete for shard in self.shards)


def standing(run: RunDirectory) -> RunStatus:
    """How far a run is; of a merged one by the merged file, as its shards may be gone."""
    known, silent = _asked(run)
    merged, failed = _merged(run)
    submitted = _submitted(run)
    shards = []
    for number in range(len(run.parts)):
        status = _read(run, number, merged)
        job = submitted.get(number)
        told = known.get((job, number)) if job is not None else None
        state = told.state if told else UNKNOWN if silent and job is not None else NOT_QUEUED
        shards.append(replace(status, job=job, state=state, reason=told.reason if told else ""))
    if merged and shards:
        # The merged file counts failures by point, not by shard.
        shards[0] = replace(shards[0], failed=failed)
    merges = [entry["merge_job"] for entry in run.entries() if isinstance(entry.get("merge_job"), int)]
    merge = known.get((merges[-1], None)) if merges else None
    return RunStatus(tuple(shards), merge, merged, silent)


def _asked(run: RunDirectory) -> tuple[Mapping[tuple[int, int | None], Job], str]:
    try:
        return jobs(run.jobs), ""
    except EnvironmentFault as fault:
        return {}, str(fault)


def _merged(run: RunDirectory) -> tuple[bool, int]:
    if not run.results.exists():
        return False, 0
    progress = read_progress(run.results)
    return progress.complete, progress.failed


def _submitted(run: RunDirectory) -> dict[int, int]:
    """The job that each shard was last submitted with."""
    latest: dict[int, int] = {}
    for entry in run.entries():
        if isinstance(entry.get("job"), int):
            for first, last in entry["shards"]:
                latest |= dict.fromkeys(range(first, last + 1), entry["job"])
    return latest


def _read(run: RunDirectory, number: int, merged: bool) -> ShardStatus:
    """What the files say of one shard."""
    total, path = run.realizations(number), run.shard_file(number)
    empty = ShardStatus(number, 0, total, 0, None, NOT_QUEUED, "")
    if merged:
        return replace(empty, done=total)
    if not path.exists():
        return empty
    try:
        done, failed = count_done(path, run.plan.only(run.parts[number]))
    except StoreError as error:
        return replace(empty, problem=str(error))
    return replace(empty, done=done, failed=failed)
