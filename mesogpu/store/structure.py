"""Whether an HDF5 file is built as ours are, looked at before anything in it is used: it may come from anybody.

Nothing is followed out of the file (external and soft links, external and virtual storage), no type is read that
mesogpu does not write, and nothing is larger than the file that holds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import h5py
import numpy as np

from mesogpu.plan.cost import LARGEST_BLOCK
from mesogpu.plan.points import MAX_POINTS
from mesogpu.store.layout import MAX_BLOCKS
from mesogpu.store.provenance import ATTRIBUTES, OPTIONAL, is_mixed
from mesogpu.store.variables import (
    BLOCK,
    CHANNEL,
    CHANNELS,
    COMMIT,
    LENGTH,
    MIXED,
    POINT,
    RESULTS,
    SLICES,
    WARMUP,
    Variable,
)

_MOST_REALIZATIONS: Final = 1 << 32
_MOST_PARAMETERS: Final = 64
_LONGEST_TEXT: Final = 1 << 21
_LARGEST_CHUNK: Final = 1 << 22
_FILTERS: Final = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_COORDINATES: Final = (POINT, LENGTH, CHANNEL, BLOCK, CHANNELS, SLICES)


@dataclass(frozen=True)
class Structure:
    """How a results file is built.

    attributes : root attributes
    sizes      : extent of every dimension
    results    : what its blocks hold, in file order
    parameters : names of the sweep parameters, in the order of the experiment
    extents    : (first byte, bytes) of every array that is written after creation, by name; none of a packed file
    """

    attributes: Mapping[str, Any]
    sizes: Mapping[str, int]
    results: tuple[Variable, ...]
    parameters: tuple[str, ...]
    extents: Mapping[str, tuple[int, int]]

    @property
    def realizations(self) -> int:
        """Realizations a point."""
        return self.sizes["realization"]

    @property
    def block_size(self) -> int:
        """B, realizations a block."""
        return int(self.attributes["block_size"])

    @property
    def offsets(self) -> dict[str, int]:
        """First byte of every array that is written after creation, by name."""
        return {name: offset for name, (offset, _) in self.extents.items()}

    @property
    def packed(self) -> bool:
        """Whether it is a packed copy, which is never written to."""
        return not self.extents

    @property
    def signatures(self) -> tuple[str, ...]:
        """Arithmetic signatures of the blocks, several where the file is mixed."""
        return tuple(str(self.attributes["signature"]).split("\n"))

    @property
    def mixed(self) -> bool:
        """Whether each block says of which signature it is."""
        return is_mixed(self.attributes)


def examine(file: h5py.File, size: int) -> Structure:
    """Look at everything that a reader will rely on.

    size   : bytes of the file
    raises : ValueError that says what is not as it should be; what h5py raises where it cannot read on
    """
    attributes = root_attributes(file)
    _require(attributes["method"] in RESULTS, f"method {attributes['method']!r}")
    block_size = attributes["block_size"]
    _require(isinstance(block_size, int) and 0 < block_size <= LARGEST_BLOCK, f"block_size {block_size!r}")
    rows = _dataset(file, "realization").shape
    _require(len(rows) == 1 and 0 < rows[0] <= _MOST_REALIZATIONS, f"realization has the extents {rows}")
    sizes: dict[str, int] = {"realization": rows[0]}
    results = tuple(_stored(file, attributes))
    warmup = (WARMUP,) if _has(file, WARMUP.name) else ()
    arrays = {each.name: _array(file, each, sizes, size) for each in (*_COORDINATES, *warmup, COMMIT, *results)}
    points, blocks = arrays[COMMIT.name].shape
    _require(blocks == -(-rows[0] // int(block_size)), f"{blocks} blocks of {block_size} for {rows[0]} realizations")
    _require(points <= MAX_POINTS, f"{points} points, more than {MAX_POINTS}")
    _require(points * blocks <= MAX_BLOCKS, f"{points * blocks} blocks, more than {MAX_BLOCKS}")
    parameters = tuple(text_attribute(arrays[COMMIT.name], "coordinates").split())
    _require(len(parameters) <= _MOST_PARAMETERS, f"{len(parameters)} sweep parameters")
    for name in parameters:
        kind = "<i8" if _dataset(file, name).dtype.kind == "i" else "<f8"
        _array(file, Variable(name, ("point",), kind, "", ""), sizes, size)
    packed = arrays[COMMIT.name].chunks is not None
    extents = {} if packed else {each.name: _extent(arrays[each.name]) for each in (COMMIT, *results)}
    return Structure(attributes, sizes, results, parameters, extents)


def root_attributes(file: h5py.File) -> dict[str, str | int]:
    """All attributes of a results file that say what it holds.

    raises : as `attribute`
    """
    there = [name for name in OPTIONAL if h5py.h5a.exists(file.id, name.encode())]
    return {name: attribute(file.id, name) for name in (*ATTRIBUTES, *there)}


def attribute(owner: Any, name: str) -> str | int:
    """An attribute of one text or one integer, of a size that such a thing can have.

    owner  : h5py's identifier of what has it
    raises : ValueError where it is missing or something else
    """
    _require(h5py.h5a.exists(owner, name.encode()), f"has no attribute {name}")
    found = h5py.h5a.open(owner, name.encode())
    kind = found.get_type()
    scalar = found.get_space().get_simple_extent_type() == h5py.h5s.SCALAR
    if scalar and isinstance(kind, h5py.h5t.TypeIntegerID) and kind.get_size() <= np.dtype("i8").itemsize:
        number = np.zeros((), kind.dtype)
        found.read(number)
        return int(number)
    is_text = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    _require(scalar and is_text, f"attribute {name} is neither a text nor an integer")
    read: Any = np.zeros((), h5py.string_dtype())
    found.read(read)
    text = bytes(read[()]).decode("utf-8")
    _require(len(text) <= _LONGEST_TEXT, f"attribute {name} has {len(text)} characters")
    return text


def text_attribute(owner: h5py.Dataset, name: str) -> str:
    """A text among the attributes of a dataset, empty where there is none.

    raises : ValueError where it is something else
    """
    value = attribute(owner.id, name) if h5py.h5a.exists(owner.id, name.encode()) else ""
    if not isinstance(value, str):
        raise ValueError(f"attribute {name} is not a text")
    return value


def _stored(file: h5py.File, attributes: Mapping[str, Any]) -> Iterator[Variable]:
    """What the blocks hold: what every file of the method has, and of the rest what is there."""
    for variable in RESULTS[attributes["method"]]:
        always = variable.asked_by == "" or (variable.asked_by == MIXED and is_mixed(attributes))
        if always or (variable.asked_by != MIXED and _has(file, variable.name)):
            yield variable


def _has(file: h5py.File, name: str) -> bool:
    """Whether the root has something of this name, without following it."""
    return "/" not in name and name not in ("", ".") and bool(file.id.links.exists(name.encode()))


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """A dataset that lies in the root of this very file, with all its bytes."""
    _require(_has(file, name), f"has no {name}")
    link = file.id.links.get_info(name.encode())
    _require(link.type == h5py.h5l.TYPE_HARD, f"{name} is a link to somewhere else")
    identifier = h5py.h5o.open(file.id, name.encode())
    _require(isinstance(identifier, h5py.h5d.DatasetID), f"{name} is not a dataset")
    properties = identifier.get_create_plist()
    layout = properties.get_layout()
    _require(layout in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED), f"the bytes of {name} are kept in no way of ours")
    _require(layout == h5py.h5d.CHUNKED or properties.get_external_count() == 0, f"{name} is kept in another file")
    filters = {properties.get_filter(k)[0] for k in range(properties.get_nfilters())}
    _require(filters <= _FILTERS, f"{name} is encoded in a way that mesogpu does not use")
    return h5py.Dataset(identifier)


def _array(file: h5py.File, variable: Variable, sizes: dict[str, int], size: int) -> h5py.Dataset:
    """A dataset with the dimensions, the type and the bytes of a variable; enters new dimensions into `sizes`."""
    dataset, name = _dataset(file, variable.name), variable.name
    _require(dataset.dtype == np.dtype(variable.dtype), f"{name} has type {dataset.dtype}, not {variable.dtype}")
    _require(len(dataset.shape) == len(variable.dims), f"{name} has {len(dataset.shape)} dimensions")
    for dim, extent in zip(variable.dims, dataset.shape, strict=True):
        _require(sizes.setdefault(dim, extent) == extent > 0, f"{name} has an extent of {extent} along {dim}")
    if dataset.chunks:
        chunk = math.prod(dataset.chunks) * dataset.dtype.itemsize
        _require(chunk <= _LARGEST_CHUNK, f"{name} has chunks of {chunk} bytes")
        return dataset
    offset, length = _extent(dataset)
    _require(offset > 0 and offset + length <= size, f"{name} is not inside the file")
    _require(length == math.prod(dataset.shape) * dataset.dtype.itemsize, f"{name} has {length} bytes")
    return dataset


def _extent(dataset: h5py.Dataset) -> tuple[int, int]:
    return int(dataset.id.get_offset() or 0), int(dataset.id.get_storage_size())


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
