"""Blocks as bytes at fixed offsets: everything that is read or written after creation, without HDF5 in between."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError, MesogpuError
from mesogpu.plan import BlockResult
from mesogpu.store.layout import Layout
from mesogpu.store.variables import AUDIT, COMMIT, COMMIT_ENTRY, COMMITTED, EMPTY, SIGNATURE, Variable

_PIECE_BYTES: Final = 1 << 20
synchronize = getattr(os, "fdatasync", os.fsync)
"""Data and size to the disk; macOS knows only the stronger call."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """Where one variable's share of a block lies: `outer` runs of whole rows, `extent` rows apart."""

    variable: Variable
    offset: int
    outer: int
    extent: int
    row_bytes: int

    @property
    def a_row_a_block(self) -> bool:
        return "block" in self.variable.dims

    def runs(self, point: int, first: int, count: int) -> Iterator[tuple[int, int]]:
        """(offset, bytes) of each run, in the order of the array's own bytes."""
        for k in range(point * self.outer, (point + 1) * self.outer):
            yield self.offset + (k * self.extent + first) * self.row_bytes, count * self.row_bytes


class BlockFile:
    """The blocks of an open results file.

    descriptor : open file; for writing where blocks are written
    layout     : what the file holds
    offsets    : first byte of each dataset, by name
    """

    def __init__(self, descriptor: int, layout: Layout, offsets: Mapping[str, int]) -> None:
        self.layout = layout
        self._descriptor = descriptor
        self.offsets = offsets
        self._strips = tuple(self._strip(variable) for variable in layout.results)
        self._blocks = layout.sizes["block"]

    def encode(self, result: BlockResult, signature: int = 0) -> list[bytes]:
        """The bytes of a result, one item a variable in file order, eigenvalues padded with NaN to the file's channels.

        signature : which line of the file's attribute tells the arithmetic of the block; stored in a mixed file alone
        raises    : MesogpuError where the result is not what the block's layout asks for (a bug in a backend)
        """
        rows, first = self.layout.rows(result.index), self.layout.first(result.index)
        if result.count != rows or result.first != first:
            raise MesogpuError(
                f"block {result.index} of point {result.point}: realizations {result.first} + {result.count}, "
                f"the file expects {first} + {rows}; please report this"
            )
        given = {**result.arrays, AUDIT.name: result.audit, SIGNATURE.name: signature}
        return [self._encode(strip, result, given.get(strip.variable.name)) for strip in self._strips]

    def decode(self, point: int, block: int, parts: Sequence[bytes]) -> tuple[BlockResult, int]:
        """What `encode` made these bytes of, as wide as this file's channels, and the signature; it took no time."""
        arrays = self.arrays(block, parts)
        signature = int(arrays.pop(SIGNATURE.name, np.zeros(1))[0])
        audit = arrays.pop(AUDIT.name)[..., 0]
        rows = self.layout.rows(block)
        return BlockResult(point, block, self.layout.first(block), rows, arrays, audit, 0.0), signature

    def arrays(self, block: int, parts: Sequence[bytes]) -> dict[str, NDArray[Any]]:
        """A block's bytes as its share of each variable of the file, without the axis of the points."""
        return {
            variable.name: np.frombuffer(part, variable.dtype).reshape(self.layout.block_shape(variable, block))
            for variable, part in zip(self.layout.results, parts, strict=True)
        }

    def read(self, point: int, block: int) -> list[bytes]:
        """The bytes of a block as they are in the file, one item a variable.

        raises : DamagedFileError where the file ends before them
        """
        return [b"".join(self._read(*run) for run in self._runs(strip, point, block)) for strip in self._strips]

    def write(self, point: int, block: int, parts: Sequence[bytes]) -> None:
        """Put a block's bytes in their place; durable after `synchronize`, counted after `mark`."""
        for strip, part in zip(self._strips, parts, strict=True):
            view, start = memoryview(part), 0
            for offset, length in self._runs(strip, point, block):
                self._write(view[start : start + length], offset)
                start += length

    def mark(self, point: int, block: int, parts: Sequence[bytes]) -> None:
        """Enter a block into the commit table with the checksum of its bytes."""
        self._write(struct.pack("<II", COMMITTED, checksum(point, block, parts)), self._entry(point, block))

    def clear(self, point: int, block: int) -> None:
        """Take a block out of the commit table and make it all fill values, as if never computed."""
        self._write(EMPTY.tobytes(), self._entry(point, block))
        self.write(point, block, untouched(self.layout, block))

    def entries(self) -> NDArray[Any]:
        """The commit table, (points, blocks) of {state u4, crc32c u4}."""
        shape = self.layout.shape(COMMIT)
        table = self._read(self.offsets[COMMIT.name], self.layout.nbytes(COMMIT))
        return np.frombuffer(table, COMMIT_ENTRY).reshape(shape)

    def fill_all(self) -> None:
        """Write fill values over every block and empty entries over the commit table: the state at creation."""
        self._fill(self.offsets[COMMIT.name], EMPTY.tobytes(), math.prod(self.layout.shape(COMMIT)))
        for variable in self.layout.results:
            self._fill(self.offsets[variable.name], _fill_value(variable), math.prod(self.layout.shape(variable)))

    def extents(self) -> list[tuple[int, int]]:
        """(first byte, bytes) of everything that is written after creation, in file order."""
        return sorted((self.offsets[v.name], self.layout.nbytes(v)) for v in (COMMIT, *self.layout.results))

    def _strip(self, variable: Variable) -> _Strip:
        shape = self.layout.shape(variable)
        row = variable.dims.index("block" if "block" in variable.dims else "realization")
        row_bytes = math.prod(shape[row + 1 :]) * np.dtype(variable.dtype).itemsize
        return _Strip(variable, self.offsets[variable.name], math.prod(shape[1:row]), shape[row], row_bytes)

    def _runs(self, strip: _Strip, point: int, block: int) -> Iterator[tuple[int, int]]:
        if strip.a_row_a_block:
            return strip.runs(point, block, 1)
        return strip.runs(point, block * self.layout.block_size, self.layout.rows(block))

    def _encode(self, strip: _Strip, result: BlockResult, given: Any) -> bytes:
        variable = strip.variable
        if given is None:
            raise MesogpuError(
                f"block {result.index} of point {result.point}: {variable.name} is missing; please report this"
            )
        array = np.asarray(given, variable.dtype)
        expected = [self.layout.sizes[dim] for dim in variable.dims[1:]]
        if strip.a_row_a_block:
            array = array[..., np.newaxis]
            expected[-1] = 1
        else:
            expected[variable.dims.index("realization") - 1] = result.count
        if variable.dims[-1] == "channel" and array.shape[-1] < expected[-1]:
            padding = [(0, 0)] * (array.ndim - 1) + [(0, expected[-1] - array.shape[-1])]
            array = np.pad(array, padding, constant_values=variable.fill)
        if array.shape != tuple(expected):
            raise MesogpuError(
                f"block {result.index} of point {result.point}: {variable.name} has shape {array.shape}, "
                f"the file expects {tuple(expected)}; please report this"
            )
        return array.tobytes()

    def _entry(self, point: int, block: int) -> int:
        return self.offsets[COMMIT.name] + COMMIT_ENTRY.itemsize * (point * self._blocks + block)

    def _fill(self, offset: int, value: bytes, count: int) -> None:
        chunk = value * (_PIECE_BYTES // len(value))
        end = offset + count * len(value)
        while offset < end:
            piece = chunk[: end - offset]
            self._write(piece, offset)
            offset += len(piece)

    def _read(self, offset: int, length: int) -> bytes:
        # A large piece is asked for only if it is there: its length may come from a file that lies.
        data = os.pread(self._descriptor, min(length, _PIECE_BYTES), offset)
        while len(data) < length:
            size = os.fstat(self._descriptor).st_size
            if size < offset + length:
                raise DamagedFileError(
                    f"the file ends at byte {size}, its data go to {offset + length}: it was cut short; "
                    "mesogpu verify --repair keeps what is whole"
                )
            data += os.pread(self._descriptor, length - len(data), offset + len(data))
        return data

    def _write(self, data: bytes | memoryview, offset: int) -> None:
        written = os.pwrite(self._descriptor, data, offset)
        while written < len(data):
            written += os.pwrite(self._descriptor, memoryview(data)[written:], offset + written)


def checksum(point: int, block: int, parts: Sequence[bytes]) -> int:
    """CRC-32C over point and block (u4 each) and the bytes of every variable in file order."""
    crc = int(crc32c(struct.pack("<II", point, block)))
    for part in parts:
        crc = int(crc32c(part, crc))
    return crc


def untouched(layout: Layout, block: int) -> list[bytes]:
    """The bytes of a block that was never computed, all fill values, one item a variable in file order."""
    return [_filled(variable, math.prod(layout.block_shape(variable, block))) for variable in layout.results]


def _fill_value(variable: Variable) -> bytes:
    return np.array(variable.fill, variable.dtype).tobytes()


@lru_cache(maxsize=64)
def _filled(variable: Variable, count: int) -> bytes:
    return _fill_value(variable) * count
