"""A plan computed into its results file, with a log of how that went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mesogpu.backends.base import Backend
from mesogpu.execute.events import BlockSkipped, Event, Listener, RunRecord, WorkerLost, WorkerRetired
from mesogpu.execute.run import execute
from mesogpu.plan import Plan
from mesogpu.store import Writer, run_log

_LOGGED = {WorkerLost: "worker lost", WorkerRetired: "worker retired", BlockSkipped: "block skipped"}
"""Events that the run log tells of, and by what name."""


def compute_into(
    path: Path,
    plan: Plan,
    engine: Backend,
    *,
    config_text: str,
    workers: int,
    listen: Listener | None = None,
    stop: Callable[[], bool] = lambda: False,
    grow: bool = False,
    mixed: bool = False,
    dashboard: bool = False,
) -> RunRecord:
    """Compute what a results file does not have yet of a plan; the file is made if it is not there.

    config_text : resolved YAML, stored in a new file
    grow, mixed : as of `store.Writer`
    stop, dashboard : as of `execute`
    raises      : what `store.Writer` and `execute` raise
    """
    with (
        Writer(path, plan, config_text=config_text, signature=engine.signature, grow=grow, mixed=mixed) as writer,
        run_log(path, **_start(plan, writer, engine, workers)) as log,
    ):

        def tell(event: Event) -> None:
            if isinstance(event, WorkerLost | WorkerRetired | BlockSkipped):
                log(event=_LOGGED[type(event)], **asdict(event))
            if listen is not None:
                listen(event)

        record = execute(
            plan, writer, backend=engine.name, workers=workers, listen=tell, stop=stop, dashboard=dashboard
        )
        log(event="finished", **asdict(record))
    return record


def _start(plan: Plan, writer: Writer, engine: Backend, workers: int) -> dict[str, Any]:
    """What the run log tells of a run's start."""
    return {
        "backend": engine.name,
        "signature": engine.signature,
        "workers": workers,
        "machine": engine.machine,
        "config_sha256": plan.experiment.identity(),
        "points": len(plan.points),
        "realizations": plan.realizations,
        "blocks": writer.done.size,
        "blocks_done": int(writer.done.sum()),
    }
