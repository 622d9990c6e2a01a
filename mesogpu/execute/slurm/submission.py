"""Submitting a run, going on with it, and ending it."""

from __future__ import annotations

import errno
import getpass
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from mesogpu.backends.native.compiler import compiled_already
from mesogpu.config.dump import dump_yaml
from mesogpu.config.experiment import Experiment
from mesogpu.config.profile import Profile
from mesogpu.errors import BackendUnavailable, EnvironmentFault, StoreError
from mesogpu.execute.slurm import commands
from mesogpu.execute.slurm.directory import RunDirectory
from mesogpu.execute.slurm.plan_file import PlanFile, identity
from mesogpu.execute.slurm.script import array_argument, merge_script, ranges, require_writable, shard_script
from mesogpu.execute.slurm.sharding import Sharding
from mesogpu.execute.slurm.standing import RunStatus, jobs_of, standing
from mesogpu.plan import Plan
from mesogpu.store import packages
from mesogpu.store.lock import PathLock
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

    raises : StoreError where the directory is there already; EnvironmentFault with SLURM's words: where it refuses the
             shards nothing is left behind, else the directory stays for `resume`
    """
    check(request)
    commands.require_sbatch()
    rehearse(request)
    run = create(request)
    with _alone(run):
        try:
            return _send(run, range(len(request.sharding.parts)), (), request.arguments)
        except commands.Refused:
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
    merge = merge_script(RunDirectory(request.root), request.profile)
    _try(merge, request.arguments)
    return _try(request.script, [request.array, *request.arguments])


def _try(text: str, arguments: Sequence[str]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(text)
        script.flush()
        return commands.trial([*arguments, script.name])


def resume(run: RunDirectory, arguments: Sequence[str] = ()) -> tuple[Submission, RunStatus]:
    """Submit the shards that are neither complete nor in the queue, and a merge; nothing where there are none.

    raises : EnvironmentFault where SLURM does not answer: a shard could still be active; or where somebody else
             resumes, or jobs that were cancelled are still ending
    """
    commands.require_sbatch()
    run.plan  # noqa: B018  the configuration must still be the one that was submitted
    with _alone(run):
        # First the queue, then the files: a shard that ends in between is seen as complete.
        known = jobs_of(run)
        status = standing(run, known)
        active = [job for job in known if job.active]
        if active and run.cancelled.exists():
            raise EnvironmentFault(f"{run.root}: jobs that were cancelled are still ending; try again in a minute")
        there = {job.task for job in active}
        left = [shard.number for shard in status.shards if not shard.complete and shard.number not in there]
        if status.merged or (not left and None in there):
            return Submission(run, (), None, None), status
        run.cancelled.unlink(missing_ok=True)
        _follow_the_directory(run)
        waiting = sorted({job.number for job in active if job.task is not None})
        return _send(run, left, waiting, arguments), status


def cancel(run: RunDirectory) -> list[int]:
    """End all jobs of a run that are in the queue; what is committed stays. Returns their numbers.

    raises : EnvironmentFault where SLURM does not answer
    """
    active = sorted({job.number for job in jobs_of(run) if job.active})
    with suppress(OSError):  # a full disk is no reason to go on computing
        run.cancelled.touch()
    commands.cancel_jobs(active)
    if active:
        run.note(event="cancelled", jobs=active)
    return active


@contextmanager
def _alone(run: RunDirectory) -> Iterator[None]:
    """Nobody else submits for this run meanwhile."""
    lock = PathLock(run.submissions)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _follow_the_directory(run: RunDirectory) -> None:
    """Write the scripts anew where they are those of another place: the directory was moved or copied."""
    if str(run.root) not in run.script.read_text(encoding="utf-8"):
        run.script.write_text(shard_script(run, run.description.profile), encoding="utf-8")
        run.merge_script.write_text(merge_script(run, run.description.profile), encoding="utf-8")


def _refuse_existing(root: Path, experiment: Experiment) -> None:
    """Check that there is nothing at the place of a new run directory.

    raises : StoreError that says how to go on
    """
    if not root.exists():
        if not root.parent.is_dir():
            raise StoreError(f"{root}: there is no directory {root.parent}; create it, or choose another with -o")
        return
    if not RunDirectory(root).plan_file.is_file():
        raise StoreError(f"{root}: is there already and is no run of mesogpu; choose another directory with -o")
    run = RunDirectory.open(root)
    if run.description.identity != identity(experiment):
        raise StoreError(
            f"{root}: holds the run of another experiment, or of another number of realizations "
            f"({run.description.identity[:12]}..., to submit is {identity(experiment)[:12]}...); choose another "
            "directory with -o"
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
    provenance = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
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
        for library in _compiled_kernels(request.backend):
            shutil.copy2(library, new.kernels)
        new.config.write_text(dump_yaml(plan.experiment), encoding="utf-8")
        _description(request).write(new.plan_file)
        new.provenance.write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
        new.script.write_text(request.script, encoding="utf-8")
        new.merge_script.write_text(merge_script(run, profile), encoding="utf-8")
        aside.rename(root)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise StoreError(f"{root}: was made by somebody else just now; see mesogpu status {root}") from error
        raise
    return run


def _description(request: Request) -> PlanFile:
    experiment = request.plan.experiment
    return PlanFile(
        name=experiment.name,
        config_sha256=experiment.identity(),
        realizations=experiment.realizations,
        backend=request.backend,
        mixed=request.mixed,
        block_size=request.plan.block_size,
        profile=request.profile,
        parts=request.sharding.parts,
    )


def _compiled_kernels(backend: str) -> list[Path]:
    """What this machine has compiled already, for the shards to find."""
    if backend != "native":
        return []
    try:
        return compiled_already()
    except BackendUnavailable:  # no compiler here; the nodes may have one
        return []


def _send(run: RunDirectory, shards: Sequence[int], waiting: Sequence[int], arguments: Sequence[str]) -> Submission:
    """Submit shards, and a merge that waits for them and for the jobs that are on their way already."""
    job = None
    if shards:
        array = array_argument(shards, run.description.profile.max_parallel)
        job = commands.sbatch([*arguments, array, str(run.script)])
        run.note(event="submitted", job=job, shards=ranges(shards), arguments=list(arguments))
    before = [str(number) for number in chain(waiting, [job] if job else [])]
    dependency = [f"--dependency=afterany:{':'.join(before)}"] if before else []
    try:
        merge_job = commands.sbatch([*arguments, *dependency, str(run.merge_script)])
    except EnvironmentFault as fault:
        if job is None:
            raise
        raise EnvironmentFault(
            f"{fault}; job {job} with the shards is in the queue all the same: mesogpu resume {run.root} submits the "
            f"merge, mesogpu cancel {run.root} ends it"
        ) from fault
    run.note(event="merge submitted", merge_job=merge_job, after=before)
    return Submission(run, tuple(shards), job, merge_job)
