"""The section of NOTATION.md on what a results file holds, made from the tables by which files are written.

python -m mesogpu.store.datasets     prints that section
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from mesogpu import units
from mesogpu.store.layout import LAW_NUMBERS, PARAMETERS, STRENGTH_UNITS
from mesogpu.store.provenance import ATTRIBUTES, OPTIONAL
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
    RESULTS,
    RUN_LOG,
    SLICES,
    WARMUP,
    Variable,
)

ALWAYS: Final = "always"
TRANSMISSION: Final = "transmission"
LYAPUNOV: Final = "lyapunov"
_PARAMETER: Final = Variable(
    "*swept parameter*", ("point",), "<f8", "see below", "its value at each point, under the last word of its path"
)


def rows() -> list[tuple[Variable, str]]:
    """Every dataset that a file can have, in file order, and when it is there."""
    found = [
        (POINT, ALWAYS),
        (LENGTH, "points of equal lengths"),
        (LENGTH_POSITION, "points that differ in their lengths"),
        (CHANNEL, TRANSMISSION),
        (EXPONENT, LYAPUNOV),
        (BLOCK, ALWAYS),
        (_PARAMETER, "one for each that is swept"),
        (CHANNELS, TRANSMISSION),
        (EXPONENTS, LYAPUNOV),
        (SLICES, TRANSMISSION),
        (RECORDED, LYAPUNOV),
        (WARMUP, LYAPUNOV),
        (COMMIT, ALWAYS),
    ]
    for method, variables in RESULTS.items():
        found += [(variable, _when(variable, method)) for variable in variables if (variable, ALWAYS) not in found]
    return [*dict.fromkeys(found), (RUN_LOG, "packed files")]


def section() -> str:
    """Three tables in Markdown: datasets, sweep parameters, attributes."""
    names = ["dataset", "dimensions", "type", "unit", "meaning", "when"]
    datasets = [_row(variable, when) for variable, when in rows()]
    swept = [[f"`{path}`", unit, meaning] for path, (unit, meaning) in _parameters()]
    attributes = [[f"`{name}`", meaning] for name, meaning in (ATTRIBUTES | OPTIONAL).items()]
    return "\n".join(
        [
            _markdown(names, datasets),
            _markdown(["swept parameter", "unit", "meaning"], swept),
            _markdown(["attribute of the file", "meaning"], attributes),
        ]
    )


def _row(variable: Variable, when: str) -> list[str]:
    name = variable.name if variable is _PARAMETER else f"`{variable.name}`"
    return [name, ", ".join(variable.dims), _type(variable), variable.units, variable.long_name, when]


def _when(variable: Variable, method: str) -> str:
    if variable.asked_by == MIXED:
        return "mixed files"
    if all(variable in variables for variables in RESULTS.values()):
        return ALWAYS
    return f"{method}, observable" if variable.asked_by else method


def _parameters() -> Iterator[tuple[str, tuple[str, str]]]:
    yield from PARAMETERS.items()
    for name, (meaning, unit) in LAW_NUMBERS.items():
        yield f"disorder.N.{name}", (unit or f"{units.ENERGY}; of a flux {units.FLUX}", f"{meaning} of disorder law N")
    kinds = "; ".join(f"{kind} {unit}" for kind, unit in STRENGTH_UNITS.items())
    yield "model.spin_orbit.strength", (f"{kinds}; else {units.DIMENSIONLESS}", "strength of the coupling")


def _type(variable: Variable) -> str:
    dtype = np.dtype(variable.dtype)
    if dtype.names:
        return ", ".join(f"{name} {_type(replace(variable, dtype=dtype[name]))}" for name in dtype.names)
    return str(dtype.name)


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(heads)
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join("| " + " | ".join(line) + " |\n" for line in (heads, rule, *cells))


if __name__ == "__main__":
    sys.stdout.write(section())
