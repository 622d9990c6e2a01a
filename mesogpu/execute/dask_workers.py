"""Several workers: processes of this machine, handed their tasks by dask's scheduler."""

from __future__ import annotations

import concurrent.futures
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from mesogpu.errors import WorkersLost
from mesogpu.execute.events import Listener, WorkerLost
from mesogpu.execute.interruption import interruption_deferred
from mesogpu.execute.processes import Death, WorkerFleet
from mesogpu.execute.remote import IDLE
from mesogpu.execute.scheduler import SchedulerThread
from mesogpu.execute.tasks import Compute, Task, TaskCutter
from mesogpu.plan import BlockResult

IN_FLIGHT = 3
"""Tasks handed to the scheduler, per worker: one in work, one that waits there, one on its way."""

TASK_DEATHS = 3
"""A task may cost this many workers; one more, and the fault is the task's."""

DEATHS = 10
"""Workers that may die without any task finishing in between (twice the workers, if that is more)."""

_WATCH_SECONDS = 0.2

_log = logging.getLogger("mesogpu")


class DaskWorkers:
    """Computes tasks on worker processes, which live as long as the `with` block."""

    def __init__(self, cutter: TaskCutter, compute: Compute, *, workers: int, listen: Listener) -> None:
        self._cutter = cutter
        self._compute = compute
        self._workers = workers
        self._listen = listen
        self._flying: dict[concurrent.futures.Future[list[BlockResult]], Task] = {}
        self._task_deaths: Counter[int] = Counter()
        self._deaths = 0

    def __enter__(self) -> Self:
        self._fleet = WorkerFleet(self._workers)
        try:
            self._scheduler = SchedulerThread()
            self._fleet.introduce(self._scheduler.contact())
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with interruption_deferred():
            self._fleet.end()
            if hasattr(self, "_scheduler"):
                self._scheduler.close()

    def results(self) -> Iterator[Sequence[BlockResult]]:
        """Results of finished tasks, in any order; none now and then, so that the caller can look at its clock.

        raises : WorkersLost when worker processes keep dying; whatever a block raises, as it was raised
        """
        self._fill()
        while self._flying:
            landed, _ = concurrent.futures.wait(
                self._flying, timeout=_WATCH_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED
            )
            self._fleet.replace_dead(self._mourn)
            for future in landed:
                results = future.result()
                del self._flying[future]
                self._deaths = 0
                self._cutter.measured(results)
                self._fill()
                yield results
            if not landed:
                yield ()

    def finished(self) -> Sequence[BlockResult]:
        """What is done but was not handed over, when the caller stops early."""
        done = [future for future in self._flying if future.done()]
        for future in done:
            del self._flying[future]
        return [
            result
            for future in done
            if not future.cancelled() and future.exception() is None
            for result in future.result()
        ]

    def _fill(self) -> None:
        while len(self._flying) < IN_FLIGHT * self._workers and (task := self._cutter.next()) is not None:
            self._flying[self._scheduler.submit(task, self._compute)] = task

    def _mourn(self, death: Death) -> None:
        """Note a death; give up when there are too many."""
        _log.info("worker %d: %s\n%s", death.worker, death.reason, death.output)
        self._listen(WorkerLost(death.worker, death.reason))
        self._deaths += 1
        if death.task != IDLE:
            self._task_deaths[death.task] += 1
        of_task, most = self._task_deaths[death.task], max(DEATHS, 2 * self._workers)
        if of_task > TASK_DEATHS:
            named = [task.describe() for task in self._flying.values() if task.number == death.task]
            what = f"{', '.join(named)} ended {of_task} worker processes, at most {TASK_DEATHS} are allowed"
        elif self._deaths > most:
            what = (
                f"{self._deaths} worker processes died and no block was finished meanwhile, at most {most} are allowed"
            )
        else:
            return
        raise WorkersLost(
            f"workers: {what}; the last one: {death.reason}; if memory ran out, use fewer workers; "
            "everything committed is kept, and the same command resumes"
        )
