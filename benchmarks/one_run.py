"""One ensemble through the public API, timed from inside: a process of its own for each line of `ensemble.py`.

    python -m benchmarks.one_run CONFIG OUT.h5 BACKEND WORKERS [path=value ...]

Prints one JSON object: wall seconds of `mesogpu.run`, the backend's own, those that this process spent in the results
file (creation, commits, closing), realizations.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import mesogpu
from mesogpu.execute import Event, Finished
from mesogpu.store import Writer


def main() -> None:
    """Run what the command line asks for."""
    config, out, backend, workers, *overrides = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(workers) :])
    stored = [0.0]
    for name in ("__init__", "commit", "close"):
        setattr(Writer, name, counted(getattr(Writer, name), stored))
    finished: list[Finished] = []

    def listen(event: Event) -> None:
        if isinstance(event, Finished):
            finished.append(event)

    start = time.perf_counter()
    mesogpu.run(config, out, backend=backend, workers=int(workers), listen=listen, overrides=overrides)
    wall = time.perf_counter() - start
    record = finished[0].record
    print(
        json.dumps(
            {
                "wall_seconds": wall,
                "backend_seconds": record.backend_seconds,
                "storage_seconds": stored[0],
                "realizations": record.realizations,
                "failed_samples": record.failed_samples,
            }
        )
    )


def counted(method: Callable[..., Any], total: list[float]) -> Callable[..., Any]:
    """The method, its wall time added to total[0]."""

    @functools.wraps(method)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return method(*arguments, **named)
        finally:
            total[0] += time.perf_counter() - start

    return wrapper


if __name__ == "__main__":
    main()
