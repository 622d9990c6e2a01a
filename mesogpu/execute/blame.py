"""Who is to blame for workers that end before their task does: the task, or the position (a GPU) where they run.

A task that fails on one position is tried on another. If it fails there as well, the fault is the task's and counts
against no position; if it does not, the failure stays with the position.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mesogpu.execute.remote import IDLE

TASK_FAILURES = 3
"""A block may cost this many workers; one more, and it is left out."""

POSITION_FAILURES = 5
"""A position is given up when so many of its workers in a row have ended without finishing a task."""


class Blame:
    """Failures of tasks and of positions, both by number."""

    def __init__(self) -> None:
        self._of_task: dict[int, list[int]] = {}
        self._of_position: dict[int, list[int]] = {}

    def worker_ended(self, position: int, task: int, *, finished: int) -> None:
        """Note that a worker ended.

        task     : what it worked at, IDLE for none
        finished : how many tasks it had finished
        """
        failures = self._of_position.setdefault(position, [])
        if finished:
            failures.clear()
        if task == IDLE:
            failures.append(IDLE)
            return
        tried = self._of_task.setdefault(task, [])
        tried.append(position)
        if len(set(tried)) == 1:
            # The same task again says nothing new of the position.
            failures += [task] * (task not in failures)
            return
        for others in self._of_position.values():
            if task in others:
                others.remove(task)

    def forget(self, task: int) -> None:
        """A task was finished, or given up."""
        self._of_task.pop(task, None)

    def failures(self, position: int) -> int:
        """How many workers of a position have ended in a row, each with another task or none, and none finished."""
        return len(self._of_position.get(position, ()))

    def position_is_spent(self, position: int) -> bool:
        """Whether a position is to be given up."""
        return self.failures(position) >= POSITION_FAILURES

    def attempts(self, task: int) -> int:
        """How many workers a task has cost."""
        return len(self._of_task.get(task, ()))

    def task_is_spent(self, task: int) -> bool:
        """Whether a task is to be given up."""
        return self.attempts(task) > TASK_FAILURES

    def elsewhere(self, task: int, positions: Iterable[int], busy: Collection[int]) -> int:
        """Where to try a task again: where it failed least often so far, and of those where least is waiting.

        positions : at least one
        busy      : a position for each task that waits for it
        """
        tried, waiting = self._of_task.get(task, []), list(busy)
        return min(positions, key=lambda position: (tried.count(position), waiting.count(position)))
