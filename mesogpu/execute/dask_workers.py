"""Several workers: processes of this machine, handed their tasks by dask's scheduler."""

from __future__ import annotations

import concurrent.futures
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from mesogpu.errors import WorkersLost
from mesogpu.execute.blame import Blame
from mesogpu.execute.events import BlockSkipped, DashboardOpened, Listener, WorkerLost, WorkerRetired
from mesogpu.execute.interruption import interruption_deferred
from mesogpu.execute.processes import Death, WorkerFleet
from mesogpu.execute.scheduler import SchedulerThread
from mesogpu.execute.tasks import Compute, Task, TaskCutter, describe
from mesogpu.plan import BlockResult

IN_FLIGHT = 3
"""Tasks handed to the scheduler, per worker: one in work, one that waits there, one on its way."""

MOST_SKIPPED = 10
MOST_SKIPPED_FRACTION = 0.01
"""Blocks, of those to compute, that may be left out: beyond the larger of both, the fault is the machine's."""

_WATCH_SECONDS = 0.2
_KEPT = "everything committed is kept, and the same command resumes"

_log = logging.getLogger("mesogpu")


class _Flight(NamedTuple):
    """A task in the scheduler's hands, and the position that it is tied to, if any."""

    task: Task
    position: int | None


class DaskWorkers:
    """Computes tasks on worker processes, which live as long as the `with` block.

    devices   : the GPU of each worker, None for none
    dashboard : whether dask's dashboard is served
    """

    def __init__(
        self,
        cutter: TaskCutter,
        compute: Compute,
        *,
        devices: Sequence[str | None],
        listen: Listener,
        dashboard: bool = False,
    ) -> None:
        self._cutter = cutter
        self._compute = compute
        self._devices = devices
        self._listen = listen
        self._dashboard = dashboard
        self._flying: dict[concurrent.futures.Future[list[BlockResult]], _Flight] = {}
        self._parts: deque[Task] = deque()
        self._blame = Blame()
        self._most_skipped = max(MOST_SKIPPED, int(MOST_SKIPPED_FRACTION * cutter.left))
        self.skipped = 0

    def __enter__(self) -> Self:
        self._fleet = WorkerFleet(self._devices)
        try:
            self._scheduler = SchedulerThread(dashboard=self._dashboard)
            self._fleet.introduce(self._scheduler.contact())
            if self._dashboard:
                self._listen(DashboardOpened(self._scheduler.dashboard()))
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

        raises : WorkersLost when every position is retired, or too many blocks are skipped; whatever else a block
                 raises, as it was raised
        """
        self._fill()
        while self._flying:
            landed, _ = concurrent.futures.wait(
                self._flying, timeout=_WATCH_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for death in self._fleet.deaths():
                self._mourn(death)
            for future in landed:
                results = future.result()
                self._blame.forget(self._flying.pop(future).task.number)
                self._cutter.measured(results)
                self._fill()
                yield results
            if self._cutter.stopping:
                self._drop_what_waits()
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

    def _drop_what_waits(self) -> None:
        """Leave the tasks that no worker is at: time is short."""
        self._parts.clear()
        in_work = self._fleet.in_work
        for future, (task, _) in list(self._flying.items()):
            if not future.done() and task.number not in in_work:
                future.cancel()
                del self._flying[future]

    def _fill(self) -> None:
        while len(self._flying) < IN_FLIGHT * len(self._fleet.names):
            task = self._parts.popleft() if self._parts else self._cutter.next()
            if task is None:
                return
            self._launch(task)

    def _launch(self, task: Task, position: int | None = None) -> None:
        worker = None if position is None else self._fleet.names[position]
        self._flying[self._scheduler.submit(task, self._compute, worker)] = _Flight(task, position)

    def _mourn(self, death: Death) -> None:
        """Note a death, fill the gap or give the position up, and see to the tasks that it concerns.

        dask itself moves all tasks that the worker had at once: those that only waited there need nothing else.
        """
        _log.info("worker %d: %s\n%s", death.worker, death.reason, death.output)
        self._listen(WorkerLost(death.worker, death.reason))
        self._blame.worker_ended(death.worker, death.task, finished=death.finished)
        if self._blame.position_is_spent(death.worker):
            self._retire(death)
        else:
            self._fleet.replace(death.worker)
        for future, (task, position) in list(self._flying.items()):
            if death.worker != position and death.task != task.number:
                continue
            if not future.done() and not self._goes_on(task):
                future.cancel()
                del self._flying[future]
                self._try_again(task, death)
        self._fill()

    def _retire(self, death: Death) -> None:
        failures = self._blame.failures(death.worker)
        device = self._fleet.retire(death.worker)
        self._listen(WorkerRetired(death.worker, device, failures, death.reason))
        if not self._fleet.names:
            raise WorkersLost(
                f"workers: each of them died {failures} times in a row and finished nothing; the last one: "
                f"{death.reason}; if memory ran out, use fewer workers; {_KEPT}"
            )

    def _goes_on(self, task: Task) -> bool:
        """Whether a task that cost a worker is better left alone: one block, in work elsewhere already."""
        alone = len(task.blocks) == 1 and not self._blame.task_is_spent(task.number)
        return alone and task.number in self._fleet.in_work

    def _try_again(self, task: Task, death: Death) -> None:
        """A task that cost a worker is cut into its blocks, one of which may be at fault; that one is tried around."""
        if death.task == task.number and len(task.blocks) > 1:
            self._parts.extend(self._cutter.parts(task))
        elif self._blame.task_is_spent(task.number):
            self._skip(task, death)
        else:
            waited_for = [position for _, position in self._flying.values() if position is not None]
            self._launch(task, self._blame.elsewhere(task.number, self._fleet.names, waited_for))

    def _skip(self, task: Task, death: Death) -> None:
        attempts = self._blame.attempts(task.number)
        self._blame.forget(task.number)
        self.skipped += 1
        [block] = task.blocks
        where = (block.point.index, block.index, block.first, block.count)
        self._listen(BlockSkipped(*where, attempts, death.reason))
        if self.skipped > self._most_skipped:
            raise WorkersLost(
                f"workers: {describe(block)} is number {self.skipped} to end {attempts} worker processes, "
                f"at most {self._most_skipped} are left out before the fault is sought in this machine; the last one: "
                f"{death.reason}; if memory ran out, use fewer workers; {_KEPT}"
            )
