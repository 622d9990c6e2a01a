"""Cutting outstanding blocks into tasks: large enough to cost nothing, small enough that no worker idles."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesogpu.plan import Block, BlockResult, Plan
from mesogpu.plan.cost import realization_flops

Compute = Callable[[Sequence[Block]], Iterable[BlockResult]]
"""What computes blocks, in their order; it must be picklable, as it travels to the workers."""

TASK_BYTES = 8 * 2**20
"""A task's results travel in one message: bounded, however fast the hardware."""

_SHARE = 2

_CLOCK_SECONDS = 1e-9
"""No block takes less, whatever a coarse clock says."""

_CAUTION = 4.0
"""A point of which nothing is measured yet may be so many times slower than the count of operations says."""


@dataclass(frozen=True, slots=True)
class Task:
    """Consecutive outstanding blocks that one worker computes in one go, of one point or several.

    number : unique within the run, ascending
    blocks : at least one
    """

    number: int
    blocks: tuple[Block, ...]


class TaskCutter:
    """Hands out every outstanding block exactly once, in canonical order, in tasks of about `span_seconds`.

    The span follows the measured time of a point's blocks; for one that is not measured yet, that of another and the
    plan's count of operations, with caution; until anything is measured, tasks are single blocks. It never exceeds a
    share of the blocks left that gives every worker something to do until the end.

    done         : (points, blocks) bool, blocks that need no computing
    span_seconds : how long a task should take
    workers      : how many compute at once
    stop         : asked before each task; once it says yes, no more are handed out
    left         : blocks that are not handed out yet
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
        self.left = int(done.size - np.count_nonzero(done))
        self._blocks = _outstanding(plan, ~done)
        self._ahead = next(self._blocks, None)
        self._flops = (-1, 0.0)
        self._measured = -1
        self._span_seconds = span_seconds
        self._workers = workers
        self._stop = stop
        self._seconds_per_flop: float | None = None
        self._bytes_per_realization = 0.0
        self._numbers = itertools.count()

    def next(self) -> Task | None:
        """The next task, None when all are handed out or the run is to stop."""
        if self._stop():
            return None
        blocks: list[Block] = []
        seconds, size, share = 0.0, 0.0, -(-self.left // (_SHARE * self._workers))
        while (block := self._ahead) is not None:
            seconds += self._seconds(block)
            size += block.count * self._bytes_per_realization
            full = seconds > self._span_seconds or size > TASK_BYTES or len(blocks) >= share
            if blocks and (full or self._seconds_per_flop is None):
                break
            blocks.append(block)
            self._ahead = next(self._blocks, None)
        self.left -= len(blocks)
        return self._task(blocks) if blocks else None

    @property
    def stopping(self) -> bool:
        """Whether no more tasks are handed out, although some may be left."""
        return self._stop()

    def parts(self, task: Task) -> list[Task]:
        """The blocks of a task as tasks of their own."""
        return [self._task([block]) for block in task.blocks]

    def measured(self, results: Sequence[BlockResult]) -> None:
        """Learn from the finished blocks of a task how long others will take, and how large they are."""
        if results[-1].point < self._measured:
            return
        self._measured = results[-1].point
        flops = sum(result.count * self._flops_at(result.point) for result in results)
        count = sum(result.count for result in results)
        self._seconds_per_flop = sum(max(result.seconds, _CLOCK_SECONDS) for result in results) / flops
        self._bytes_per_realization = sum(map(result_bytes, results)) / count

    def _task(self, blocks: Sequence[Block]) -> Task:
        return Task(next(self._numbers), tuple(blocks))

    def _seconds(self, block: Block) -> float:
        caution = 1.0 if block.point.index <= self._measured else _CAUTION
        return block.count * self._flops_at(block.point.index) * (self._seconds_per_flop or 0.0) * caution

    def _flops_at(self, point: int) -> float:
        if point != self._flops[0]:
            self._flops = point, realization_flops(self._plan.points[point])
        return self._flops[1]


def describe(block: Block) -> str:
    """Which block it is, in words."""
    values = ", ".join(f"{path} = {value!r}" for path, value in block.point.parameters)
    return f"block {block.index} of point {block.point.index}{f' ({values})' if values else ''}"


def result_bytes(result: BlockResult) -> int:
    """Size of a result's arrays in bytes."""
    return sum(array.nbytes for array in result.arrays.values()) + result.audit.nbytes


def _outstanding(plan: Plan, outstanding: NDArray[np.bool_]) -> Iterator[Block]:
    """Blocks in canonical order; `outstanding` as it was at the start."""
    for point, row in enumerate(outstanding):
        for index in np.flatnonzero(row).tolist():
            yield plan.block(point, index)
