"""Points: one set of sweep parameters each, resolved to the physics that a backend computes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from mesogpu.config.experiment import Bars, Experiment
from mesogpu.physics.systems import System

MAX_POINTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the sweep, all that a backend needs to know of it.

    index        : number of the point, first axis slowest
    parameters   : (path, value) of every swept parameter, such as ("flux", 0.006)
    system       : the conductor and its leads
    lengths      : recorded lengths, strictly increasing, in slices; of bars one, what is recorded of each
    seed         : Philox key word 0
    stream_point : Philox counter word 3: 0 where points share realizations, else the index
    eigenvalues  : whether the transmission eigenvalues are recorded
    shot_noise   : whether the shot noise is recorded
    bars         : where Lyapunov exponents are computed, else None; the leads of the system then mean nothing
    """

    index: int
    parameters: tuple[tuple[str, float], ...]
    system: System
    lengths: tuple[int, ...]
    seed: int
    stream_point: int
    eigenvalues: bool
    shot_noise: bool
    bars: Bars | None = None

    @property
    def slices(self) -> int:
        """Slices of a realization: the longest length; of a bar, with its warm-up."""
        return self.lengths[-1] + (self.bars.warmup if self.bars else 0)


def count_points(experiment: Experiment) -> int:
    """Number of points of the crossed sweep."""
    count = 1
    for axis in experiment.sweep:
        count *= len(axis.values)
    return count


def points(experiment: Experiment) -> Iterator[Point]:
    """The points in canonical order: axes crossed, the first one slowest."""
    paths = [path for axis in experiment.sweep for path in axis.paths]
    for index, rows in enumerate(itertools.product(*(axis.values for axis in experiment.sweep))):
        values = [value for row in rows for value in row]
        yield _point(experiment, index, tuple(zip(paths, values, strict=True)))


def _point(experiment: Experiment, index: int, parameters: tuple[tuple[str, float], ...]) -> Point:
    for path, value in parameters:
        experiment = experiment.with_value(path, value)
    model = experiment.model
    return Point(
        index=index,
        parameters=parameters,
        system=System(
            lattice=model.geometry,
            hopping=model.hopping,
            flux=experiment.flux,
            energy=experiment.energy,
            lead_potential=experiment.leads.potential,
            lead_flux=experiment.leads.flux,
            laws=experiment.disorder,
            spin_orbit=model.spin_orbit,
            lead_spin_orbit=experiment.leads.spin_orbit,
            zeeman=model.zeeman,
        ),
        lengths=(experiment.bars.slices,) if experiment.bars else model.slices,
        seed=experiment.seed,
        stream_point=0 if experiment.randomness == "common" else index,
        eigenvalues="transmission_eigenvalues" in experiment.observables,
        shot_noise="shot_noise" in experiment.observables,
        bars=experiment.bars,
    )
