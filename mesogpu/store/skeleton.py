"""All HDF5 structure of a results file, written once at creation; afterwards only bytes at known offsets change."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mesogpu.store.layout import BORDER, METADATA_BLOCK, Layout
from mesogpu.store.variables import COMMIT, Variable

LIBVER = ("v108", "v108")
"""Superblock 2: read by every HDF5 since 1.8, and without the open-for-writing mark a killed writer would leave."""

_DIMENSION_WITHOUT_VARIABLE = "This is a netCDF dimension but not a netCDF variable. {:10d}"
"""Name of a dimension scale that netCDF takes for a bare dimension."""


def build(path: Path, layout: Layout, attributes: Mapping[str, str | int]) -> dict[str, int]:
    """Write attributes, coordinates and the empty arrays of a results file; the arrays' bytes are left to be filled.

    path    : a new file
    returns : offset of each array that is written later, by name
    raises  : OSError where the disk refuses
    """
    # Space and size are asked for first: refused later, HDF5 would have a file that it can neither write nor close.
    reserved = METADATA_BLOCK + -(-len(str(attributes).encode()) // BORDER) * BORDER
    with path.open("xb") as probe:
        probe.write(bytes(reserved))
        probe.truncate(reserved + sum(layout.nbytes(v) for v in (COMMIT, *layout.results)))
    try:
        with h5py.File(
            path,
            "w",
            libver=LIBVER,
            locking=False,
            meta_block_size=reserved,
            alignment_threshold=BORDER,
            alignment_interval=BORDER,
        ) as file:
            write_structure(file, layout, attributes, _contiguous)
            return {v.name: int(file[v.name].id.get_offset()) for v in (COMMIT, *layout.results)}
    except RuntimeError as error:
        raise OSError(errno.EIO, f"HDF5: {error}") from error


def write_structure(
    file: h5py.File, layout: Layout, attributes: Mapping[str, str | int], array: Callable[..., h5py.Dataset]
) -> None:
    """Write attributes, coordinates and dimensions, and make an empty array for everything else.

    array : called with the file, a variable and the layout, makes the variable's array
    """
    for name, value in attributes.items():
        file.attrs[name] = value if isinstance(value, str) else np.int64(value)
    # Dropping a Dataset before the flush can lose its bytes without an exception where the disk is full.
    kept = [bare_dimension(file, "realization", layout.sizes["realization"])]
    scales = [variable for variable, _ in layout.coordinates if variable.dims == (variable.name,)]
    for variable, values in layout.coordinates:
        kept.append(file.create_dataset(variable.name, data=np.asarray(values, variable.dtype), track_times=False))
        kept[-1].attrs.update(variable.attributes())
        if variable in scales:
            kept[-1].make_scale(variable.name)
        if variable.name in layout.parameters:
            kept[-1].attrs["config_path"] = layout.parameters[variable.name]
    arrays = (COMMIT, *layout.results)
    for variable in arrays:
        kept.append(array(file, variable, layout))
        kept[-1].attrs.update(variable.attributes())
    for variable in (*(v for v, _ in layout.coordinates if v not in scales), *arrays):
        for axis, dim in enumerate(variable.dims):
            file[variable.name].dims[axis].attach_scale(file[dim])
        if layout.parameters and variable.name not in layout.parameters:
            file[variable.name].attrs["coordinates"] = " ".join(layout.parameters)
    file.flush()


def bare_dimension(file: h5py.File, name: str, size: int) -> h5py.Dataset:
    """A dimension without a variable: nothing is ever stored for it, and 1e9 realizations cost no bytes."""
    dataset = file.create_dataset(name, shape=(size,), dtype="<f4", track_times=False)
    dataset.make_scale(_DIMENSION_WITHOUT_VARIABLE.format(size))
    return dataset


def _contiguous(file: h5py.File, variable: Variable, layout: Layout) -> h5py.Dataset:
    """An array that takes its place in the file now; HDF5 leaves its bytes alone, we write them and see every error."""
    dtype: np.dtype[Any] = np.dtype(variable.dtype)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.CONTIGUOUS)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    properties.set_obj_track_times(False)
    if dtype.names is None:
        properties.set_fill_value(np.array(variable.fill, dtype))
    space = h5py.h5s.create_simple(layout.shape(variable))
    h5py.h5d.create(file.id, variable.name.encode(), h5py.h5t.py_create(dtype), space, properties)
    return file[variable.name]
