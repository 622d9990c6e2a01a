"""What runs inside a worker process, and how the driver learns what a dead worker was at.

Each worker has a ledger: an unlinked file shared with the driver, holding the number of the task in work and how many
were finished. Unlike a message it outlives a SIGKILL, so that a task that kills its workers is told apart from its
neighbours, and a GPU that finishes nothing from one that met such a task.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Sequence

from mesogpu.errors import EnvironmentFault
from mesogpu.execute.tasks import Compute
from mesogpu.plan import Block, BlockResult

IDLE = -1

LOG_LENGTH = "distributed.admin.low-level-log-length"

DASK_SETTINGS = {
    LOG_LENGTH: 10,  # each connection would keep its last 1000 messages, with all blocks that they were about
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

_ENTRY = struct.Struct("<qq")
_ledgers: list[int] = []


def keep_ledger(descriptor: int) -> None:
    """Note from now on in this ledger which task this process works at."""
    _ledgers[:] = [descriptor]
    _note(IDLE, 0)


def read_ledger(descriptor: int) -> tuple[int, int]:
    """Number of the task that the ledger's worker is, or was, working at, IDLE for none; how many it had finished."""
    entry = os.pread(descriptor, _ENTRY.size, 0)
    return _ENTRY.unpack(entry) if len(entry) == _ENTRY.size else (IDLE, 0)


def run_task(number: int, compute: Compute, blocks: Sequence[Block]) -> list[BlockResult]:
    """Compute the blocks of one task in this worker.

    What the machine refuses (a GPU that is lost, memory that is short) ends this process, the reason as its last words:
    hardly a CUDA context survives an error, and the task may find a better place.
    """
    finished = sum(read_ledger(descriptor)[1] for descriptor in _ledgers)
    _note(number, finished)
    try:
        results = list(compute(blocks))
    except (EnvironmentFault, MemoryError) as fault:
        words = str(fault) or "memory ran out"
        sys.stderr.write("\n" + " ".join(words.split()) + "\n")
        sys.stderr.flush()
        os._exit(EnvironmentFault.exit_code)
    _note(IDLE, finished + 1)
    return results


def _note(number: int, finished: int) -> None:
    for descriptor in _ledgers:
        os.pwrite(descriptor, _ENTRY.pack(number, finished), 0)
