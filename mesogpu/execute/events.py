"""What a run tells whoever listens. Order: Started, then any number of others, then Finished.

All events come from the thread that called `execute`, one at a time. A run that ends in an error or an interruption
sends no Finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What one run did; blocks that were committed before it do not count.

    seconds         : wall time of the whole run, starting and stopping the workers included
    backend_seconds : sum of the backend's own time over all committed blocks
    blocks          : number of blocks committed
    realizations    : number of realizations committed, over all points
    failed_samples  : how many of their samples (one a realization and length) failed their certificate
    skipped         : number of blocks that were left out, because every worker that tried one ended
    """

    seconds: float
    backend_seconds: float
    blocks: int
    realizations: int
    failed_samples: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """The run is about to compute; sent before any worker is started.

    total_realizations : of the whole plan, over all points
    done_realizations  : of these, committed before this run
    workers            : how many will compute: as asked, but no more than blocks are outstanding; 0 where nothing is
    backend            : name of the engine
    """

    total_realizations: int
    done_realizations: int
    workers: int
    backend: str


@dataclass(frozen=True, slots=True)
class Committed:
    """Blocks of one point are durable; a commit that touches several points sends one event for each.

    point             : number of the point
    realizations      : how many of its realizations this commit added
    done_realizations : committed so far, over all points, those from before this run included
    failed            : how many samples of this commit and point failed their certificate
    """

    point: int
    realizations: int
    done_realizations: int
    failed: int


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker process died and another takes its place; its unfinished blocks are computed again.

    worker : position of the worker, from 1
    reason : how it died, such as "killed by SIGKILL"
    """

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerRetired:
    """A position whose workers keep ending gets no further one; others compute its blocks.

    worker   : position, from 1
    device   : its GPU, as CUDA_VISIBLE_DEVICES names it; None for none
    failures : how many of its workers in a row ended without finishing a task
    reason   : how the last one ended
    """

    worker: int
    device: str | None
    failures: int
    reason: str


@dataclass(frozen=True, slots=True)
class BlockSkipped:
    """A block that ended every worker that tried it is left out; nothing is stored for it, and the next run tries it.

    point    : number of the point
    block    : number of the block within its point
    first    : first realization
    count    : number of realizations
    failures : how many workers it cost
    reason   : how the last one ended
    """

    point: int
    block: int
    first: int
    count: int
    failures: int
    reason: str


@dataclass(frozen=True, slots=True)
class DashboardOpened:
    """dask's dashboard can be looked at until the run ends.

    address : URL, on loopback
    """

    address: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Every block is committed or was skipped, and every worker has ended."""

    record: RunRecord


Event = Started | DashboardOpened | Committed | WorkerLost | WorkerRetired | BlockSkipped | Finished

Listener = Callable[[Event], None]
