"""The shape of one results file: which datasets it has, in file order, their extents and coordinates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mesogpu import units
from mesogpu.config.experiment import Experiment
from mesogpu.errors import PlanError
from mesogpu.plan import Plan
from mesogpu.store.variables import (
    BLOCK,
    CHANNEL,
    CHANNELS,
    COMMIT,
    EXPONENT,
    EXPONENTS,
    LENGTH,
    LENGTH_POSITION,
    MIXED,
    POINT,
    RECORDED,
    RESERVED,
    RESULTS,
    SLICES,
    WARMUP,
    Variable,
)

BORDER: Final = 4096
"""Arrays of this many bytes or more start on a multiple of it: a page of memory and of most disks."""

MAX_BLOCKS: Final = 1 << 26
"""Of a file: half a gigabyte of commit table."""

METADATA_BLOCK: Final = 65536
"""Bytes reserved at the front of the file for HDF5's own structures, so that they precede all data."""

PARAMETERS = {
    "energy": (units.ENERGY, "energy E, band centre 0"),
    "flux": (units.FLUX, "flux per plaquette"),
    "leads.potential": (units.ENERGY, "onsite energy of the leads"),
    "model.width": (units.SITES, "width of the sample"),
    "model.length": (units.SLICES, "length of the sample"),
    "model.hopping": (units.ENERGY, "hopping energy"),
    "model.zeeman.0": (units.ENERGY, "Zeeman field along x"),
    "model.zeeman.1": (units.ENERGY, "Zeeman field along y"),
    "model.zeeman.2": (units.ENERGY, "Zeeman field along z"),
    "lyapunov.slices": (units.SLICES, "slices recorded of each bar"),
    "lyapunov.warmup": (units.SLICES, "slices left out at the start of each bar"),
}
"""Unit and meaning of what can be swept, by its path; numbers of disorder laws and of a coupling are below."""

LAW_NUMBERS = {
    "width": ("full width", ""),
    "sigma": ("standard deviation", ""),
    "half_width": ("half width at half maximum", ""),
    "fraction": ("fraction of the second value", units.DIMENSIONLESS),
    "density": ("density", units.DIMENSIONLESS),
    "exchange": ("exchange energy", units.ENERGY),
    "correlation_length": ("correlation length", units.SITES),
}
"""Meaning and unit of a law's numbers; without a unit of its own, that of what is random."""

STRENGTH_UNITS = {"rashba": units.ENERGY, "ando": units.RADIANS}
"""Of a spin-orbit coupling; that of random bonds is a number."""


@dataclass(frozen=True)
class Layout:
    """Shape of one results file.

    sizes       : extent of every dimension
    block_size  : realizations a block
    coordinates : datasets whose values the plan fixes
    results     : what the blocks hold, in file order
    parameters  : path in the YAML of each sweep coordinate, by its name
    first_block : number in the whole plan of each point's block 0; not 0 in the file of a part alone
    """

    sizes: Mapping[str, int]
    block_size: int
    coordinates: tuple[tuple[Variable, NDArray[Any]], ...]
    results: tuple[Variable, ...]
    parameters: Mapping[str, str]
    first_block: int = 0

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Extents of one dataset."""
        return tuple(self.sizes[dim] for dim in variable.dims)

    def nbytes(self, variable: Variable) -> int:
        """Bytes of one dataset's array."""
        return math.prod(self.shape(variable)) * int(np.dtype(variable.dtype).itemsize)

    @property
    def realizations(self) -> int:
        """Realizations a point."""
        return self.sizes["realization"]

    def rows(self, block: int) -> int:
        """Realizations of one block; the last may be short."""
        return min(self.block_size, self.sizes["realization"] - block * self.block_size)

    def first(self, block: int) -> int:
        """First realization of one block, in the whole plan."""
        return (self.first_block + block) * self.block_size

    def block_shape(self, variable: Variable, block: int) -> tuple[int, ...]:
        """Extents of one variable's share of a block."""
        extents = {**self.sizes, "realization": self.rows(block), "block": 1}
        return tuple(extents[dim] for dim in variable.dims[1:])


