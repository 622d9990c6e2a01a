"""The stages of the pipeline tied together, for scripts and for the command line; no computation of its own."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis import analyze, certificates, compare
from mesogpu.backends.base import Backend
from mesogpu.backends.select import select_backend
from mesogpu.config.experiment import Experiment
from mesogpu.config.load import dump_yaml, load_experiment
from mesogpu.config.profile import load_profile
from mesogpu.errors import ConfigError
from mesogpu.execute import Event, require_dashboard, usual_workers
from mesogpu.execute.into_file import compute_into
from mesogpu.execute.slurm import Request, Submission
from mesogpu.execute.slurm import submit as submit_run
from mesogpu.execute.slurm.sharding import MOST_SHARDS, choose_backend, make_sharding
from mesogpu.physics.lattices import NEXT_Y, NEXT_Z
from mesogpu.physics.slices import Slices
from mesogpu.plan.limits import check_disk, check_memory
from mesogpu.plan.plan import Plan, make_plan
from mesogpu.plan.points import Point, count_points, points
from mesogpu.report import plot_results, report_page, write_page
from mesogpu.store import file_bytes, in_stored_blocks, open_results, pack, read_log

if TYPE_CHECKING:
    import xarray

Source = Experiment | str | os.PathLike[str] | Mapping[str, Any]
"""An experiment, the path of its YAML file, or its YAML as a dict."""

__all__ = [
    "Bonds",
    "analyze",
    "compare",
    "load_experiment",
    "open_results",
    "pack",
    "plot",
    "results_path",
    "run",
    "sample_bonds",
    "sample_onsite",
    "sample_spins",
    "submit",
    "write_report",
]

_Number = TypeVar("_Number", bound=np.generic)

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
    grow: bool = False,
    mixed: bool = False,
    dashboard: bool = False,
) -> Path:
    """Compute an experiment into a results file, or go on with the one that is there.

    experiment : what to compute: resolved, a path, or a dict
    path       : results file; NAME.h5 in the current folder if None
    backend    : "auto", "cuda", "native" or "numpy"
    workers    : processes; 1 computes in this one; None takes one for each core that this process may use, with the
                 cuda backend one for each GPU. With more than GPUs they share them round robin
    listen     : called with each event of the run, in this process
    overrides  : "key.path=value" each, applied to the experiment
    grow       : whether a file with some of the experiment's sweep points takes up the others
    mixed      : whether a file of another arithmetic is gone on with, each block marked by its own
    dashboard  : whether dask's dashboard is served on loopback; an event tells where
    returns    : the results file; incomplete where blocks were skipped, which an event tells of each
    raises     : ConfigError, PhysicsError, PlanError before any work; StoreError for a file of another experiment;
                 EnvironmentFault for what the machine refuses; Interrupted on Ctrl-C, everything committed being kept
    """
    resolved = _resolve(experiment, overrides)
    out = results_path(resolved, path)
    plan = in_stored_blocks(out, make_plan(resolved))
    engine = select_backend(backend)
    count = _worker_count(engine, workers)
    check_limits(plan, out, count)
    if dashboard:
        require_dashboard()
    compute_into(
        out,
        plan,
        engine,
        config_text=dump_yaml(resolved),
        workers=count,
        listen=listen,
        grow=grow,
        mixed=mixed,
        dashboard=dashboard,
    )
    return out


def submit(
    experiment: Source,
    profile: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    shards: int | None = None,
    backend: str = "auto",
    overrides: Sequence[str] = (),
    mixed: bool = False,
    arguments: Sequence[str] = (),
) -> Submission:
    """Submit an experiment to a SLURM cluster, as an array of shards and a merge that waits for them.

    experiment : what to compute: resolved, a path, or a dict
    profile    : path of a profile's YAML file, or its name
    path       : run directory; NAME in the current folder if None
    shards     : tasks of the array, at most; None for as many as the walltime needs
    backend    : "auto", "cuda", "native" or "numpy"; auto is cuda where the profile asks for GPUs
    overrides  : "key.path=value" each, applied to the experiment
    mixed      : whether the shards may compute on machines of different arithmetic
    arguments  : of sbatch, as they stand
    returns    : the run directory and the numbers of the jobs
    raises     : ConfigError, PhysicsError, PlanError before anything is written; StoreError for a directory that is
                 there already; EnvironmentFault where SLURM is missing or refuses
    """
    options = {"shards": shards, "backend": backend, "overrides": overrides, "mixed": mixed, "arguments": arguments}
    return submit_run(prepare(experiment, profile, path, **options))


def prepare(
    experiment: Source, profile: str | os.PathLike[str], path: str | os.PathLike[str] | None = None, **options: Any
) -> Request:
    """Everything that `submit` decides and checks before it writes.

    options : as of `submit`
    raises  : as `submit`
    """
    asked = load_profile(profile)
    resolved = _resolve(experiment, options["overrides"])
    root = Path(resolved.name if path is None else path).absolute()
    plan = make_plan(resolved)
    engine = choose_backend(options["backend"], asked)
    count = None if options["shards"] is None else _in_range("shards", options["shards"], 1, MOST_SHARDS)
    sharding = make_sharding(plan, asked, backend=engine, shards=count)
    # The shards' files together, and the merged one.
    check_disk(2 * file_bytes(plan), root)
    return Request(root, plan, sharding, asked, engine, options["mixed"], tuple(options["arguments"]))


def _worker_count(engine: Backend, workers: int | None) -> int:
    return usual_workers(engine.name) if workers is None else _in_range("workers", workers, 1, _WORKERS)


def results_path(experiment: Experiment, path: str | os.PathLike[str] | None = None) -> Path:
    """Where the results go: the path as given, or NAME.h5 in the current folder."""
    return Path(f"{experiment.name}.h5" if path is None else path)


def check_limits(plan: Plan, out: Path, workers: int) -> None:
    """Refuse a plan that does not fit into memory or on the disk of its results file; see `plan.limits`."""
    check_memory(plan, workers)
    check_disk(file_bytes(plan), out)


class Bonds(NamedTuple):
    """Matrix elements of the bonds of one sample, in units of t: hopping, disorder, field and spin-orbit coupling.

    Without spin each is a number; with spin a (2, 2) matrix in the basis (up, down), in two more axes at the end. Zero
    where the lattice has no bond, or a site is missing.

    x : (length - 1, width) complex128, <x+1,y|H|x,y>; of a bar (length - 1, width, depth), <x+1,y,z|H|x,y,z>
    y : (length, width), <x,y+1|H|x,y>; the last one closes periodic sides
    z : (length, width, depth), <x,y,z+1|H|x,y,z>, of a bar; else None
    """

    x: NDArray[np.complex128]
    y: NDArray[np.complex128]
    z: NDArray[np.complex128] | None


def sample_onsite(experiment: Source, realization: int, point: int = 0) -> NDArray[np.float64]:
    """Onsite potential of one realization: what every backend uses.

    realization : from 0 to 2^32 - 1; also one beyond `realizations`, which is what a longer run would use
    point       : number of the sweep point
    returns     : (length, width) float64, of a bar (length, width, depth), units of t; NaN where a site is missing;
                  the longest length, of which shorter ones are the beginning; of bars all slices, warm-up first
    raises      : ConfigError for a realization or point out of range
    """
    slices = _sample(_point(experiment, point), realization)
    return _by_site(slices, slices.onsite[0])


def sample_bonds(experiment: Source, realization: int, point: int = 0) -> Bonds:
    """Matrix elements of every bond of one realization: what every backend uses.

    realization, point : as in `sample_onsite`
    returns            : of the longest length, of which shorter ones are the beginning; of bars all slices
    raises             : ConfigError for a realization or point out of range
    """
    slices = _sample(_point(experiment, point), realization)
    ahead = np.stack([slices.inter_slice(k)[0] for k in range(len(slices.numbers))])
    # A site that is missing in the next slice ends its bond as well.
    ahead = ahead[:-1] * ~np.isnan(slices.onsite[0, 1:, :, None, None])
    across, up = (np.stack([_inside(slices, k, column) for k in range(len(ahead) + 1)]) for column in (NEXT_Y, NEXT_Z))
    up_or_none = _by_site(slices, up) if slices.lattice.kind == "cubic" else None
    return Bonds(_by_site(slices, ahead), _by_site(slices, across), up_or_none)


def sample_spins(experiment: Source, realization: int, point: int = 0) -> NDArray[np.float64]:
    """Exchange field J n of the classical spins of one realization, H = J n . sigma, summed over the laws.

    realization, point : as in `sample_onsite`
    returns            : (length, width, 3) float64, of a bar (length, width, depth, 3), units of t, along x, y and z;
                         NaN where a site is missing; without the Zeeman field
    raises             : ConfigError for a realization or point out of range, and where the model has no such spins
    """
    place = _point(experiment, point)
    slices = _sample(replace(place, system=replace(place.system, zeeman=None)), realization)
    if slices.field is None or all(law.on != "spins" for law in place.system.laws):
        raise ConfigError("disorder: there are no magnetic impurities; add {on: spins, exchange: J} to the list")
    return _by_site(slices, np.where(np.isnan(slices.onsite[0, :, :, None]), np.nan, slices.field[0]))


def _point(experiment: Source, point: int) -> Point:
    resolved = _resolve(experiment, ())
    return next(islice(points(resolved), _in_range("point", point, 0, count_points(resolved) - 1), None))


def _sample(point: Point, realization: int) -> Slices:
    number = _in_range("realization", realization, 0, _REALIZATIONS - 1)
    numbers = np.arange(point.slices)
    return point.system.slices(seed=point.seed, realizations=[number], slices=numbers, point=point.stream_point)


def _inside(slices: Slices, k: int, column: int) -> NDArray[np.complex128]:
    """Bonds from each site of the k-th slice to a neighbour in it, (M, s, s); zero where there is none."""
    sites, spins = slices.lattice.sites, slices.spins
    hamiltonian = slices.intra_slice(k)[0].reshape(sites, spins, sites, spins)
    neighbour = slices.lattice.neighbours(int(slices.numbers[k]))[:, column]
    bonds = hamiltonian[neighbour, :, np.arange(sites), :]
    return np.where(neighbour[:, None, None] >= 0, bonds, 0.0)


def _by_site(slices: Slices, values: NDArray[_Number]) -> NDArray[_Number]:
    """(X, M, ...) to (X, width, ...), of a bar to (X, width, depth, ...); blocks of one number become numbers."""
    lattice = slices.lattice
    across = (lattice.width, lattice.depth) if lattice.kind == "cubic" else (lattice.width,)
    inner = () if values.shape[2:] == (1, 1) else values.shape[2:]
    return values.reshape(len(values), *across, *inner)


def plot(
    results: xarray.Dataset | str | os.PathLike[str], path: str | os.PathLike[str], *, analysis: str | None = None
) -> None:
    """Draw the figure of a results file.

    results  : what `open_results` returned, or the path of the file
    path     : the figure: .png, .pdf or .svg
    analysis : the figure of this analysis, by the name that `mesogpu plot --list` gives it
    raises   : StoreError for a file that is not ours; ConfigError for an analysis that it does not have;
               EnvironmentFault where the figure cannot be written
    """
    dataset = open_results(results) if isinstance(results, str | os.PathLike) else results
    plot_results(dataset, analyze(dataset), Path(path), analysis=analysis)


def write_report(results: xarray.Dataset | str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a results file: one HTML page with results, certificates, how they came about, and a CSV.

    results : what `open_results` returned, or the path of the file
    path    : the page; NAME.html beside NAME.h5 if None
    returns : the page
    raises  : StoreError for a file that is not ours; EnvironmentFault where the page cannot be written
    """
    dataset = open_results(results) if isinstance(results, str | os.PathLike) else results
    source = Path(dataset.encoding.get("source", "results.h5"))
    page = source.with_suffix(".html") if path is None else Path(path)
    text = report_page(dataset, analyze(dataset), certificates(dataset), read_log(source))
    write_page(text, page)
    return page


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
