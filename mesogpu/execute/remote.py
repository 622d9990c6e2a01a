"""What runs inside a worker process, and how the driver learns what a dead worker was at.

Each worker has a ledger: an unlinked file shared with the driver, holding the number of the task in work. Unlike a
message it outlives a SIGKILL, so that a task that kills its workers is told apart from its neighbours.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

from mesogpu.execute.tasks import Compute
from mesogpu.plan import Block, BlockResult

IDLE = -1

DASK_SETTINGS = {
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.idle-timeout": None,
    "distributed.scheduler.no-workers-timeout": None,
    "distributed.scheduler.preload": [],
    "distributed.scheduler.worker-ttl": None,  # a laptop that slept must not lose its workers
    "distributed.worker.http.routes": [],
    "distributed.worker.lifetime.duration": None,
    "distributed.worker.preload": [],
    "distributed.worker.profile.enabled": False,
}
"""Settings of dask that a run depends on, whatever the user's own dask configuration says."""

_ENTRY = struct.Struct("<q")
_ledgers: list[int] = []


def keep_ledger(descriptor: int) -> None:
    """Note from now on in this ledger which task this process works at."""
    _ledgers[:] = [descriptor]
    _note(IDLE)


def task_in_work(descriptor: int) -> int:
    """Number of the task that the ledger's worker is, or was, working at; IDLE for none."""
    entry = os.pread(descriptor, _ENTRY.size, 0)
    return int(_ENTRY.unpack(entry)[0]) if len(entry) == _ENTRY.size else IDLE


def run_task(number: int, compute: Compute, blocks: Sequence[Block]) -> list[BlockResult]:
    """Compute the blocks of one task in this worker."""
    _note(number)
    results = list(compute(blocks))
    _note(IDLE)
    return results


def _note(number: int) -> None:
    for descriptor in _ledgers:
        os.pwrite(descriptor, _ENTRY.pack(number), 0)
