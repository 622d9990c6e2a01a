"""Cutting outstanding blocks into tasks: large enough to cost nothing, small enough that no worker idles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesogpu.plan import Block, BlockResult, Plan

Compute = Callable[[Sequence[Block]], Iterable[BlockResult]]
"""What computes blocks, in their order; it must be picklable, as it travels to the workers."""

TASK_BYTES = 32 * 2**20
"""A task's results travel in one message: bounded, however fast the hardware."""

_SHARE = 2


@dataclass(frozen=True, slots=True)
class Task:
    """Consecutive blocks of one point that one worker computes in one go.

    number : unique within the run, ascending
    blocks : at least one
    """

    number: int
    blocks: tuple[Block, ...]

    def describe(self) -> str:
        """Which blocks, in words."""
        first, last = self.blocks[0], self.blocks[-1]
        which = f"block {first.index}" if first is last else f"blocks {first.index} to {last.index}"
        values = ", ".join(f"{path} = {value!r}" for path, value in first.point.parameters)
        return f"{which} of point {first.point.index}{f' ({values})' if values else ''}"


class TaskCutter:
    """Hands out every outstanding block exactly once, in canonical order, in tasks of about `span_seconds`.

    The span follows the measured time of each point's blocks; until one is measured, tasks are single blocks. It never
    exceeds a share of the blocks left that gives every worker something to do until the end.

    done         : (points, blocks) bool, blocks that need no computing
    span_seconds : how long a task should take
    workers      : how many compute at once
    stop         : asked before each task; once it says yes, no more are handed out
    """

    def __init__(
        self,
        plan: Plan,
        done: NDArray[np.bool_],
        *,
        span_seconds: float,
        workers: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._plan = plan
        self._runs = _outstanding_runs(done)
        self._run: list[int] = []
        self._point = -1
        self._left = int(done.size - np.count_nonzero(done))
        self._span_seconds = span_seconds
        self._workers = workers
        self._stop = stop
        self._measured: dict[int, tuple[float, int]] = {}
        self._number = 0

    def next(self) -> Task | None:
        """The next task, None when all are handed out or the run is to stop."""
        if self._stop():
            return None
        if not self._run:
            found = next(self._runs, None)
            if found is None:
                return None
            self._point, self._run = found
        span = min(self._span(), len(self._run))
        indices, self._run = self._run[:span], self._run[span:]
        self._left -= span
        task = Task(self._number, tuple(self._plan.block(self._point, index) for index in indices))
        self._number += 1
        return task

    def measured(self, results: Sequence[BlockResult]) -> None:
        """Learn from finished blocks how long those of their points take, and how large they are."""
        for result in results:
            self._measured[result.point] = (result.seconds, result_bytes(result))

    def _span(self) -> int:
        if self._point not in self._measured:
            return 1
        seconds, size = self._measured[self._point]
        wanted = self._span_seconds / max(seconds, 1e-9)
        allowed = TASK_BYTES / max(size, 1)
        share = -(-self._left // (_SHARE * self._workers))
        return max(1, int(min(wanted, allowed, share)))


def result_bytes(result: BlockResult) -> int:
    """Size of a result's arrays in bytes."""
    return sum(array.nbytes for array in result.arrays.values()) + result.audit.nbytes


def _outstanding_runs(done: NDArray[np.bool_]) -> Iterator[tuple[int, list[int]]]:
    """(point, consecutive outstanding blocks), in canonical order; `done` as it was at the start."""
    outstanding = ~done
    for point, row in enumerate(outstanding):
        indices = np.flatnonzero(row)
        if indices.size:
            for run in np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1):
                yield point, run.tolist()
