"""How a benchmark times: one core, one thread in every library, the shortest and the median of several repeats."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of the same work, done several times.

    minimum, median : s
    repeats         : how many were timed; one more ran before them untimed
    clock           : "process_time": processor time of this process, deaf to what else runs; "perf_counter": wall time
    """

    minimum: float
    median: float
    repeats: int
    clock: str

    def per(self, count: int) -> dict[str, Any]:
        """Microseconds for each of `count` pieces, as JSON."""
        fields = asdict(self)
        for name in ("minimum", "median"):
            fields[name] *= 1e6 / count
        return {"unit": "us per realization", "realizations": count, **fields}


def on_one_core() -> None:
    """Stay on one core, and start this program again with one thread in every library where it has not.

    Libraries read their thread count when they are loaded, and NumPy is loaded long before `main` runs.
    """
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if all(os.environ.get(name) == "1" for name in THREADS):
        return
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def timed(work: Callable[[], Any], repeats: int, clock: Clock = time.process_time) -> Timing:
    """Time `work` after one untimed call, which pays for compilation, caches and first touch."""
    work()
    seconds = []
    for _ in range(repeats):
        start = clock()
        work()
        seconds.append(clock() - start)
    return Timing(min(seconds), statistics.median(seconds), repeats, clock.__name__)


def enough(work: Callable[[int], Any], seconds: float, first: int, most: int, clock: Clock = time.process_time) -> int:
    """How many pieces take about `seconds`: doubled from `first` until they do, at most `most`."""
    count = first
    work(count)
    while count < most:
        start = clock()
        work(count)
        if clock() - start >= 0.7 * seconds:
            break
        count *= 2
    return min(count, most)
