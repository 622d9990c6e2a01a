"""Reading results, at any time and without disturbing the writer: lazily, and only what is committed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from mesogpu.errors import StoreError
from mesogpu.store.existing import MALFORMED, malformed, open_hdf5
from mesogpu.store.faults import explained
from mesogpu.store.structure import Structure, text_attribute
from mesogpu.store.variables import CHANNELS, COMMIT, COMMITTED, SLICES, WARMUP, Variable

_COORDINATES = ("point", "length", "channel", "block")
_FIXED = {variable.name: variable.dims for variable in (CHANNELS, SLICES, WARMUP)}


def open_results(path: str | os.PathLike[str]) -> xr.Dataset:
    """A results file as an xarray Dataset that reads from disk what is used of it.

    What is committed is looked up once, at opening; samples not committed by then read as NaN, status 255. The dataset
    holds the file open until it is closed.

    path    : a results file, complete or not, also while a run is writing it
    returns : variables (point, length, realization[, channel]), of bars also (point, realization, channel), as in
              `variables.RESULTS`; `channels`, `slices`, of bars `warmup`; coordinates for dimensions and sweep
              parameters; the file's attributes
    raises  : StoreError where it is missing or not ours; DamagedFileError where HDF5 cannot read it; EnvironmentFault
              where it may not be read
    """
    target = Path(path)
    require_file(target)
    with explained(target, "reading"):
        raw, file, structure = open_hdf5(target)
    try:
        dataset = _dataset(file, structure)
    except MALFORMED as error:
        _close(raw, file)
        raise malformed(target, error) from error
    dataset.encoding["source"] = str(target)
    dataset.set_close(partial(_close, raw, file))
    return dataset


def require_file(path: Path) -> None:
    """Check that there is a file to read.

    raises : StoreError
    """
    if not path.exists():
        raise StoreError(f"{path}: no such file; give the output of a mesogpu run")
    if not path.is_file():
        raise StoreError(f"{path}: is not a file; give the output of a mesogpu run")


def committed_blocks(file: h5py.File) -> NDArray[np.bool_]:
    """(points, blocks) bool: what the commit table says."""
    return np.asarray(file[COMMIT.name]["state"] == COMMITTED)


class _CommittedRows(BackendArray):
    """One variable of an open file, with every row of a block that is not committed replaced by the fill value."""

    def __init__(
        self, dataset: h5py.Dataset, variable: Variable, committed: NDArray[np.bool_], block_size: int
    ) -> None:
        self.shape = dataset.shape
        self.dtype = dataset.dtype
        self._dataset = dataset
        self._fill = variable.fill
        self._committed = committed
        self._row_axis = variable.dims.index("block" if "block" in variable.dims else "realization")
        self._rows_a_block = 1 if "block" in variable.dims else block_size

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER_1VECTOR, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        values = np.asarray(self._dataset[key])
        points = _positions(key[0], self.shape[0])
        rows = _positions(key[self._row_axis], self.shape[self._row_axis])
        missing = ~self._committed[np.ix_(points, rows // self._rows_a_block)]
        if not missing.any():
            return values
        # Axes indexed by one number are gone from the values; the mask has them as 1, and then drops them as well.
        mask = missing.reshape(
            [len(points) if axis == 0 else len(rows) if axis == self._row_axis else 1 for axis in range(len(key))]
        )
        kept = tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in key)
        return np.where(mask[kept], self.dtype.type(self._fill), values)


def _positions(key: Any, size: int) -> NDArray[np.int64]:
    if isinstance(key, slice):
        return np.arange(*key.indices(size))
    return np.atleast_1d(np.asarray(key, np.int64))


def _dataset(file: h5py.File, structure: Structure) -> xr.Dataset:
    committed = committed_blocks(file)
    variables: dict[str, xr.Variable] = {}
    for variable in structure.results:
        rows = _CommittedRows(file[variable.name], variable, committed, structure.block_size)
        data = indexing.LazilyIndexedArray(rows)
        variables[variable.name] = xr.Variable(variable.dims, data, variable.attributes())
    fixed = {name: dims for name, dims in _FIXED.items() if name in file}
    dims = fixed | dict.fromkeys(structure.parameters, ("point",))
    coordinates: dict[str, xr.Variable] = {}
    for name in (*_COORDINATES, *structure.parameters, *fixed):
        dataset = file[name]
        attributes = {key: text_attribute(dataset, key) for key in ("units", "long_name")}
        values = xr.Variable(dims.get(name, (name,)), dataset[()], attributes)
        (variables if name in fixed else coordinates)[name] = values
    return xr.Dataset(variables, coordinates, dict(structure.attributes))


def _close(raw: Any, file: h5py.File) -> None:
    file.close()
    raw.close()
