"""Stored samples, read in chunks of bounded memory and reduced to joint moments, one sweep point after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.moments import Moments, MomentSums
from mesogpu.errors import StoreError
from mesogpu.plan.blocks import Status

if TYPE_CHECKING:
    import xarray

CHUNK_VALUES = 2**18
"""Values of one variable held at a time: 2 MB, so that what is made of them stays in the cache."""

VARIABLES = ("conductance", "log_conductance", "shot_noise")
NEEDED = ("conductance", "log_conductance", "status", "slices", "channels")
UNCOMPUTED = int(Status.NOT_COMPUTED)
FIRST_FAILURE = int(Status.FAILED_UNITARITY)


@dataclass(frozen=True, slots=True)
class PointSamples:
    """What the samples of one sweep point add up to.

    variables : names of the variables in the moments, each with one column a length
    moments   : joint moments of all variables at all lengths
    used      : (lengths,) samples in the statistics
    closed    : (lengths,) those of them that transmit nothing, ln g = -inf: in every statistic but those of ln g
    failed    : (lengths,) samples left out because no certificate vouches for them
    missing   : (lengths,) samples not computed yet
    """

    variables: tuple[str, ...]
    moments: Moments
    used: NDArray[np.int64]
    closed: NDArray[np.int64]
    failed: NDArray[np.int64]
    missing: NDArray[np.int64]

    def column(self, variable: str, length: int) -> int:
        """Column of a variable at length number `length`."""
        return self.variables.index(variable) * len(self.used) + length


class _PointSums:
    """Running sums of one point."""

    def __init__(self, variables: tuple[str, ...], lengths: int) -> None:
        self.variables = variables
        self.sums = MomentSums(len(variables) * lengths)
        self.failed = np.zeros(lengths, dtype=np.int64)
        self.missing = np.zeros(lengths, dtype=np.int64)
        self.used = np.zeros(lengths, dtype=np.int64)
        self.closed = np.zeros(lengths, dtype=np.int64)

    def add(self, values: dict[str, NDArray[np.float64]], status: NDArray[np.integer]) -> None:
        """Take in (lengths, realizations) of every variable."""
        missing = status == UNCOMPUTED
        usable = usable_samples(values, status)
        self.missing += missing.sum(axis=1)
        self.used += usable.sum(axis=1)
        self.closed += (usable & np.isneginf(values["log_conductance"])).sum(axis=1)
        self.failed += (~missing & ~usable).sum(axis=1)
        columns = [
            np.where(usable & np.isfinite(values[variable]), values[variable], np.nan) for variable in self.variables
        ]
        self.sums.add(np.concatenate(columns))

    def result(self) -> PointSamples:
        return PointSamples(self.variables, self.sums.moments(), self.used, self.closed, self.failed, self.missing)


def usable_samples(values: dict[str, NDArray[np.float64]], status: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which samples count: computed, certified, and finite in every variable, of the shape of `status`.

    ln g = -inf where the leads have no channel or no path joins them: g = 0 counts, its logarithm cannot.
    """
    usable = (status < FIRST_FAILURE) & (values["log_conductance"] < np.inf)
    for variable, numbers in values.items():
        if variable != "log_conductance":
            usable &= np.isfinite(numbers)
    return np.asarray(usable)


def require_variables(results: xarray.Dataset, needed: Sequence[str]) -> None:
    """Refuse a dataset that is not a results file.

    needed : variables that its statistics are made of
    raises : StoreError where the dataset lacks one
    """
    lacking = [name for name in needed if name not in results]
    if lacking:
        raise StoreError(
            f"results: no variable {', '.join(lacking)}; statistics need {', '.join(needed)}: "
            "open a file that `mesogpu run` wrote, with mesogpu.open_results"
        )


def chunks(results: xarray.Dataset, row: int) -> Iterator[tuple[range, list[slice]]]:
    """Points to read together, and the realizations of them to read at a time, so that memory stays bounded.

    row : values of a variable in one realization of one point
    """
    points, realizations = results.sizes["point"], results.sizes["realization"]
    rows = max(1, CHUNK_VALUES // max(1, row))
    together = max(1, rows // max(1, realizations))
    spans = [slice(start, start + rows) for start in range(0, realizations, rows)]
    for first in range(0, points, together):
        yield range(first, min(first + together, points)), spans


def read_points(results: xarray.Dataset) -> Iterator[PointSamples]:
    """Every sweep point of a results file, in order."""
    variables = tuple(name for name in VARIABLES if name in results)
    lengths = results.sizes["length"]
    for points, spans in chunks(results, lengths):
        sums = [_PointSums(variables, lengths) for _ in points]
        for span in spans:
            chunk = results.isel(point=slice(points.start, points.stop), realization=span)
            status = chunk["status"].to_numpy()
            values = {name: chunk[name].to_numpy() for name in variables}
            for index, point in enumerate(sums):
                point.add({name: array[index] for name, array in values.items()}, status[index])
        yield from (point.result() for point in sums)
