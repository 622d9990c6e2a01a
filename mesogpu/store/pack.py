"""A results file made small for keeping: the same datasets, compressed, each chunk with a checksum, read back first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError, EnvironmentFault, StoreError
from mesogpu.store.creation import settle, synchronize_directory
from mesogpu.store.existing import Existing, find, opened
from mesogpu.store.faults import explained
from mesogpu.store.hdf5_blocks import Hdf5Blocks
from mesogpu.store.layout import Layout, make_layout
from mesogpu.store.lock import PathLock
from mesogpu.store.raw import BlockFile, checksum, untouched
from mesogpu.store.runlog import log_path
from mesogpu.store.sink import Sink
from mesogpu.store.skeleton import LIBVER, bare_dimension, write_structure
from mesogpu.store.stored import stored_plan
from mesogpu.store.variables import COMMIT, COMMITTED, EMPTY, RUN_LOG, Variable

_LEVEL: Final = 4
"""Of gzip, after the shuffle of bytes."""

_CHUNK_BYTES: Final = 1 << 18
"""Of a chunk, at most and as near as rows allow."""

_CACHE_BYTES: Final = 1 << 26
"""Chunks of each dataset that are kept until they are full: one of every length."""

_CACHE_SLOTS: Final = 10_007

_ROWS: Final = 4096
"""Realizations of a point that are handed to HDF5 at once, about."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What a packing did.

    bytes_before, bytes_after : sizes of the file and of its copy
    blocks, blocks_in_all     : blocks that the copy holds, of those that a complete one would
    """

    bytes_before: int
    bytes_after: int
    blocks: int
    blocks_in_all: int

    @property
    def ratio(self) -> float:
        """How many times smaller the copy is."""
        return self.bytes_before / self.bytes_after

    @property
    def complete(self) -> bool:
        """Whether the copy holds every block."""
        return self.blocks == self.blocks_in_all


def pack(path: str | os.PathLike[str], out: str | os.PathLike[str]) -> Packed:
    """Write a compressed copy of a results file, with its run log; it has its name only once it reads back right.

    Of an unfinished file the copy holds what is committed, also while its run goes on. Equal files make equal copies,
    but for the log.

    path   : a results file
    out    : the copy, a new file
    raises : StoreError where there is nothing to pack, or something at `out`; DamagedFileError where the file is not
             as it was written; EnvironmentFault where the disk refuses, or the copy does not read back
    """
    source, target = Path(path), Path(out)
    prior = find(source)
    if prior is None:
        raise StoreError(f"{source}: no such file; give the output of a mesogpu run")
    if prior.packed:
        raise StoreError(f"{source}: is packed already; copy it as it is")
    if not target.parent.is_dir():
        raise StoreError(f"{target}: there is no directory {target.parent}; create it, or choose another name with -o")
    _require_free(target)
    if not prior.is_whole():
        raise prior.damage()
    layout = make_layout(stored_plan(prior), mixed=prior.mixed)
    lock = PathLock(target)
    lock.acquire()
    try:
        _require_free(target)
        settle(target, None)
        with explained(target, "packing"):
            return _pack(prior, layout, target)
    finally:
        lock.release()


def _require_free(target: Path) -> None:
    if os.path.lexists(target):
        raise StoreError(f"{target}: is there already; remove it, or choose another name with -o")


def _pack(prior: Existing, layout: Layout, target: Path) -> Packed:
    aside = target.with_name(f"{target.name}.tmp{os.getpid()}")
    log = log_path(prior.path)
    lines = log.read_bytes() if log.exists() else b""
    try:
        with prior.path.open("rb") as file:
            blocks = BlockFile(file.fileno(), layout, prior.offsets)
            entries = blocks.entries().copy()
            entries[entries["state"] != COMMITTED] = EMPTY
            _write(aside, prior, blocks, entries, lines)
        _require_equal(aside, prior, layout, entries, lines)
        aside.chmod(aside.stat().st_mode & 0o444)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    synchronize_directory(target.parent)
    done = int(np.count_nonzero(entries["state"]))
    return Packed(prior.path.stat().st_size, target.stat().st_size, done, entries.size)


def _write(aside: Path, prior: Existing, blocks: BlockFile, entries: NDArray[Any], lines: bytes) -> None:
    layout = blocks.layout
    group = max(1, _ROWS // layout.block_size)
    with Sink(aside) as sink:
        with h5py.File(sink, "w", libver=LIBVER, rdcc_nbytes=_CACHE_BYTES, rdcc_nslots=_CACHE_SLOTS) as file:
            write_structure(file, layout, prior.attributes, _compressed)
            file[COMMIT.name][...] = entries
            _write_log(file, lines)
            # Kept open: with a dataset HDF5 closes, and writes, the chunks of it that are not full yet.
            datasets = {variable.name: file[variable.name] for variable in layout.results}
            for point in range(layout.sizes["point"]):
                for first in range(0, layout.sizes["block"], group):
                    chosen = range(first, min(first + group, layout.sizes["block"]))
                    if entries[point, chosen.start : chosen.stop]["state"].any():
                        _copy(datasets, blocks, entries, point, chosen, prior)
                        sink.require_written()
        sink.require_written()
        os.fsync(sink.fileno())


def _write_log(file: h5py.File, lines: bytes) -> None:
    if lines:
        bare_dimension(file, RUN_LOG.dims[0], len(lines))
        log = _dataset(file, RUN_LOG, (len(lines),))
        log.attrs.update(RUN_LOG.attributes())
        log.dims[0].attach_scale(file[RUN_LOG.dims[0]])
        log[...] = np.frombuffer(lines, RUN_LOG.dtype)


def _copy(
    datasets: Mapping[str, h5py.Dataset],
    blocks: BlockFile,
    entries: NDArray[Any],
    point: int,
    chosen: range,
    prior: Existing,
) -> None:
    """Put neighbouring blocks of a point into the copy; those that are not committed as never computed."""
    layout, arrays = blocks.layout, []
    for block in chosen:
        state, crc = entries[point, block]
        parts = blocks.read(point, block) if state else untouched(layout, block)
        if state and checksum(point, block, parts) != crc:
            raise DamagedFileError(
                f"{prior.path}: block {block} of point {point} is damaged; mesogpu verify --repair takes it out, and "
                "the run that made the file computes it again"
            )
        arrays.append(blocks.arrays(block, parts))
    for variable in layout.results:
        axis = variable.dims.index("block" if "block" in variable.dims else "realization")
        values = np.concatenate([each[variable.name] for each in arrays], axis=axis - 1)
        first = chosen.start * (1 if "block" in variable.dims else layout.block_size)
        place = (point, *[slice(None)] * (axis - 1), slice(first, first + values.shape[axis - 1]))
        datasets[variable.name][place] = values


def _compressed(file: h5py.File, variable: Variable, layout: Layout) -> h5py.Dataset:
    return _dataset(file, variable, layout.shape(variable))


def _dataset(file: h5py.File, variable: Variable, shape: tuple[int, ...]) -> h5py.Dataset:
    dtype = np.dtype(variable.dtype)
    return file.create_dataset(
        variable.name,
        shape,
        dtype,
        chunks=_chunks(shape, dtype.itemsize),
        shuffle=True,
        compression="gzip",
        compression_opts=_LEVEL,
        fletcher32=True,
        fillvalue=None if dtype.names else variable.fill,
        track_times=False,
    )


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Whole inner axes as far as they fit into a chunk, a part of the next, one of each before."""
    chunks, room = [], max(1, _CHUNK_BYTES // itemsize)
    for extent in reversed(shape):
        # A power of two rows, so that blocks and chunks begin together.
        chunks.append(extent if extent <= room else 1 << (max(1, room).bit_length() - 1))
        room //= max(1, extent)
    return tuple(reversed(chunks))


def _require_equal(aside: Path, prior: Existing, layout: Layout, entries: NDArray[Any], lines: bytes) -> None:
    """Read the copy back through HDF5, as every later reader will."""
    try:
        with opened(aside) as (file, _):
            blocks = Hdf5Blocks(file, layout)
            whole = dict(file.attrs) == dict(prior.attributes) and bool((blocks.entries() == entries).all())
            whole &= not lines or file[RUN_LOG.name][()].tobytes() == lines
            for variable, values in layout.coordinates:
                whole &= bool(np.array_equal(file[variable.name][()], values))
            for point, block in np.argwhere(entries["state"]).tolist():
                whole &= checksum(point, block, blocks.read(point, block)) == entries[point, block]["crc32c"]
    except StoreError as error:
        raise EnvironmentFault(f"{aside}: the copy cannot be read back ({error}); check the disk") from error
    if not whole:
        raise EnvironmentFault(f"{aside}: the copy does not read back as it was written; check the disk")
