"""How far a submitted run is: what its files hold, and over it what SLURM says of its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mesogpu.errors import EnvironmentFault, MesogpuError
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
    job         : the last one of it that SLURM remembers, None for none
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


def jobs_of(run: RunDirectory) -> list[Job]:
    """Every job of a run that SLURM remembers, oldest first.

    raises : EnvironmentFault where SLURM does not answer
    """
    return jobs((run.script, run.merge_script), str(run.root.stat().st_uid))


def standing(run: RunDirectory, known: Sequence[Job] | None = None) -> RunStatus:
    """How far a run is; of a merged one by the merged file, as its shards may be gone.

    known : its jobs, as `jobs_of` gave them; None to ask
    """
    silent = ""
    if known is None:
        try:
            known = jobs_of(run)
        except EnvironmentFault as fault:
            known, silent = [], str(fault)
    merged, failed = _merged(run)
    # Of several jobs of one shard, one that is on its way counts more than a later one that has ended.
    latest = {job.task: job for job in sorted(known, key=lambda job: (job.active, job.number))}
    shards = []
    for number in range(len(run.parts)):
        job = latest.get(number)
        status = _read(run, number, merged)
        if job is not None:
            status = replace(status, job=job.number, state=job.state, reason=job.reason)
        elif silent:
            status = replace(status, state=UNKNOWN)
        shards.append(status)
    if merged and shards:
        # The merged file counts failures by point, not by shard.
        shards[0] = replace(shards[0], failed=failed)
    return RunStatus(tuple(shards), latest.get(None), merged, silent)


def _merged(run: RunDirectory) -> tuple[bool, int]:
    if not run.results.exists():
        return False, 0
    progress = read_progress(run.results)
    return progress.complete, progress.failed


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
    except MesogpuError as error:
        return replace(empty, problem=str(error))
    return replace(empty, done=done, failed=failed)
