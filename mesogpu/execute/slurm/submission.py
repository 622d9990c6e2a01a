"""Submitting a run, going on with it, and ending it."""

from __future__ import annotations

import getpass
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mesogpu.backends.native.compiler import compiled_already
from mesogpu.config.dump import dump_yaml
from mesogpu.config.experiment import Experiment
from mesogpu.config.profile import Profile
from mesogpu.errors import EnvironmentFault, StoreError
from mesogpu.execute.slurm import commands
from mesogpu.execute.slurm.directory import RunDirectory, identity, now, plan_document
from mesogpu.execute.slurm.script import array_argument, merge_script, require_writable, shard_script
from mesogpu.execute.slurm.sharding import Sharding
from mesogpu.execute.slurm.standing import RunStatus, standing
from mesogpu.plan import Plan
from mesogpu.store import packages
from mesogpu.store.provenance import git_sha
from mesogpu.version import __version__


@dataclass(frozen=True, slots=True)
class Request:
    """A submission before it is made.

    root      : the run directory to be, absolute
    plan      : what is computed
    sharding  : into which shards it is cut
    profile   : what each job asks for
    backend   : engine of all shards
    mixed     : whether they may compute with different arithmetic
    arguments : of sbatch, as they stand, for the array
    """

    root: Path
    plan: Plan
    sharding: Sharding
    profile: Profile
    backend: str
    mixed: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def array(self) -> str:
        """The argument of sbatch that tells the shards."""
        return array_argument(range(len(self.sharding.parts)), self.profile.max_parallel)

    @property
    def script(self) -> str:
        """What each task will run."""
        return shard_script(RunDirectory(self.root), self.profile)


@dataclass(frozen=True, slots=True)
class Submission:
    """What was submitted.

    run       : where
    shards    : their numbers, none where nothing was left to submit
    job       : of the array, None for none
    merge_job : that waits for it, None for none
    """

    run: RunDirectory
    shards: tuple[int, ...]
    job: int | None
    merge_job: int | None


def submit(request: Request) -> Submission:
    """Make the run directory of a plan and submit its shards, and a merge that waits for them.

    raises : StoreError where the directory is there already; EnvironmentFault with SLURM's words where it refuses,
             nothing being left behind
    """
    check(request)
    commands.require_sbatch()
    rehearse(request)
    run = create(request)
    try:
        return _send(run, range(len(request.sharding.parts)), (), request.arguments)
    except BaseException:
        if not run.submissions.exists():
            shutil.rmtree(run.root)
        raise


def check(request: Request) -> None:
    """Check that a run directory can be made where it is asked for.

    raises : StoreError
    """
    _refuse_existing(request.root, request.plan.experiment)
    require_writable(request.root)


def rehearse(request: Request) -> str:
    """What SLURM says of a submission that is not made.

    raises : EnvironmentFault where it would refuse it
    """
    largest, asked = commands.largest_array(), len(request.sharding.parts)
    if largest is not None and asked > largest:
        raise EnvironmentFault(
            f"shards: {asked}, this cluster's arrays have {largest} at most (MaxArraySize); "
            f"use --shards {largest} or fewer: each then takes longer"
        )
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(request.script)
        script.flush()
        return commands.trial([request.array, *request.arguments, script.name])


def resume(run: RunDirectory, arguments: Sequence[str] = ()) -> tuple[Submission, RunStatus]:
    """Submit the shards that are neither complete nor in the queue, and a merge; nothing where there are none.

    raises : EnvironmentFault where SLURM does not answer: a shard could still be active
    """
    commands.require_sbatch()
    run.plan  # noqa: B018  the configuration must still be the one that was submitted
    status = standing(run)
    if status.silent:
        raise EnvironmentFault(f"{status.silent}; without its answer a shard that still runs could be submitted twice")
    known = commands.jobs(run.jobs)
    active = {number for number in known if known[number].active}
    left = [s.number for s in status.shards if not s.complete and (s.job, s.number) not in active]
    waiting = sorted({number for number, task in active if task is not None})
    merge_waits = any(task is None for _, task in active)
    if status.merged or (not left and (merge_waits or waiting)):
        return Submission(run, (), None, None), status
    run.cancelled.unlink(missing_ok=True)
    return _send(run, left, waiting, arguments), status


