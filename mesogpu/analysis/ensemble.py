"""What every analysis starts from: the samples of a sweep as streams, and what is known of its points already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.one_l import OneL
from mesogpu.analysis.record import Where
from mesogpu.analysis.regime import Strip
from mesogpu.analysis.samples import CHUNK_VALUES, VARIABLES, usable_samples
from mesogpu.config.experiment import Experiment

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True)
class Family:
    """Sweep points that differ in one parameter alone.

    axis   : the parameter
    values : its values, ascending, each one once
    points : the points they belong to
    others : the parameters that do not vary
    """

    axis: str
    values: tuple[float, ...]
    points: tuple[int, ...]
    others: dict[str, float]

    @property
    def where(self) -> Where:
        return {"parameters": self.others}


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The samples of a file and the summary so far.

    parameters : of every point
    slices     : (points, lengths) int64
    entries    : by point and length, as they stand under "points" in the summary
    strips     : the points as theory sees them
    one_l      : the mean free paths found; None where the curve does not apply
    why_not    : why there is none, in words
    """

    results: xarray.Dataset
    experiment: Experiment
    parameters: list[dict[str, float]]
    slices: NDArray[np.int64]
    entries: list[list[dict[str, Any]]]
    strips: list[Strip]
    one_l: list[OneL | None]
    why_not: list[str]

    @property
    def shares_realizations(self) -> bool:
        """Whether all sweep points draw the same random numbers."""
        return self.experiment.randomness == "common"

    @property
    def conductance_unit(self) -> str:
        """Unit of g in words."""
        return "e^2/h per spin" if self.results.attrs.get("degeneracy") == 2 else "e^2/h"

    def unit(self, axis: str) -> str:
        """Unit of a sweep parameter; "" for a plain number."""
        units = str(self.results.coords[axis].attrs.get("units", ""))
        return "" if units == "1" else units

    def families(self) -> list[Family]:
        """Every family of two points or more, whose lengths are the same."""
        names = list(self.parameters[0]) if self.parameters else []
        found = []
        for axis in names:
            groups: dict[tuple[Any, ...], dict[float, int]] = {}
            for point, parameters in enumerate(self.parameters):
                others = tuple((name, value) for name, value in parameters.items() if name != axis)
                key = (others, tuple(self.slices[point].tolist()))
                groups.setdefault(key, {}).setdefault(float(parameters[axis]), point)
            for (others, _), members in groups.items():
                if len(members) > 1:
                    values = tuple(sorted(members))
                    found.append(Family(axis, values, tuple(members[value] for value in values), dict(others)))
        return found

    def joint_covariance(self, matrix: NDArray[np.float64], points: Sequence[int]) -> NDArray[np.float64]:
        """The covariance of statistics of the given points, 0 between points that share no realization.

        matrix : (K, K) as the samples give it, whose entries between such points are noise
        points : (K,) the point behind each statistic
        """
        owner = np.asarray(points)
        return matrix if self.shares_realizations else np.where(owner[:, None] == owner[None, :], matrix, 0.0)

    def stream(self, points: Sequence[int], variable: str = "conductance") -> Iterator[NDArray[np.float64]]:
        """A variable of some points, a chunk of realizations at a time.

        yields : (points, lengths, realizations) float64; NaN for a sample that is not computed, failed, or not finite
        """
        for span in self._spans(len(points) * self.slices.shape[1]):
            chunk = self._chunk(points, span)
            values = {name: chunk[name].to_numpy() for name in VARIABLES if name in chunk}
            usable = usable_samples(values, chunk["status"].to_numpy()) & np.isfinite(values[variable])
            yield np.where(usable, values[variable], np.nan)

    def eigenvalues(self, point: int) -> Iterator[NDArray[np.float64]]:
        """The transmission eigenvalues of one point, a chunk of realizations at a time.

        yields : (lengths, realizations, channels) float64; NaN in every channel of a sample that does not count, 0 in
                 channels that the point does not have
        """
        name = "transmission_eigenvalues"
        for span in self._spans(self.slices.shape[1] * self.results.sizes["channel"]):
            chunk = self._chunk([point], span)
            values = {each: chunk[each].to_numpy()[0] for each in VARIABLES if each in chunk}
            usable = usable_samples(values, chunk["status"].to_numpy()[0])
            yield np.where(usable[..., None], np.nan_to_num(chunk[name].to_numpy()[0]), np.nan)

    def _spans(self, row: int) -> list[slice]:
        realizations, rows = self.results.sizes["realization"], max(1, CHUNK_VALUES // max(1, row))
        return [slice(start, start + rows) for start in range(0, realizations, rows)]

    def _chunk(self, points: Sequence[int], span: slice) -> xarray.Dataset:
        return self.results.isel(point=list(points), realization=span)
