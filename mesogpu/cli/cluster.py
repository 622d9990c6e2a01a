"""`mesogpu submit`, `resume`, `cancel`, `logs` and `merge`: runs on a SLURM cluster; and what their jobs call."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesogpu.cli.exit_codes import INCOMPLETE, REQUEUE, TOO_MANY_FAILED
from mesogpu.cli.options import backend_option, config_argument, overrides_option, verbosity
from mesogpu.cli.progress import run_progress
from mesogpu.cli.quantities import counted, ensemble, human_seconds
from mesogpu.cli.render import emit, narrate, tell

if TYPE_CHECKING:
    from mesogpu.execute.slurm import Request, Submission


_MOST_SHARDS = 50
"""Shards that a table lists one by one."""

_MOST_LINES = 20

run_argument = click.argument("run", metavar="RUN/", type=click.Path(exists=True, file_okay=False, path_type=Path))
sbatch_arguments = click.argument("arguments", metavar="[-- SBATCH_ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)


@click.command()
@config_argument
@sbatch_arguments
@click.option("--profile", required=True, metavar="PROFILE.yaml", help="What each job asks for; a file, or its name.")
@click.option(
    "-o",
    "root",
    metavar="RUN/",
    type=click.Path(path_type=Path),
    help="Run directory, on a file system that all nodes see. [default: NAME in the current folder]",
)
@click.option("--shards", type=click.IntRange(min=1), help="Tasks of the array. [default: as the walltime needs]")
@backend_option
@overrides_option
@click.option("--mixed", is_flag=True, help="Let shards run on machines whose results differ in the last bits.")
@click.option("--dry-run", is_flag=True, help="Print the script and what SLURM says of it; submit nothing.")
@verbosity
def submit(config: Path, profile: str, root: Path | None, dry_run: bool, **options: Any) -> None:
    """Compute CONFIG on a SLURM cluster: an array of shards, then a merge into RUN/NAME.h5.

    What stands after -- goes to sbatch as it is.
    """
    from mesogpu import api

    request = api.prepare(config, profile, root, **options)
    narrate(_cut(request))
    if dry_run:
        _rehearse(request)
        return
    from mesogpu.execute.slurm import submit as submit_run

    _tell_submission(submit_run(request))


@click.command()
@run_argument
@sbatch_arguments
@verbosity
def resume(run: Path, arguments: tuple[str, ...]) -> None:
    """Submit what of RUN/ is neither complete nor in the queue.

    May be repeated: a shard is never submitted twice. What stands after -- goes to sbatch as it is.
    """
    from mesogpu.execute.slurm import RunDirectory
    from mesogpu.execute.slurm import resume as resume_run

    made, status = resume_run(RunDirectory.open(run), arguments)
    if made.merge_job is not None:
        _tell_submission(made)
    elif status.merged:
        emit(f"{made.run.results} is complete; nothing was left to submit")
    else:
        emit(f"all that is left of {run} is in the queue; nothing was submitted")


@click.command()
@run_argument
@verbosity
def cancel(run: Path) -> None:
    """End the jobs of RUN/; what they have committed stays, and resume goes on with it."""
    from mesogpu.execute.slurm import RunDirectory
    from mesogpu.execute.slurm import cancel as cancel_run

    ended = cancel_run(RunDirectory.open(run))
    emit(f"cancelled: job {', '.join(map(str, ended))}" if ended else f"no job of {run} was in the queue")
    narrate(f"\nGo on:  mesogpu resume {run}")


@click.command()
@run_argument
@click.option("--shard", type=click.IntRange(min=0), help="The whole log of this shard.")
@click.option("-n", "lines", type=click.IntRange(min=1), default=_MOST_LINES, show_default=True, help="Lines of each.")
@verbosity
def logs(run: Path, shard: int | None, lines: int) -> None:
    """What the jobs of RUN/ printed last: of the shards that are not complete, and of the merge."""
    from mesogpu.execute.slurm import RunDirectory, standing

    directory = RunDirectory.open(run)
    if shard is not None:
        if shard >= len(directory.parts):
            raise click.BadParameter(f"there are shards 0 to {len(directory.parts) - 1}.", param_hint="'--shard'")
        found = directory.shard_logs(shard)
        emit("\n".join(path.read_text(errors="replace").rstrip() for path in found) or f"shard {shard} has no log yet")
        return
    left = [status.number for status in standing(directory).shards if not status.complete]
    shown = [path for number in left[:_MOST_SHARDS] for path in directory.shard_logs(number)[-1:]]
    for path in (*shown, *directory.merge_logs[-1:]):
        text = path.read_text(errors="replace").splitlines()
        emit("\n".join([f"==> {path} <==", *text[-lines:], ""]))
    if not shown and left:
        narrate(f"no incomplete shard has a log yet; mesogpu status {run} says what SLURM has to say")
    elif not shown:
        narrate("every shard is complete")
    if len(left) > _MOST_SHARDS:
        narrate(f"and {len(left) - _MOST_SHARDS:,} shards more; --shard NUMBER shows one")


@click.command()
@run_argument
@click.option("--partial", is_flag=True, help="Merge what is there even if blocks are missing.")
@click.option("--mixed", is_flag=True, help="Let shards of different arithmetic stand in one file, each block marked.")
@verbosity
def merge(run: Path, partial: bool, mixed: bool) -> int:
    """Check every block of RUN/ and put all of them into RUN/NAME.h5.

    Exits with 1 where blocks are missing, and names their shards; then nothing is written unless --partial.
    """
    from mesogpu.execute.slurm import RunDirectory, merge_run

    directory = RunDirectory.open(run)
    merged = merge_run(directory, partial=partial, mixed=mixed)
    if merged.missing:
        lacking = sum(merged.missing.values())
        shards = ", ".join(f"{number} ({count})" for number, count in list(merged.missing.items())[:_MOST_SHARDS])
        more = f" and {len(merged.missing) - _MOST_SHARDS:,} others" if len(merged.missing) > _MOST_SHARDS else ""
        tell(
            f"mesogpu: {lacking:,} of {counted(merged.blocks, 'block')} are missing, in shard (blocks): {shards}{more}"
            f"; mesogpu resume {run} computes them, mesogpu logs {run} tells what happened"
        )
    if merged.written:
        emit(f"Results: {directory.results}")
        narrate(f"\nGo on:  mesogpu analyze {directory.results}\n        mesogpu report {directory.results}")
    elif not merged.missing:
        emit(f"{directory.results} is complete already")
    return INCOMPLETE if merged.missing else 0


@click.command(hidden=True)
@run_argument
@click.argument("number", required=False, type=click.IntRange(min=0))
@verbosity
def shard(run: Path, number: int | None) -> int:
    """Compute one shard of RUN/; what a task of the array runs."""
    import os

    from mesogpu.execute.slurm import RunDirectory, run_shard
    from mesogpu.execute.slurm.shard import shard_number

    directory = RunDirectory.open(run)
    chosen = shard_number(os.environ) if number is None else number
    narrate(f"shard {chosen} of {run}: {directory.description.backend}, {_place(os.environ)}")
    with run_progress() as listener:
        ended = run_shard(directory, chosen, listen=listener)
    if ended.complete:
        return 0
    tell(f"mesogpu: shard {chosen} is incomplete: {ended.why}")
    if ended.record.skipped:
        return TOO_MANY_FAILED
    return REQUEUE if ended.requeue else INCOMPLETE


def _cut(request: Request) -> str:
    """What is about to be submitted, in words."""
    sharding, profile = request.sharding, request.profile
    if sharding.seconds is None:
        pace = f"no estimate: {request.backend} does not run on this machine"
    else:
        pace = f"about {human_seconds(sharding.seconds)} each by this machine's speed"
    shards = counted(len(sharding.parts), "shard")
    return (
        f"{ensemble(request.plan.experiment)}\n{shards} on {profile.partition}, {pace}, {profile.walltime} a job; "
        f"backend {request.backend}"
    )


def _rehearse(request: Request) -> None:
    import shutil

    from mesogpu.execute.slurm import RunDirectory
    from mesogpu.execute.slurm.submission import check, rehearse

    check(request)
    emit(request.script)
    script = RunDirectory(request.root).script
    narrate(f"would run: {shlex.join(['sbatch', *request.arguments, request.array, str(script)])}")
    if shutil.which("sbatch") is None:
        narrate("sbatch is not on this machine: nothing was asked of SLURM")
    else:
        narrate(f"SLURM says: {rehearse(request)}")


def _tell_submission(made: Submission) -> None:
    if made.job is not None:
        emit(f"submitted: job {made.job}, {counted(len(made.shards), 'shard')}; merge: job {made.merge_job}")
    else:
        emit(f"submitted: merge, job {made.merge_job}; every shard is complete")
    root = shlex.quote(str(made.run.root))
    narrate(f"\nGo on:  mesogpu status {root}\n        mesogpu logs {root}\n        mesogpu resume {root}")


def _place(environment: Any) -> str:
    node = environment.get("SLURMD_NODENAME", "this machine")
    gpus = environment.get("CUDA_VISIBLE_DEVICES")
    return f"job {environment.get('SLURM_JOB_ID', 'none')} on {node}" + (f", GPU {gpus}" if gpus else "")
