"""One shard: what each task of the array runs, from its start to the word that tells the script what to do next."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mesogpu.backends.base import Backend
from mesogpu.backends.select import select_backend
from mesogpu.config.dump import dump_yaml
from mesogpu.errors import EnvironmentFault, StoreError
from mesogpu.execute.devices import usual_workers
from mesogpu.execute.events import Listener, RunRecord
from mesogpu.execute.into_file import compute_into
from mesogpu.execute.slurm.directory import MOST_RESTARTS, RunDirectory
from mesogpu.store import read_progress


@dataclass(frozen=True, slots=True)
class Shard:
    """How one life of a shard ended.

    complete : whether nothing of it is left to compute
    requeue  : whether it should be queued again
    why      : what to say where work is left
    record   : what was computed
    """

    complete: bool
    requeue: bool
    why: str
    record: RunRecord


def run_shard(run: RunDirectory, number: int, *, listen: Listener | None = None) -> Shard:
    """Compute what is left of one shard, until it is complete or a signal (USR1, TERM) asks to stop.

    raises : StoreError for a shard that there is not; EnvironmentFault where it is being computed already, or with
             another arithmetic than the shards before it; what `compute_into` raises
    """
    if not 0 <= number < len(run.parts):
        raise StoreError(f"{run.root}: has no shard {number}, its shards are 0 to {len(run.parts) - 1}")
    engine = select_backend(run.description.backend)
    _agree(run, engine)
    plan, path = run.plan.only(run.parts[number]), run.shard_file(number)
    with _signals() as received:
        record = compute_into(
            path,
            plan,
            engine,
            config_text=dump_yaml(plan.experiment),
            workers=usual_workers(engine.name),
            listen=listen,
            stop=lambda: bool(received),
            mixed=run.description.mixed,
        )
    complete = read_progress(path).complete
    requeue, why = (False, "") if complete else _next(received, record, os.environ)
    return Shard(complete, requeue, why, record)


def shard_number(environment: Mapping[str, str]) -> int:
    """The shard of this task of the array.

    raises : StoreError outside of an array
    """
    task = environment.get("SLURM_ARRAY_TASK_ID", "")
    if not task.isdecimal():
        raise StoreError(
            "SLURM_ARRAY_TASK_ID is not set: this runs in a job that mesogpu submit has made; name a shard"
        )
    return int(task)


def _next(received: Sequence[int], record: RunRecord, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Whether an incomplete shard is to be queued again, and what to say."""
    restarts = environment.get("SLURM_RESTART_COUNT", "0")
    count = int(restarts) if restarts.isdecimal() else 0
    if record.skipped:
        return False, "blocks that ended every worker were left out, its run log names them; mesogpu resume tries again"
    if signal.SIGUSR1 not in received:
        return True, "it was told to end; it goes on when SLURM starts it again, or with mesogpu resume"
    if count >= MOST_RESTARTS:
        return False, f"it was started {count + 1} times, as often as is allowed; mesogpu resume goes on with it"
    if count and not record.blocks:
        return False, (
            "no block was finished since its last start, so another would not help: give it more time, "
            "mesogpu resume RUN -- --time=..."
        )
    return True, "time ran out; queued again"


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals of a batch system that have come: USR1 warns that time runs out, TERM is the end."""
    received: list[int] = []
    previous = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGTERM)}
    try:
        for number in previous:
            signal.signal(number, lambda number, _: received.append(number))
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _agree(run: RunDirectory, engine: Backend) -> None:
    """Check that this shard computes with the arithmetic of the first one; the first one writes it down.

    raises : EnvironmentFault
    """
    if run.description.mixed:
        return
    aside = run.signature.with_name(f"{run.signature.name}.tmp{os.getpid()}-{os.environ.get('SLURM_JOB_ID', '')}")
    aside.write_text(engine.signature, encoding="utf-8")
    try:
        with suppress(FileExistsError):
            os.link(aside, run.signature)
    except OSError:  # no hard links here: the first name wins all the same, but for a race that the merge notices
        if not run.signature.exists():
            aside.replace(run.signature)
    finally:
        aside.unlink(missing_ok=True)
    first = run.signature.read_text(encoding="utf-8")
    if first != engine.signature:
        raise EnvironmentFault(
            f"{_host()}: would compute with {engine.signature!r}, other shards of this run have computed with "
            f"{first!r}, and the results differ in the last bits: ask for nodes of one kind, mesogpu resume "
            f"{run.root} -- --constraint=..., or submit with --mixed; where no shard has computed anything with the "
            f"first, remove {run.signature}"
        )


def _host() -> str:
    return os.environ.get("SLURMD_NODENAME") or os.uname().nodename
