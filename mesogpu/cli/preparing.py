"""`mesogpu plan`, `validate` and `schema`: everything that computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesogpu.cli.options import (
    backend_option,
    config_argument,
    json_option,
    overrides_option,
    verbosity,
    workers_option,
)
from mesogpu.cli.quantities import counted, ensemble, human_bytes, human_operations, human_rate, human_seconds
from mesogpu.cli.render import Sheet, emit, emit_json, emit_sheet

if TYPE_CHECKING:
    from mesogpu.backends.base import Backend
    from mesogpu.plan import Plan


@click.command()
@config_argument
@json_option
@backend_option
@workers_option
@overrides_option
@verbosity
def plan(config: Path, as_json: bool, backend: str, workers: int | None, overrides: tuple[str, ...]) -> None:
    """What CONFIG would cost in time, memory and disk.

    Computes nothing; exits with 5 for what does not fit into memory or on the disk of the current folder.
    """
    from mesogpu.config.load import load_experiment
    from mesogpu.plan import make_plan

    made = make_plan(load_experiment(config, overrides))
    from mesogpu import api
    from mesogpu.backends.select import select_backend
    from mesogpu.execute import usual_workers

    engine = select_backend(backend)
    count = usual_workers(engine.name) if workers is None else workers
    costs = _costs(made, count, engine)
    if as_json:
        emit_json(costs)
    else:
        emit_sheet(_cost_sheet(made, costs))
    api.check_limits(made, api.results_path(made.experiment), count)


@click.command()
@config_argument
@overrides_option
@verbosity
def validate(config: Path, overrides: tuple[str, ...]) -> None:
    """Say OK, or everything that is wrong with CONFIG."""
    from mesogpu.config.load import load_experiment
    from mesogpu.config.notes import notes
    from mesogpu.plan import make_plan

    experiment = make_plan(load_experiment(config, overrides)).experiment
    emit("\n".join([f"OK: {ensemble(experiment)}", *notes(experiment)]))


@click.command()
@verbosity
def schema() -> None:
    """The JSON Schema of CONFIG, for editors."""
    from mesogpu.config.schema import json_schema

    emit_json(json_schema())


def _costs(made: Plan, workers: int, engine: Backend) -> dict[str, Any]:
    from mesogpu.backends.pace import seconds_of_plan
    from mesogpu.config.notes import notes
    from mesogpu.plan.limits import run_memory
    from mesogpu.store import file_bytes

    pace, seconds = seconds_of_plan(engine, made)
    return {
        "name": made.experiment.name,
        "points": len(made.points),
        "lengths": made.lengths,
        "realizations": made.realizations,
        "channels": list(made.channels),
        "block_size": made.block_size,
        "blocks": len(made.points) * made.blocks_per_point,
        "flops": made.flops,
        "memory_bytes": run_memory(made, workers),
        "disk_bytes": file_bytes(made),
        "workers": workers,
        "time_estimate": {
            "seconds": seconds / workers,
            "backend": engine.name,
            "seconds_per_realization_of_longest_point": pace,
        },
        "notes": notes(made.experiment),
    }


def _cost_sheet(made: Plan, costs: dict[str, Any]) -> Sheet:
    workers = counted(costs["workers"], "worker")
    estimate = costs["time_estimate"]
    pace = human_rate(1.0 / estimate["seconds_per_realization_of_longest_point"])
    rows = [
        ("points", f"{len(made.points):,}"),
        *_sample_rows(made),
        ("blocks", f"{costs['blocks']:,} of {counted(min(made.block_size, made.realizations), 'realization')}"),
        ("work", human_operations(made.flops)),
        ("memory", f"{human_bytes(costs['memory_bytes'])} with {workers}"),
        ("disk", human_bytes(costs["disk_bytes"])),
        ("time", f"about {human_seconds(estimate['seconds'])}" if estimate["seconds"] >= 1 else "below 1 s"),
    ]
    note = (
        f"The time is an estimate for the {estimate['backend']} backend: {pace} a worker at the largest point, from a "
        f"trial just now, by {workers}."
    )
    return Sheet(made.experiment.name, ("", ""), rows, (note, *costs["notes"]), left=2)


def _sample_rows(made: Plan) -> list[tuple[str, str]]:
    """What one realization is, and how many there are."""
    channels = _range(made.channels)
    if made.experiment.bars:
        slices = _range([point.lengths[-1] for point in made.points])
        warmups = _range([point.slices - point.lengths[-1] for point in made.points])
        return [
            ("bars", f"{made.realizations:,} a point"),
            ("slices", f"{slices} a bar, after a warm-up of {warmups}"),
            ("exponents", f"{channels} stored of each bar"),
        ]
    return [
        ("lengths", f"{made.lengths:,} on one pass"),
        ("realizations", f"{made.realizations:,} a point"),
        ("channels", channels),
    ]


def _range(counts: Sequence[int]) -> str:
    fewest, most = min(counts), max(counts)
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