def make_layout(plan: Plan, *, mixed: bool = False) -> Layout:
    """The layout of a plan's results file.

    mixed  : whether its blocks are of several arithmetic signatures, each block saying of which
    raises : PlanError for more blocks than a file can have
    """
    if len(plan.points) * plan.blocks_per_point > MAX_BLOCKS:
        raise PlanError(
            f"blocks: {len(plan.points) * plan.blocks_per_point} of {plan.block_size} realizations, a results file has "
            f"{MAX_BLOCKS} at most; sweep fewer points, or split the experiment"
        )
    slices = np.array([point.lengths for point in plan.points], "<i4")
    equal = bool((slices == slices[0]).all())
    bars = [point.bars for point in plan.points if point.bars]
    sizes = {
        "point": len(plan.points),
        "length": plan.lengths,
        "realization": plan.realizations,
        "channel": plan.max_channels,
        "block": plan.blocks_per_point,
    }
    first_point = plan.part.first_point if plan.part else 0
    coordinates: list[tuple[Variable, NDArray[Any]]] = [
        (POINT, first_point + np.arange(sizes["point"])),
        (LENGTH, slices[0]) if equal else (LENGTH_POSITION, np.arange(sizes["length"])),
        (EXPONENT if bars else CHANNEL, np.arange(sizes["channel"])),
        (BLOCK, plan.first_block + np.arange(sizes["block"])),
    ]
    names = _parameter_names([path for path, _ in plan.points[0].parameters])
    for column, (name, path) in enumerate(names.items()):
        values = np.array([point.parameters[column][1] for point in plan.points])
        coordinates.append((_parameter(name, path, values, plan.experiment), values))
    coordinates += [(EXPONENTS if bars else CHANNELS, np.array(plan.channels)), (RECORDED if bars else SLICES, slices)]
    coordinates += [(WARMUP, np.array([each.warmup for each in bars]))] if bars else []
    asked = {"", *plan.experiment.observables, *([MIXED] if mixed else [])}
    results = tuple(variable for variable in RESULTS[plan.experiment.method] if variable.asked_by in asked)
    return Layout(sizes, plan.block_size, tuple(coordinates), results, names, plan.first_block)


def file_bytes(plan: Plan) -> int:
    """Bytes on disk of the file that a plan will make, a few tens of kilobytes of HDF5 structures estimated."""
    layout = make_layout(plan)
    arrays = [variable for variable, _ in layout.coordinates] + [COMMIT, *layout.results]
    return METADATA_BLOCK + sum(-(-layout.nbytes(variable) // BORDER) * BORDER for variable in arrays)


def _parameter_names(paths: list[str]) -> dict[str, str]:
    """Coordinate name -> path: the path's last word, or the whole path where that would clash or is a number."""
    last = [path.rpartition(".")[2] for path in paths]
    return {
        path if word in RESERVED or word.isdigit() or last.count(word) > 1 else word: path
        for word, path in zip(last, paths, strict=True)
    }


def _parameter(name: str, path: str, values: NDArray[Any], experiment: Experiment) -> Variable:
    unit, meaning = PARAMETERS.get(path) or _meaning(path, experiment)
    return Variable(name, ("point",), "<i8" if values.dtype.kind == "i" else "<f8", unit, meaning)


def _meaning(path: str, experiment: Experiment) -> tuple[str, str]:
    """Unit and meaning of a number of a disorder law or of the spin-orbit coupling."""
    section, position, key = path.split(".")
    coupling = experiment.model.spin_orbit
    if section == "disorder":
        law = experiment.disorder[int(position)]
        meaning, unit = LAW_NUMBERS[key]
        return unit or (units.FLUX if law.on == "flux" else units.ENERGY), f"{meaning} of the disorder, law {position}"
    kind = "" if coupling is None else coupling.kind
    return STRENGTH_UNITS.get(kind, units.DIMENSIONLESS), f"strength of the {kind} spin-orbit coupling"
