"""The stages of the pipeline tied together, for scripts and for the command line; no logic of its own."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis import analyze
from mesogpu.backends.base import Backend
from mesogpu.backends.select import select_backend
from mesogpu.config.experiment import Experiment
from mesogpu.config.load import dump_yaml, load_experiment
from mesogpu.errors import ConfigError
from mesogpu.execute import Event, default_workers, execute
from mesogpu.plan.limits import check_disk, check_memory
from mesogpu.plan.plan import Plan, make_plan
from mesogpu.plan.points import count_points, points
from mesogpu.report import plot_results
from mesogpu.store import Writer, append_log, file_bytes, open_results

if TYPE_CHECKING:
    import xarray

Source = Experiment | str | os.PathLike[str] | Mapping[str, Any]
"""An experiment, the path of its YAML file, or its YAML as a dict."""

__all__ = ["analyze", "load_experiment", "open_results", "plot", "results_path", "run", "sample_onsite"]

_REALIZATIONS = 2**32
_WORKERS = 4096


def run(
    experiment: Source,
    path: str | os.PathLike[str] | None = None,
    *,
    backend: str = "auto",
    workers: int | None = None,
    listen: Callable[[Event], None] | None = None,
    overrides: Sequence[str] = (),
) -> Path:
    """Compute an experiment into a results file, or go on with the one that is there.

    experiment : what to compute: resolved, a path, or a dict
    path       : results file; NAME.h5 in the current folder if None
    backend    : "auto", "cuda", "native" or "numpy"
    workers    : processes; 1 computes in this one; None takes the cores that this process may use, or 1 for a GPU
    listen     : called with each event of the run, in this process
    overrides  : "key.path=value" each, applied to the experiment
    returns    : the results file
    raises     : ConfigError, PhysicsError, PlanError before any work; StoreError for a file of another experiment;
                 EnvironmentFault for what the machine refuses; Interrupted on Ctrl-C, everything committed being kept
    """
    resolved = _resolve(experiment, overrides)
    plan = make_plan(resolved)
    out = results_path(resolved, path)
    engine = select_backend(backend)
    count = _worker_count(engine, workers)
    check_limits(plan, out, count)
    with Writer(out, plan, config_text=dump_yaml(resolved), signature=engine.signature) as writer:
        append_log(out, event="started", backend=engine.name, workers=count)
        record = execute(plan, writer, backend=engine.name, workers=count, listen=listen)
        append_log(out, event="finished", **asdict(record))
    return out


def _worker_count(engine: Backend, workers: int | None) -> int:
    if workers is None:
        return 1 if engine.name == "cuda" else default_workers()
    return _in_range("workers", workers, 1, _WORKERS)


def results_path(experiment: Experiment, path: str | os.PathLike[str] | None = None) -> Path:
    """Where the results go: the path as given, or NAME.h5 in the current folder."""
    return Path(f"{experiment.name}.h5" if path is None else path)


def check_limits(plan: Plan, out: Path, workers: int) -> None:
    """Refuse a plan that does not fit into memory or on the disk of its results file; see `plan.limits`."""
    check_memory(plan, workers)
    check_disk(file_bytes(plan), out)


def sample_onsite(experiment: Source, realization: int, point: int = 0) -> NDArray[np.float64]:
    """Onsite potential of one realization: what every backend uses.

    realization : from 0 to 2^32 - 1; also one beyond `realizations`, which is what a longer run would use
    point       : number of the sweep point
    returns     : (length, width) float64, units of t; the longest length, of which shorter ones are the beginning
    raises      : ConfigError for a realization or point out of range
    """
    resolved = _resolve(experiment, ())
    number = _in_range("realization", realization, 0, _REALIZATIONS - 1)
    place = next(islice(points(resolved), _in_range("point", point, 0, count_points(resolved) - 1), None))
    slices = np.arange(place.lengths[-1])
    system, seed = place.system, place.seed
    potential: NDArray[np.float64] = system.onsite(
        seed=seed, realizations=[number], slices=slices, point=place.stream_point
    )[0]
    return potential


def plot(results: xarray.Dataset | str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Draw the figure of a results file.

    results : what `open_results` returned, or the path of the file
    path    : the figure: .png, .pdf or .svg
    raises  : StoreError for a file that is not ours; EnvironmentFault where the figure cannot be written
    """
    dataset = open_results(results) if isinstance(results, str | os.PathLike) else results
    plot_results(dataset, analyze(dataset), Path(path))


def _resolve(experiment: Source, overrides: Sequence[str]) -> Experiment:
    if isinstance(experiment, Experiment):
        return load_experiment(experiment.document(), overrides) if overrides else experiment
    return load_experiment(experiment, overrides)


def _in_range(name: str, value: int, first: int, last: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ConfigError(f"{name}: {value!r} is not an integer; give one from {first} to {last}") from None
    if not first <= number <= last:
        raise ConfigError(f"{name}: {value!r} is out of range; give one from {first} to {last}")
    return number
