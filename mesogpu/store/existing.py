"""What stands at a path: nothing, something that is not ours, or a results file, and of which experiment."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.store.faults import explained
from mesogpu.store.manifest import describes, manifest_path, pending_path
from mesogpu.store.provenance import FILETYPE, FORMAT_VERSION, is_mixed
from mesogpu.store.variables import COMMIT, RESULTS

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_CACHE_BYTES: Final = 1 << 24
"""Unpacked chunks of each dataset of a packed file that are kept at hand: one of every length, for what comes next."""

MALFORMED: Final = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
"""What h5py, and code that relies on a file's structure, raise where that structure is not there."""


@dataclass(frozen=True)
class Existing:
    """A results file that is there.

    path       : where
    attributes : root attributes
    shapes     : of every array and of the realization dimension, by name
    extents    : (first byte, bytes) of every array that is written after creation, by name; none of a packed file
    """

    path: Path
    attributes: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    extents: Mapping[str, tuple[int, int]]

    @property
    def realizations(self) -> int:
        """Realizations a point."""
        return self.shapes["realization"][0]

    @property
    def offsets(self) -> dict[str, int]:
        """First byte of every array that is written after creation, by name."""
        return {name: offset for name, (offset, _) in self.extents.items()}

    @property
    def packed(self) -> bool:
        """Whether it is a packed copy, which is never written to."""
        return not self.extents

    @property
    def block_size(self) -> int:
        """B, realizations a block."""
        return int(self.attributes["block_size"])

    @property
    def signatures(self) -> tuple[str, ...]:
        """Arithmetic signatures of the blocks, several where the file is mixed."""
        return tuple(str(self.attributes["signature"]).split("\n"))

    @property
    def mixed(self) -> bool:
        """Whether each block says of which signature it is."""
        return is_mixed(self.attributes)

    def is_whole(self) -> bool:
        """Whether size and structure are what the manifest says, or the one that waits to replace it."""
        candidates = (manifest_path(self.path), pending_path(self.path))
        return any(path.exists() and describes(path, self.path, self.extents.values()) for path in candidates)

    def damage(self) -> DamagedFileError:
        """The error for a file that is not whole."""
        return DamagedFileError(
            f"{self.path}: its size or structure is not what was created ({manifest_path(self.path).name} tells); "
            "mesogpu verify --repair restores it with every block that is whole"
        )


def find(path: Path) -> Existing | None:
    """The results file at a path, None where nothing is there.

    raises : StoreError for a directory or a file that is not ours or of a newer format; DamagedFileError for one of
             ours that HDF5 cannot open; EnvironmentFault where it cannot be read
    """
    with explained(path, "reading"):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(mode):
            raise StoreError(f"{path}: is a directory; name a file, such as {path / 'results.h5'}")
        if not stat.S_ISREG(mode):
            raise StoreError(f"{path}: is not an ordinary file; choose another output with -o")
        with opened(path) as file:
            return _describe(path, file)


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """A results file open for reading through HDF5, without any lock and whatever else has it open.

    raises : StoreError for a file that is not ours; DamagedFileError for one of ours that HDF5 cannot read, or whose
             contents the body of the `with` cannot make sense of
    """
    raw, file = open_hdf5(path)
    try:
        yield file
    except MALFORMED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _unreadable(path, f"its contents make no sense ({error})") from error
    finally:
        file.close()
        raw.close()


def open_hdf5(path: Path) -> tuple[Any, h5py.File]:
    """(file object, HDF5 file over it), both for the caller to close; raises as `opened`.

    HDF5 reads through the file object, so that it neither locks the file nor minds who else in this process has it.
    """
    raw = path.open("rb", buffering=0)
    try:
        if raw.read(len(_SIGNATURE)) != _SIGNATURE:
            raise _unreadable(path, "is not an HDF5 file")
        try:
            file = h5py.File(raw, "r", rdcc_nbytes=_CACHE_BYTES)
        except (OSError, RuntimeError, ValueError) as error:
            raise _unreadable(path, f"HDF5 cannot open it ({error})") from error
        _require_ours(path, file)
    except BaseException:
        raw.close()
        raise
    return raw, file


def _require_ours(path: Path, file: h5py.File) -> None:
    try:
        filetype, found = file.attrs.get("filetype"), file.attrs.get("format_version")
    except (OSError, RuntimeError, KeyError) as error:
        raise _unreadable(path, f"HDF5 cannot read its attributes ({error})") from error
    if not isinstance(filetype, str) or filetype != FILETYPE or not isinstance(found, np.integer):
        raise _unreadable(path, "is an HDF5 file that mesogpu did not write")
    if found > FORMAT_VERSION:
        raise StoreError(
            f"{path}: has format {found}, this version reads up to {FORMAT_VERSION}; install mesogpu "
            f"{file.attrs.get('mesogpu_version', '')} or newer"
        )


def _describe(path: Path, file: h5py.File) -> Existing:
    attributes = {name: value if isinstance(value, str) else int(value) for name, value in file.attrs.items()}
    for name in ("config_sha256", "signature", "block_size", "mesogpu_version"):
        attributes[name]
    expected = (COMMIT, *RESULTS[str(attributes["method"])])
    arrays = {variable.name: file[variable.name] for variable in expected if variable.name in file}
    shapes = {name: dataset.shape for name, dataset in arrays.items()} | {"realization": file["realization"].shape}
    if arrays[COMMIT.name].chunks:
        return Existing(path, attributes, shapes, {})
    extents = {name: (int(array.id.get_offset()), int(array.id.get_storage_size())) for name, array in arrays.items()}
    return Existing(path, attributes, shapes, extents)


def _unreadable(path: Path, reason: str) -> StoreError:
    """Damage where a manifest says that the file was ours, else a file of somebody else."""
    if manifest_path(path).exists():
        return DamagedFileError(
            f"{path}: {reason}, though its manifest says that it was; mesogpu verify --repair restores it"
        )
    return StoreError(f"{path}: {reason}; choose another file, or another output with -o")
