"""The batch scripts of a run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from mesogpu.config.profile import Profile
from mesogpu.errors import StoreError
from mesogpu.execute.slurm.directory import MOST_RESTARTS, RunDirectory

_UNWRITABLE = '%"\\\n'

_WAIT = """\
# bash runs a trap only when no foreground command holds it up: the program runs in the background.
warned=0
trap 'warned=1; kill -USR1 "$pid" 2>/dev/null' USR1
trap 'kill -TERM "$pid" 2>/dev/null' TERM
{command} &
pid=$!
wait "$pid"; code=$?
while [ "$code" -gt 128 ] && kill -0 "$pid" 2>/dev/null; do wait "$pid"; code=$?; done
if [ "$code" -gt 128 ]; then wait "$pid"; late=$?; [ "$late" -eq 127 ] || code=$late; fi
# 75: work is left and time ran out; killed by the warning: it came before the program could listen. Jobs that are
# cancelled get no warning, and those that make way for others come back by themselves.
if [ "$code" -eq 75 ] || [ "$code" -eq $((128 + $(kill -l USR1))) ]; then again=1; else again=0; fi
if [ "$again$warned" = 11 ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {restarts} ] && [ ! -e {cancelled} ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}" && sleep 120
fi
exit "$code"
"""


def shard_script(run: RunDirectory, profile: Profile) -> str:
    """What each task of the array runs; which of them, sbatch is told with --array."""
    directives = [
        f"--job-name={run_name(run.root)}",
        f'--output="{run.logs}/%A_%a.log"',
        "--open-mode=append",
        "--requeue",
        f"--signal=B:USR1@{profile.signal_seconds}",
        *([f"--gres={profile.gres}"] if profile.gres else []),
        f"--cpus-per-task={profile.cpus}",
        *([f"--mem={profile.memory}"] if profile.memory else []),
    ]
    command = f"{_python()} shard {shlex.quote(str(run.root))}"
    wait = _WAIT.format(command=command, cancelled=shlex.quote(str(run.cancelled)), restarts=MOST_RESTARTS)
    return _text(run, profile, directives, wait)


def merge_script(run: RunDirectory, profile: Profile) -> str:
    """What puts the shards together once all of them have ended."""
    directives = [
        f"--job-name={run_name(run.root)}-merge",
        f'--output="{run.logs}/%j_merge.log"',
        "--open-mode=append",
        "--requeue",
        "--cpus-per-task=1",
    ]
    return _text(run, profile, directives, f"exec {_python()} merge {shlex.quote(str(run.root))}\n")


def array_argument(shards: Iterable[int], max_parallel: int) -> str:
    """--array for these shards: "0-3,7%2"."""
    told = (str(first) if first == last else f"{first}-{last}" for first, last in ranges(shards))
    return f"--array={','.join(told)}{f'%{max_parallel}' if max_parallel else ''}"


def ranges(shards: Iterable[int]) -> list[tuple[int, int]]:
    """(first, last) of consecutive shards."""
    found = []
    for _, group in groupby(enumerate(sorted(shards)), key=lambda pair: pair[1] - pair[0]):
        run = [shard for _, shard in group]
        found.append((run[0], run[-1]))
    return found


def run_name(root: Path) -> str:
    """The name of the jobs, as squeue shows it."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in root.name)


def require_writable(root: Path) -> None:
    """Check that a path can stand in a batch script's directives.

    raises : StoreError
    """
    if any(letter in str(root) for letter in _UNWRITABLE):
        raise StoreError(
            f"{root}: SLURM does not take %, quotes, backslashes or line breaks in paths; choose another -o"
        )


def _text(run: RunDirectory, profile: Profile, directives: Sequence[str], body: str) -> str:
    asked = [
        f"--partition={profile.partition}",
        f"--time={profile.walltime}",
        *([f"--account={profile.account}"] if profile.account else []),
        *([f"--qos={profile.qos}"] if profile.qos else []),
    ]
    lines = ["#!/bin/bash", *(f"#SBATCH {line}" for line in (*directives, *asked, *profile.extra)), ""]
    lines += [f"module load {shlex.quote(name)}" for name in profile.modules]
    lines += [profile.prologue.rstrip()] if profile.prologue else []
    # The cache's folder kernels/ is the run's.
    lines += [f"export MESOGPU_CACHE={shlex.quote(str(run.root))} CUPY_CACHE_DIR={shlex.quote(str(run.cupy_kernels))}"]
    return "\n".join([*lines, ""]) + body


def _python() -> str:
    return f"{shlex.quote(sys.executable)} -P -m mesogpu"
