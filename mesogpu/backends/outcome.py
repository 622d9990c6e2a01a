"""From what a kernel found of realizations to the variables of a block; the oracle's word where that is not trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import KernelOutput
from mesogpu.backends.reference import backend as reference
from mesogpu.backends.samples import Arrays, observables, transmission_eigenvalues
from mesogpu.plan.blocks import Block, Status


def fill(arrays: Arrays, rows: NDArray[np.int64], output: KernelOutput) -> None:
    """Put a kernel's output where it belongs in the arrays of a block; rows: the realizations that it has."""
    observed = observables(output.trace, output.square_trace, output.exponent)
    observed["conditioning"] = output.conditioning
    if output.eigenvalues is not None:
        observed["transmission_eigenvalues"] = transmission_eigenvalues(output.eigenvalues, output.exponent)
    for name in arrays.keys() & observed.keys():
        arrays[name][:, rows] = observed[name]


def replace_by_oracle(arrays: Arrays, block: Block, row: int) -> None:
    """One realization of a block by the reference engine, at every length."""
    exact = reference.compute(replace(block, first=block.first + row, count=1))
    for name, values in exact.items():
        arrays[name][:, row] = values[:, 0]
    certified = exact["status"][:, 0] <= Status.ORACLE
    arrays["status"][certified, row] = Status.ORACLE
