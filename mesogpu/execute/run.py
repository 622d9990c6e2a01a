"""A run: every outstanding block computed, committed, told of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Protocol

import numpy as np

from mesogpu.backends.base import Backend
from mesogpu.backends.select import select_backend
from mesogpu.errors import ConfigError, EnvironmentFault, Interrupted
from mesogpu.execute.commits import BlockWriter, Committer
from mesogpu.execute.devices import spread, visible_devices
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
    dashboard: bool = False,
) -> RunRecord:
    """Compute and commit every block of the plan that the writer does not have yet.

    The committed bytes are the same for any number of workers and any span. With one worker all happens in the calling
    process; more are processes of their own, which end with this call, however it ends. Those of the cuda backend each
    see one of this process's GPUs, round robin. A block that ends every worker that tries it is skipped.

    writer       : where results go; called from the calling thread alone
    backend      : name of the engine, as on the command line
    workers      : how many compute at once, at least 1
    listen       : called with every event, from the calling thread
    span_seconds : about how long one task of a worker should take
    stop         : asked before each task; once it says yes, what is in work is committed and the rest is left
    dashboard    : whether dask's dashboard is served; one worker is a process then, too
    raises       : Interrupted on Ctrl-C, what is in hand committed; WorkersLost when workers keep dying; ConfigError
                   for workers or span_seconds out of range; whatever the backend or the writer raises
    """
    engine = select_backend(backend)
    return compute_outstanding(
        plan,
        writer,
        partial(run_backend, engine.name, engine.signature),
        label=engine.name,
        workers=workers,
        listen=listen,
        span_seconds=span_seconds,
        stop=stop,
        devices=visible_devices() if engine.name == "cuda" else (),
        dashboard=dashboard,
    )


def run_backend(name: str, signature: str, blocks: Sequence[Block]) -> Iterable[BlockResult]:
    """Compute blocks with a backend of this process.

    signature : the run's arithmetic
    raises    : EnvironmentFault where this process has another, as on a GPU of another architecture
    """
    return _engine(name, signature).run(blocks)


@cache
def _engine(name: str, signature: str) -> Backend:
    engine = select_backend(name)
    if engine.signature != signature:
        raise EnvironmentFault(
            f"this worker computes as {engine.signature!r}, the run as {signature!r}, and bytes would differ; "
            "leave out the GPUs of the other kind with CUDA_VISIBLE_DEVICES"
        )
    return engine


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
    devices: Sequence[str] = (),
    dashboard: bool = False,
) -> RunRecord:
    """`execute` with anything that computes blocks.

    compute : picklable where workers > 1
    label   : its name, for the events
    devices : GPUs for the workers, as CUDA_VISIBLE_DEVICES names them
    """
    if workers < 1:
        raise ConfigError(f"workers: {workers}, at least 1; leave it out to use every core that this process may use")
    if not span_seconds > 0:
        raise ConfigError(f"span_seconds: {span_seconds!r}, must be positive; 1.0 suits nearly everything")
    start = time.perf_counter()
    tell = listen or _ignore
    committer = Committer(plan, writer, tell)
    done = np.array(writer.done, dtype=bool)
    asked, workers = workers, min(workers, int(done.size - np.count_nonzero(done)))
    tell(Started(committer.total_realizations, committer.done_realizations, workers, label))
    cutter = TaskCutter(plan, done, span_seconds=span_seconds, workers=workers, stop=stop)
    # A block that an earlier run left may be one that ended its workers: not here, where processes were asked for.
    apart = dashboard or workers > 1 or (asked > 1 and bool(done.any()))
    skipped = 0
    try:
        if workers and not apart:
            with InProcess(cutter, compute) as source:
                _commit_all(source, committer)
        elif workers:
            from mesogpu.execute.dask_workers import DaskWorkers

            places = spread(devices, workers)
            with DaskWorkers(cutter, compute, devices=places, listen=tell, dashboard=dashboard) as dask_source:
                _commit_all(dask_source, committer)
            skipped = dask_source.skipped
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: {committer.done_realizations:,} of {committer.total_realizations:,} realizations are "
            "committed; the same command resumes"
        ) from None
    record = committer.record(time.perf_counter() - start, skipped)
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
