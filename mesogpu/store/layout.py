"""Every dataset of a results file: name, dimensions, type, unit, meaning and fill value, in file order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mesogpu import units
from mesogpu.plan import Plan, Status

BORDER: Final = 4096
"""Arrays of this many bytes or more start on a multiple of it: a page of memory and of most disks."""

METADATA_BLOCK: Final = 65536
"""Bytes reserved at the front of the file for HDF5's own structures, so that they precede all data."""

COMMIT_ENTRY: Final = np.dtype([("state", "<u4"), ("crc32c", "<u4")])
COMMITTED: Final = 1
"""`state` of a block whose bytes are in the file; 0 is a block still to be computed."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One dataset.

    name, dims, dtype, units, long_name : as in the file
    fill        : value of everything not yet computed
    observable  : which entry of `observables` asks for it; empty where it is always there
    """

    name: str
    dims: tuple[str, ...]
    dtype: Any
    units: str
    long_name: str
    fill: float = 0
    observable: str = ""

    def attributes(self) -> dict[str, Any]:
        """HDF5 attributes that say what the numbers mean."""
        attributes: dict[str, Any] = {"units": self.units, "long_name": self.long_name}
        if self.name == "status":
            attributes |= {
                "flag_values": np.array(list(Status), "u1"),
                "flag_meanings": " ".join(status.name.lower() for status in Status),
            }
        return attributes


POINT = Variable("point", ("point",), "<i8", units.DIMENSIONLESS, "point of the sweep, first axis slowest")
LENGTH = Variable("length", ("length",), "<i8", units.SLICES, "length of the sample")
LENGTH_POSITION = Variable(
    "length", ("length",), "<i8", units.DIMENSIONLESS, "position of the length; the lengths themselves are in `slices`"
)
CHANNEL = Variable(
    "channel", ("channel",), "<i4", units.DIMENSIONLESS, "rank of the transmission eigenvalue, largest first"
)
BLOCK = Variable("block", ("block",), "<i8", units.DIMENSIONLESS, "canonical block of realizations, block_size each")
CHANNELS = Variable("channels", ("point",), "<i4", units.DIMENSIONLESS, "N, propagating modes of each lead")
SLICES = Variable("slices", ("point", "length"), "<i4", units.SLICES, "length of the sample")
COMMIT = Variable(
    "commit",
    ("point", "block"),
    COMMIT_ENTRY,
    units.DIMENSIONLESS,
    "state 1: the block is stored; CRC-32C of its bytes",
)

_SAMPLE = ("point", "length", "realization")
_ONE = units.DIMENSIONLESS
_NAN = math.nan
RESULTS: Final = (
    Variable(
        "audit_deviation",
        ("point", "length", "block"),
        "<f8",
        _ONE,
        "largest |d ln g| between a sample of the block and its audit by the reference backend; NaN: none audited",
        _NAN,
    ),
    Variable("status", _SAMPLE, "u1", _ONE, "how the sample was certified; 255: not computed", Status.NOT_COMPUTED),
    Variable("conductance", _SAMPLE, "<f8", _ONE, "g = Tr t t^dagger; G = degeneracy * g * e^2/h", _NAN),
    Variable("log_conductance", _SAMPLE, "<f8", _ONE, "ln g, also where g underflows", _NAN),
    Variable("conditioning", _SAMPLE, "<f8", _ONE, "conditioning of the recursion that gave the sample", _NAN),
    Variable("shot_noise", _SAMPLE, "<f8", _ONE, "sum over n of T_n (1 - T_n)", _NAN, "shot_noise"),
    Variable(
        "transmission_eigenvalues",
        (*_SAMPLE, "channel"),
        "<f8",
        _ONE,
        "T_n, eigenvalues of t t^dagger, descending, NaN beyond the point's channels",
        _NAN,
        "transmission_eigenvalues",
    ),
)
"""What a block holds, in file order, which is also the order of its checksum."""

_RESERVED = {"realization", *(v.name for v in (POINT, LENGTH, CHANNEL, BLOCK, CHANNELS, SLICES, COMMIT, *RESULTS))}

