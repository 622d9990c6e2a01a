"""Every dataset of a results file: name, dimensions, type, unit, meaning and fill value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

import numpy as np

from mesogpu import units
from mesogpu.plan import Status

COMMIT_ENTRY: Final = np.dtype([("state", "<u4"), ("crc32c", "<u4")])
COMMITTED: Final = 1
"""`state` of a block whose bytes are in the file; 0 is a block still to be computed."""

EMPTY: Final = np.array((0, 0xFFFFFFFF), COMMIT_ENTRY)
"""Entry of a block still to be computed: not zeros, so that a zeroed page of the commit table is noticed."""

MIXED: Final = "mixed"
"""What asks for the variable that says of which arithmetic signature a block is."""

UNSIGNED: Final = 255
"""Its value for a block that is not computed yet."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One dataset.

    name, dims, dtype, units, long_name : as in the file
    fill        : value of everything not yet computed
    asked_by    : which entry of `observables` asks for it, or MIXED; empty where it is always there
    """

    name: str
    dims: tuple[str, ...]
    dtype: Any
    units: str
    long_name: str
    fill: float = 0
    asked_by: str = ""

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
EXPONENT = replace(CHANNEL, long_name="rank of the Lyapunov exponent, smallest first")
BLOCK = Variable("block", ("block",), "<i8", units.DIMENSIONLESS, "canonical block of realizations, block_size each")
CHANNELS = Variable("channels", ("point",), "<i4", units.DIMENSIONLESS, "N, propagating modes of each lead")
EXPONENTS = replace(CHANNELS, long_name="Lyapunov exponents of each bar, the smallest positive ones")
SLICES = Variable("slices", ("point", "length"), "<i4", units.SLICES, "length of the sample")
RECORDED = replace(SLICES, long_name="slices recorded of each bar, after its warm-up")
WARMUP = Variable("warmup", ("point",), "<i4", units.SLICES, "slices at the start of each bar that are left out")
COMMIT = Variable(
    "commit",
    ("point", "block"),
    COMMIT_ENTRY,
    units.DIMENSIONLESS,
    "state 1: the block is stored; CRC-32C of its bytes, all ones while it is not",
)

RUN_LOG = Variable(
    "run_log",
    ("log_byte",),
    "u1",
    units.DIMENSIONLESS,
    "run log, UTF-8: one JSON object a line for each start and end of a run",
)

_SAMPLE = ("point", "length", "realization")
_BAR = ("point", "realization", "channel")
_ONE = units.DIMENSIONLESS
_NAN = math.nan
SIGNATURE = Variable(
    "signature_index",
    ("point", "block"),
    "u1",
    _ONE,
    "which line of the attribute `signature`, from 0, tells the arithmetic of the block; 255: not computed",
    UNSIGNED,
    MIXED,
)
AUDIT = Variable(
    "audit_deviation",
    ("point", "length", "block"),
    "<f8",
    _ONE,
    "largest |d ln g| between a sample of the block and its audit by the reference backend; NaN: none audited",
    _NAN,
)
_STATUS = Variable(
    "status", _SAMPLE, "u1", _ONE, "how the sample was certified; 255: not computed", Status.NOT_COMPUTED
)
_TRANSMISSION = (
    SIGNATURE,
    AUDIT,
    _STATUS,
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
_LYAPUNOV = (
    SIGNATURE,
    replace(
        AUDIT,
        units=units.PER_SLICE,
        long_name="largest |d sum of ln R_ii| / slices between the start of a bar of the block and its audit by the "
        "reference backend; NaN: none audited",
    ),
    replace(_STATUS, long_name="how the bar was certified; 255: not computed"),
    Variable("conditioning", _SAMPLE, "<f8", _ONE, "largest spread of a triangular factor of the bar", _NAN),
    Variable(
        "lyapunov_exponents",
        _BAR,
        "<f8",
        units.PER_SLICE,
        "gamma_n, positive Lyapunov exponents, ascending, NaN beyond those of the point; the first is 1 / xi",
        _NAN,
    ),
    Variable(
        "lyapunov_errors",
        _BAR,
        "<f8",
        units.PER_SLICE,
        "standard error of each exponent, from the scatter of 32 batches of the bar",
        _NAN,
    ),
    Variable(
        "lyapunov_drift",
        _BAR,
        "<f8",
        units.PER_SLICE,
        "each exponent in the second half of the bar minus that in its first half",
        _NAN,
    ),
)
RESULTS: Final = {"transmission": _TRANSMISSION, "lyapunov": _LYAPUNOV}
"""What a block holds, by method, in file order, which is also the order of its checksum."""

_COORDINATES = (POINT, LENGTH, CHANNEL, BLOCK, CHANNELS, SLICES, WARMUP, COMMIT)
RESERVED = {"realization", *(variable.name for variable in chain(_COORDINATES, *RESULTS.values()))}
"""Names that no sweep parameter can have."""
