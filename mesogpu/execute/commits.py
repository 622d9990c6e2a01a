"""Committing results in groups: the only place that writes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesogpu.execute.events import Committed, Listener, RunRecord
from mesogpu.execute.interruption import interruption_deferred
from mesogpu.execute.tasks import result_bytes
from mesogpu.plan import BlockResult, Plan, Status

GROUP_SECONDS = 1.0
GROUP_BYTES = 2 * 2**20
"""A commit costs a disk flush: at most one a second, unless this much is waiting."""

_FAILED = [int(status) for status in Status if status.failed]


class BlockWriter(Protocol):
    """What a run needs of the results file.

    done : (points, blocks) bool, blocks that are committed
    """

    @property
    def done(self) -> NDArray[np.bool_]: ...

    def commit(self, results: Sequence[BlockResult]) -> None:
        """Make results durable before returning."""


class Committer:
    """Collects results and commits them in groups, keeping count.

    clock : seconds, increasing
    """

    def __init__(
        self, plan: Plan, writer: BlockWriter, listen: Listener, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer = writer
        self._listen = listen
        self._clock = clock
        self._waiting: list[BlockResult] = []
        self._waiting_bytes = 0
        self._last_commit = -np.inf
        self._broken = False
        done = np.asarray(writer.done, dtype=bool)
        counts = np.full(plan.blocks_per_point, plan.block_size)
        counts[-1] = plan.realizations - (plan.blocks_per_point - 1) * plan.block_size
        self.total_realizations = plan.realizations * len(plan.points)
        self.done_realizations = int(done.sum(axis=0) @ counts)
        self._blocks = self._realizations = self._failed = 0
        self._backend_seconds = 0.0

    def add(self, results: Iterable[BlockResult]) -> None:
        """Take results in hand; they are safe only after a commit."""
        for result in results:
            self._waiting.append(result)
            self._waiting_bytes += result_bytes(result)

    def commit_if_due(self) -> None:
        """Commit if the last commit was long enough ago, or much is waiting."""
        if self._waiting_bytes >= GROUP_BYTES or self._clock() - self._last_commit >= GROUP_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Make all results in hand durable, then tell so.

        After a commit that failed it does nothing: what failed was reported, and the file must not be touched again.
        """
        if not self._waiting or self._broken:
            return
        group, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._broken = True
        # Ctrl-C between the writer's steps would leave the group neither in hand nor acknowledged.
        with interruption_deferred():
            self._writer.commit(group)
            self._broken = False
            self._last_commit = self._clock()
            events = self._count(group)
        for event in events:
            self._listen(event)

    def record(self, seconds: float, skipped: int = 0) -> RunRecord:
        """What was committed through this object.

        seconds : wall time of the run
        skipped : blocks that were left out
        """
        return RunRecord(seconds, self._backend_seconds, self._blocks, self._realizations, self._failed, skipped)

    def _count(self, group: Sequence[BlockResult]) -> list[Committed]:
        realizations: Counter[int] = Counter()
        failed: Counter[int] = Counter()
        for result in group:
            realizations[result.point] += result.count
            failed[result.point] += int(np.isin(result.arrays["status"], _FAILED).sum())
            self._backend_seconds += result.seconds
        self._blocks += len(group)
        self._failed += failed.total()
        self._realizations += realizations.total()
        events = []
        for point, count in sorted(realizations.items()):
            self.done_realizations += count
            events.append(Committed(point, count, self.done_realizations, failed[point]))
        return events