_PARAMETERS = {
    "energy": (units.ENERGY, "energy E, band centre 0"),
    "flux": (units.FLUX, "flux per plaquette"),
    "leads.potential": (units.ENERGY, "onsite energy of the leads"),
    "model.width": (units.SITES, "width of the sample"),
    "model.length": (units.SLICES, "length of the sample"),
    "model.hopping": (units.ENERGY, "hopping energy"),
}


@dataclass(frozen=True)
class Layout:
    """Shape of one results file.

    sizes       : extent of every dimension
    block_size  : realizations a block
    coordinates : datasets whose values the plan fixes
    results     : what the blocks hold, in file order
    parameters  : path in the YAML of each sweep coordinate, by its name
    """

    sizes: Mapping[str, int]
    block_size: int
    coordinates: tuple[tuple[Variable, NDArray[Any]], ...]
    results: tuple[Variable, ...]
    parameters: Mapping[str, str]

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Extents of one dataset."""
        return tuple(self.sizes[dim] for dim in variable.dims)

    def nbytes(self, variable: Variable) -> int:
        """Bytes of one dataset's array."""
        return math.prod(self.shape(variable)) * int(np.dtype(variable.dtype).itemsize)

    def rows(self, block: int) -> int:
        """Realizations of one block; the last may be short."""
        return min(self.block_size, self.sizes["realization"] - block * self.block_size)


def make_layout(plan: Plan, realizations: int | None = None) -> Layout:
    """The layout of a plan's results file.

    realizations : in place of the plan's own number, for a file that was made for another one
    """
    rows = plan.realizations if realizations is None else realizations
    slices = np.array([point.lengths for point in plan.points], "<i4")
    equal = bool((slices == slices[0]).all())
    sizes = {
        "point": len(plan.points),
        "length": plan.lengths,
        "realization": rows,
        "channel": plan.max_channels,
        "block": -(-rows // plan.block_size),
    }
    coordinates: list[tuple[Variable, NDArray[Any]]] = [
        (POINT, np.arange(sizes["point"])),
        (LENGTH, slices[0]) if equal else (LENGTH_POSITION, np.arange(sizes["length"])),
        (CHANNEL, np.arange(sizes["channel"])),
        (BLOCK, np.arange(sizes["block"])),
    ]
    names = _parameter_names([path for path, _ in plan.points[0].parameters])
    for column, (name, path) in enumerate(names.items()):
        values = np.array([point.parameters[column][1] for point in plan.points])
        coordinates.append((_parameter(name, path, values), values))
    coordinates += [(CHANNELS, np.array(plan.channels)), (SLICES, slices)]
    asked = {"", *plan.experiment.observables}
    results = tuple(variable for variable in RESULTS if variable.observable in asked)
    return Layout(sizes, plan.block_size, tuple(coordinates), results, names)


def file_bytes(plan: Plan) -> int:
    """Bytes on disk of the file that a plan will make, a few tens of kilobytes of HDF5 structures estimated."""
    layout = make_layout(plan)
    arrays = [variable for variable, _ in layout.coordinates] + [COMMIT, *layout.results]
    return METADATA_BLOCK + sum(-(-layout.nbytes(variable) // BORDER) * BORDER for variable in arrays)


def _parameter_names(paths: list[str]) -> dict[str, str]:
    """Coordinate name -> path: the path's last word, or the whole path where that would clash."""
    last = [path.rpartition(".")[2] for path in paths]
    return {
        path if word in _RESERVED or last.count(word) > 1 else word: path
        for word, path in zip(last, paths, strict=True)
    }


def _parameter(name: str, path: str, values: NDArray[Any]) -> Variable:
    unit, meaning = _PARAMETERS.get(path, (units.DIMENSIONLESS, path))
    if path.startswith("disorder.") and path.endswith(".width"):
        unit, meaning = units.ENERGY, f"full width of the disorder, law {path.split('.')[1]}"
    return Variable(name, ("point",), "<i8" if values.dtype.kind == "i" else "<f8", unit, meaning)
