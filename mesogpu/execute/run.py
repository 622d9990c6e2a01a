"""A run: every outstanding block computed, committed, told of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from mesogpu.backends.select import select_backend
from mesogpu.errors import ConfigError, Interrupted
from mesogpu.execute.commits import BlockWriter, Committer
from mesogpu.execute.events import Event, Finished, Listener, RunRecord, Started
from mesogpu.execute.in_process import InProcess
from mesogpu.execute.interruption import interruption_deferred
from mesogpu.execute.tasks import Compute, TaskCutter
from mesogpu.plan import Block, BlockResult, Plan


class ResultSource(Protocol):
    """Where results come from: this process, or workers."""

    def results(self) -> Iterator[Sequence[BlockResult]]:
        """Results as they come."""

    def finished(self) -> Sequence[BlockResult]:
        """What is done but was not handed over, when the caller stops early."""


def execute(
    plan: Plan,
    writer: BlockWriter,
    *,
    backend: str,
    workers: int,
    listen: Listener | None = None,
    span_seconds: float = 1.0,
    stop: Callable[[], bool] = lambda: False,
) -> RunRecord:
    """Compute and commit every block of the plan that the writer does not have yet.

    The committed bytes are the same for any number of workers and any span. With one worker all happens in the calling
    process; more are processes of their own, which end with this call, however it ends.

    writer       : where results go; called from the calling thread alone
    backend      : name of the engine, as on the command line
    workers      : how many compute at once, at least 1
    listen       : called with every event, from the calling thread
    span_seconds : about how long one task of a worker should take
    stop         : asked before each task; once it says yes, what is in work is committed and the rest is left
    raises       : Interrupted on Ctrl-C, what is in hand committed; WorkersLost when workers keep dying; ConfigError
                   for workers or span_seconds out of range; whatever the backend or the writer raises
    """
    engine = select_backend(backend).name
    return compute_outstanding(
        plan,
        writer,
        partial(run_backend, engine),
        label=engine,
        workers=workers,
        listen=listen,
        span_seconds=span_seconds,
        stop=stop,
    )


def run_backend(name: str, blocks: Sequence[Block]) -> Iterable[BlockResult]:
    """Compute blocks with a backend of this process."""
    return select_backend(name).run(blocks)


def compute_outstanding(
    plan: Plan,
    writer: BlockWriter,
    compute: Compute,
    *,
    label: str,
    workers: int,
    listen: Listener | None = None,
    span_seconds: float = 1.0,
    stop: Callable[[], bool] = lambda: False,
) -> RunRecord:
    """`execute` with anything that computes blocks.

    compute : picklable where workers > 1
    label   : its name, for the events
    """
    if workers < 1:
        raise ConfigError(f"workers: {workers}, at least 1; leave it out to use every core that this process may use")
    if not span_seconds > 0:
        raise ConfigError(f"span_seconds: {span_seconds!r}, must be positive; 1.0 suits nearly everything")
    start = time.perf_counter()
    tell = listen or _ignore
    committer = Committer(plan, writer, tell)
    done = np.array(writer.done, dtype=bool)
    workers = min(workers, int(done.size - np.count_nonzero(done)))
    tell(Started(committer.total_realizations, committer.done_realizations, workers, label))
    cutter = TaskCutter(plan, done, span_seconds=span_seconds, workers=workers, stop=stop)
    try:
        if workers == 1:
            with InProcess(cutter, compute) as source:
                _commit_all(source, committer)
        elif workers > 1:
            from mesogpu.execute.dask_workers import DaskWorkers

            with DaskWorkers(cutter, compute, workers=workers, listen=tell) as dask_source:
                _commit_all(dask_source, committer)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: {committer.done_realizations:,} of {committer.total_realizations:,} realizations are "
            "committed; the same command resumes"
        ) from None
    record = committer.record(time.perf_counter() - start)
    tell(Finished(record))
    return record


def _commit_all(source: ResultSource, committer: Committer) -> None:
    """Commit results as they come; at the end, whatever brought it about, also all that is in hand."""
    try:
        for results in source.results():
            committer.add(results)
            committer.commit_if_due()
    finally:
        with interruption_deferred():
            committer.add(source.finished())
            committer.commit()


def _ignore(_event: Event) -> None:
    pass
