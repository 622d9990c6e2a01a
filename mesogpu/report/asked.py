"""What a results file was asked for: the sweep as a table, and the rest in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesogpu.config.experiment import Experiment
from mesogpu.report.numbers import plain
from mesogpu.report.tabular import Table

if TYPE_CHECKING:
    import xarray

MOST_VALUES = 24
"""Swept values that are listed one by one."""

Facts = list[tuple[str, str]]
"""Terms with what they are."""


def asked_facts(results: xarray.Dataset, experiment: Experiment | None) -> Facts:
    """What was to be computed, and how much of it."""
    sizes = results.sizes
    of_bars = results.attrs.get("method") == "lyapunov"
    facts = [("method", str(results.attrs.get("method", "transmission"))), ("points", f"{sizes['point']:,}")]
    if experiment is not None and not of_bars:
        facts.append(("lengths", ", ".join(f"{length:,}" for length in experiment.model.slices) + " slices"))
    if experiment is not None and experiment.bars:
        facts.append(("bars", f"{experiment.bars.slices:,} slices after a warm-up of {experiment.bars.warmup:,}"))
    facts.append(("bars a point" if of_bars else "realizations a point", f"{sizes['realization']:,}"))
    if experiment is not None:
        facts += [("randomness", RANDOMNESS[experiment.randomness]), ("seed", str(experiment.seed))]
    return facts


RANDOMNESS = {
    "common": "common: all points use the same realizations, which makes them correlated and their differences sharp",
    "independent": "independent: each point has realizations of its own",
}


def sweep_table(results: xarray.Dataset, experiment: Experiment) -> Table | None:
    """One row per swept parameter: its path, unit and values; None where nothing is swept."""
    if not experiment.sweep:
        return None
    rows = []
    for number, axis in enumerate(experiment.sweep, start=1):
        for column, path in enumerate(axis.paths):
            values = [row[column] for row in axis.values]
            rows.append((str(number), path, _unit(results, path), f"{len(values):,}", _listed(values)))
    coupled = any(len(axis.paths) > 1 for axis in experiment.sweep)
    notes = ["axes are crossed: every value of one with every value of the others"] if len(experiment.sweep) > 1 else []
    notes += ["parameters of one axis vary together"] if coupled else []
    return Table(
        title="The sweep", columns=("axis", "parameter", "unit", "number", "values"), rows=tuple(rows),
        footnotes=tuple(notes), keys=2,
    )  # fmt: skip


def _unit(results: xarray.Dataset, path: str) -> str:
    """The unit that the file gives the parameter, under its last name or its full path."""
    for name in (path, path.rpartition(".")[2]):
        if name in results.coords:
            unit = str(results.coords[name].attrs.get("units", ""))
            return "" if unit == "1" else unit
    return ""


def _listed(values: list[float]) -> str:
    if len(values) <= MOST_VALUES:
        return ", ".join(map(plain, values))
    return ", ".join([*map(plain, values[:3]), "...", *map(plain, values[-2:])])
