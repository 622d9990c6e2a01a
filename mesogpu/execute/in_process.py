"""One worker: the calling process itself, without dask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from threadpoolctl import threadpool_limits

from mesogpu.execute.tasks import Compute, TaskCutter
from mesogpu.plan import BlockResult


class InProcess:
    """Computes every task here, one block after the other."""

    def __init__(self, cutter: TaskCutter, compute: Compute) -> None:
        self._cutter = cutter
        self._compute = compute

    def __enter__(self) -> Self:
        # One BLAS thread, as in a worker process: the number of threads decides the last bits of a product.
        self._limits = threadpool_limits(limits=1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.restore_original_limits()

    def results(self) -> Iterator[Sequence[BlockResult]]:
        """Results as they are done, one block at a time."""
        while (task := self._cutter.next()) is not None:
            for result in self._compute(task.blocks):
                self._cutter.measured([result])
                yield [result]

    def finished(self) -> Sequence[BlockResult]:
        """What is done but was not handed over: nothing."""
        return ()
