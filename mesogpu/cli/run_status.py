"""`mesogpu status RUN/`: how far a submitted run is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesogpu.cli.exit_codes import INCOMPLETE
from mesogpu.cli.quantities import counted
from mesogpu.cli.render import Sheet, emit, emit_json, emit_sheet

if TYPE_CHECKING:
    from mesogpu.execute.slurm import RunDirectory, RunStatus, ShardStatus


_MOST_SHARDS = 50
"""Shards that the table lists one by one."""

_MOST_PROBLEMS = 20


def show_run(path: Path, *, as_json: bool) -> int:
    """Tell how far a submitted run is; the exit status of `mesogpu status`."""
    from mesogpu.execute.slurm import RunDirectory, standing

    run = RunDirectory.open(path)
    status = standing(run)
    if as_json:
        emit_json(_data(run, status))
    elif status.complete:
        emit("\n".join([_title(path, status), *_notes(path, run, status, [])]))
    else:
        emit_sheet(_sheet(path, run, status))
    return 0 if status.merged else INCOMPLETE


def _data(run: RunDirectory, status: RunStatus) -> dict[str, Any]:
    counts = {"done": status.done, "total": status.total, "failed": status.failed}
    shards = [
        {
            "shard": each.number,
            "part": run.parts[each.number].describe(),
            "done": each.done,
            "total": each.total,
            "failed": each.failed,
            "job": each.job,
            "state": each.state,
            "reason": each.reason,
            "problem": each.problem or None,
        }
        for each in status.shards
    ]
    return counts | {
        "complete": status.complete,
        "merged": str(run.results) if status.merged else None,
        "merge_job": None if status.merge is None else {"job": status.merge.number, "state": status.merge.state},
        "slurm": status.silent or None,
        "shards": shards,
    }


def _title(path: Path, status: RunStatus) -> str:
    state = "merged" if status.merged else "complete, not merged" if status.complete else "work is left"
    share = f"{100 * status.done // status.total} %"
    complete = sum(each.complete for each in status.shards)
    return (
        f"{path}: {state}, {status.done:,} of {counted(status.total, 'realization')} ({share}), "
        f"{status.failed:,} failed; {complete:,} of {counted(len(status.shards), 'shard')} complete"
    )


def _sheet(path: Path, run: RunDirectory, status: RunStatus) -> Sheet:
    """The shards that are not complete."""
    left = [each for each in status.shards if not each.complete]
    columns = ["shard", "job", "state", "reason", "done", "total", "failed"]
    rows = [_row(each) for each in left[:_MOST_SHARDS]]
    return Sheet(_title(path, status), columns, rows, _notes(path, run, status, left), left=4, keys=1)


def _notes(path: Path, run: RunDirectory, status: RunStatus, left: Sequence[ShardStatus]) -> list[str]:
    notes = []
    if left:
        states = Counter(each.state for each in left)
        notes.append("Incomplete shards: " + ", ".join(f"{count:,} {state.lower()}" for state, count in states.items()))
    if len(left) > _MOST_SHARDS:
        notes.append(f"Shown are the first {_MOST_SHARDS}; --json has all.")
    notes += [f"Shard {each.number}: {each.problem}" for each in left if each.problem][:_MOST_PROBLEMS]
    if status.silent:
        notes.append(f"SLURM does not answer: {status.silent}")
    return [*notes, _next_step(path, run, status, left)]


def _row(each: ShardStatus) -> list[str]:
    job = "" if each.job is None else str(each.job)
    counts = [f"{count:,}" for count in (each.done, each.total, each.failed)]
    return [str(each.number), job, each.state.lower(), each.reason, *counts]


def _next_step(path: Path, run: RunDirectory, status: RunStatus, left: Sequence[ShardStatus]) -> str:
    if status.merged:
        return f"Results: {run.results}; shards/ is not needed any more."
    if status.merge is not None and status.merge.active:
        return f"The merge, job {status.merge.number}, follows by itself."
    return f"mesogpu resume {path} goes on." if left else f"mesogpu merge {path} makes the results file."
