"""SLURM's own commands, and what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesogpu.errors import EnvironmentFault

_SECONDS: Final = 120
_ENDED: Final = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT")
)
_IDS_AT_ONCE: Final = 500


class Refused(EnvironmentFault):
    """SLURM said no: nothing was submitted."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job, or one task of an array, as SLURM knows it.

    number : of the job; of a task, of its array
    task   : position in the array, None for a job that is none
    state  : SLURM's word, such as "RUNNING"
    reason : why it waits or how it ended, empty for nothing to tell
    script : what it runs
    """

    number: int
    task: int | None
    state: str
    reason: str
    script: str

    @property
    def active(self) -> bool:
        """Whether it runs, waits, or may yet come back."""
        return self.state not in _ENDED


def require_sbatch() -> None:
    """Check that jobs can be submitted from this machine.

    raises : EnvironmentFault
    """
    if shutil.which("sbatch") is None:
        raise EnvironmentFault(
            "sbatch: not found on this machine; run this on a login node of the cluster, or add --dry-run to see what "
            "would be submitted"
        )


def sbatch(arguments: Sequence[str]) -> int:
    """Submit; the number of the job.

    raises : Refused with SLURM's own words; EnvironmentFault where it did not answer, and may have taken the job
    """
    answer = _run(["sbatch", "--parsable", *arguments]).stdout
    number = answer.strip().splitlines()[-1].partition(";")[0] if answer.strip() else ""
    if not number.isdecimal():
        raise EnvironmentFault(f"sbatch: answered {answer.strip()[:200]!r} instead of a job number; see squeue")
    return int(number)


def trial(arguments: Sequence[str]) -> str:
    """What SLURM thinks of a submission without making it.

    raises : Refused with SLURM's own words
    """
    run = _run(["sbatch", "--test-only", *arguments])
    return (run.stdout + run.stderr).strip()


def jobs(scripts: Collection[Path], owner: str) -> list[Job]:
    """What SLURM knows of the jobs that run these scripts, ended ones as long as it remembers them, oldest first.

    By their scripts, as numbers start over on another or a newly set up cluster.

    owner  : whose jobs they are
    raises : EnvironmentFault where SLURM does not answer
    """
    wanted = {str(script) for script in scripts}
    answer = _run(["squeue", "-h", "-r", "-t", "all", "-u", owner, "-o", "%F|%K|%T|%r|%o"]).stdout
    found = []
    for line in answer.splitlines():
        number, task, state, reason, script = line.split("|", 4)
        if script in wanted:
            place = int(task) if task.isdecimal() else None
            found.append(Job(int(number), place, state, "" if reason == "None" else reason, script))
    return sorted(found, key=lambda job: job.number)


def cancel_jobs(numbers: Iterable[int]) -> None:
    """End jobs and take them out of the queue; those that run are told first, and commit what they have."""
    ids = [str(number) for number in numbers]
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[start : start + _IDS_AT_ONCE]
        # Without --full no batch script and no program of it hears of its end.
        _started(["scancel", "--quiet", "--full", "--signal=TERM", "--state=RUNNING", *some])
        _run(["scancel", *some])


def largest_array() -> int | None:
    """SLURM's MaxArraySize: positions in an array are below it; None where SLURM does not say."""
    match = re.search(r"^MaxArraySize\s*=\s*(\d+)", _run(["scontrol", "show", "config"]).stdout, re.MULTILINE)
    return int(match.group(1)) if match else None


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    run = _started(command)
    if run.returncode != 0:
        raise _refusal(command[0], run)
    return run


def _started(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=_environment(command[0])
        )
    except FileNotFoundError as error:
        raise EnvironmentFault(
            f"{command[0]}: not found on this machine; run this on a login node of the cluster"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFault(
            f"{command[0]}: no answer within {_SECONDS} s; SLURM may be busy: look at squeue before you try again"
        ) from error


def _environment(name: str) -> dict[str, str]:
    """Ours; for all but sbatch without what would narrow down an answer."""
    narrowing = ("SQUEUE_", "SCANCEL_", "SLURM_CLUSTERS")
    return {key: value for key, value in os.environ.items() if name == "sbatch" or not key.startswith(narrowing)}


def _refusal(name: str, run: subprocess.CompletedProcess[str]) -> Refused:
    words = " ".join((run.stderr or run.stdout).split()) or f"exit status {run.returncode}"
    remedy = "check the profile and the arguments after --" if name == "sbatch" else "see whether sinfo answers"
    return Refused(f"{name}: {words[:500]}; {remedy}")