def cancel(run: RunDirectory) -> list[int]:
    """End all jobs of a run that are in the queue; what is committed stays. Returns their numbers.

    raises : EnvironmentFault where SLURM does not answer
    """
    active = sorted({number for (number, _), job in commands.jobs(run.jobs).items() if job.active})
    run.cancelled.touch()
    commands.cancel_jobs(active)
    if active:
        run.note(event="cancelled", jobs=active)
    return active


def _refuse_existing(root: Path, experiment: Experiment) -> None:
    """Check that there is nothing at the place of a new run directory.

    raises : StoreError that says how to go on
    """
    if not root.exists():
        if not root.parent.is_dir():
            raise StoreError(f"{root}: there is no directory {root.parent}; create it, or choose another with -o")
        return
    if not (root / "plan.json").is_file():
        raise StoreError(f"{root}: is there already and is no run of mesogpu; choose another directory with -o")
    run = RunDirectory.open(root)
    if run.identity != identity(experiment):
        raise StoreError(
            f"{root}: holds the run of another experiment, or of another number of realizations "
            f"({run.identity[:12]}..., to submit is {identity(experiment)[:12]}...); choose another directory with -o"
        )
    raise StoreError(
        f"{root}: this experiment was submitted already; mesogpu status {root} tells how far it is, "
        f"mesogpu resume {root} goes on with what is not in the queue"
    )


def create(request: Request) -> RunDirectory:
    """Write the run directory aside and give it its name when it is whole."""
    root, plan, sharding, profile = request.root, request.plan, request.sharding, request.profile
    aside = root.with_name(f"{root.name}.tmp{os.getpid()}")
    run, new = RunDirectory(root), RunDirectory(aside)
    document = plan_document(plan, sharding.parts, backend=request.backend, profile=profile, mixed=request.mixed)
    provenance = {
        "time": now(),
        "user": getpass.getuser(),
        "host": platform.node(),
        "system": platform.platform(),
        "python": sys.executable,
        "mesogpu_version": __version__,
        "git_sha": git_sha(),
        "packages": packages(),
        "sbatch_arguments": request.arguments,
        "estimate_seconds": sharding.seconds,
    }
    try:
        aside.mkdir()
        for folder in (new.shards, new.logs):
            folder.mkdir()
        new.kernels.mkdir(mode=0o700)
        for library in compiled_already() if request.backend == "native" else []:
            shutil.copy2(library, new.kernels)
        new.config.write_text(dump_yaml(plan.experiment), encoding="utf-8")
        new.plan_file.write_text(json.dumps(document) + "\n", encoding="utf-8")
        new.provenance.write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
        new.script.write_text(request.script, encoding="utf-8")
        new.merge_script.write_text(merge_script(run, profile), encoding="utf-8")
        aside.rename(root)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return run


def _send(run: RunDirectory, shards: Sequence[int], waiting: Sequence[int], arguments: Sequence[str]) -> Submission:
    """Submit shards, and a merge that waits for them and for the jobs that are on their way already."""
    job = None
    if shards:
        array = array_argument(shards, run.profile.max_parallel)
        job = commands.sbatch([array, *arguments, str(run.script)])
        run.note(event="submitted", job=job, shards=_ranges(shards), arguments=list(arguments))
    before = [str(number) for number in chain(waiting, [job] if job else [])]
    dependency = [f"--dependency=afterany:{':'.join(before)}"] if before else []
    merge_job = commands.sbatch([*dependency, str(run.merge_script)])
    run.note(event="merge submitted", merge_job=merge_job, after=before)
    return Submission(run, tuple(shards), job, merge_job)


def _ranges(shards: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of consecutive shards."""
    found: list[tuple[int, int]] = []
    for shard in shards:
        if found and found[-1][1] == shard - 1:
            found[-1] = (found[-1][0], shard)
        else:
            found.append((shard, shard))
    return found
