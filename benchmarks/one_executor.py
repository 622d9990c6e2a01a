"""One line of `executor.py` in a process of its own: a run on so many workers, or the same blocks without an executor.

    python -m benchmarks.one_executor run CASE WORKERS OUT.h5 [--quick]
    python -m benchmarks.one_executor plain CASE SHARE SECONDS [--quick]

`run` prints one JSON object: wall seconds of the run, the backend's own, blocks, and the peak of this process's
resident memory, which holds the scheduler. `plain` computes blocks of its share (0 or 1) for so many seconds and prints
how many realizations it did in a second.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from mesogpu import load_experiment
from mesogpu.backends.select import select_backend
from mesogpu.config.load import dump_yaml
from mesogpu.execute import Finished, execute
from mesogpu.plan import Plan, make_plan
from mesogpu.store import Writer

BACKEND = "native"


@dataclass(frozen=True, slots=True)
class Case:
    """A chain of so many slices: `points` energies with `realizations` each, in blocks of canonical size or smaller."""

    name: str
    slices: int
    points: int
    realizations: int
    block_size: int | None = None

    def plan(self, *, quick: bool) -> Plan:
        """The plan of the case, or of a small part of it."""
        points, realizations = self.points, self.realizations
        if quick and points > 1:
            points //= 50
        elif quick:
            realizations //= 50
        document: dict[str, Any] = {
            "schema": 1,
            "name": self.name,
            "seed": 1,
            "model": {"lattice": "chain", "length": self.slices},
            "disorder": [{"distribution": "uniform", "width": 1.0}],
            "energy": 0.3,
            "realizations": realizations,
        }
        if points > 1:
            document["sweep"] = {"energy": {"linspace": [0.1, 1.9, points]}}
        plan = make_plan(load_experiment(document))
        return plan if self.block_size is None else replace(plan, block_size=self.block_size)


CASES = {
    case.name: case
    for case in (
        Case("one-point", 1000, 1, 1_000_000),
        Case("many-points", 4, 2_500, 400),
        Case("small-blocks", 100, 1, 1_000_000, block_size=32),
    )
}


def main() -> None:
    """Do what the command line asks for."""
    what, name, *rest = [argument for argument in sys.argv[1:] if argument != "--quick"]
    plan = CASES[name].plan(quick="--quick" in sys.argv)
    found = run(plan, int(rest[0]), Path(rest[1])) if what == "run" else plain(plan, int(rest[0]), float(rest[1]))
    print(json.dumps(found))


def run(plan: Plan, workers: int, out: Path) -> dict[str, Any]:
    """The whole plan into a results file."""
    records = []
    signature = select_backend(BACKEND).signature
    with Writer(out, plan, config_text=dump_yaml(plan.experiment), signature=signature) as writer:
        execute(
            plan,
            writer,
            backend=BACKEND,
            workers=workers,
            listen=lambda event: records.append(event.record) if isinstance(event, Finished) else None,
        )
    [record] = records
    return {
        "wall_seconds": record.seconds,
        "backend_seconds": record.backend_seconds,
        "blocks": record.blocks,
        "realizations": record.realizations,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def plain(plan: Plan, share: int, seconds: float) -> dict[str, Any]:
    """Every other block, as long as the time lasts."""
    backend = select_backend(BACKEND)
    blocks = islice(plan.blocks(), share, None, 2)
    list(backend.run(islice(blocks, 1)))
    start, done = time.perf_counter(), 0
    for result in backend.run(blocks):
        done += result.count
        if time.perf_counter() - start > seconds:
            break
    return {"realizations_per_second": done / (time.perf_counter() - start)}


if __name__ == "__main__":
    main()
