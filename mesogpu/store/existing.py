"""What stands at a path: nothing, something that is not ours, or a results file, and of which experiment."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.store.faults import explained
from mesogpu.store.layout import METADATA_BLOCK
from mesogpu.store.manifest import describes, manifest_path, pending_path
from mesogpu.store.provenance import ATTRIBUTES, FILETYPE, FORMAT_VERSION
from mesogpu.store.structure import Structure, attribute, examine

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_CACHE_BYTES: Final = 1 << 24
"""Unpacked chunks of each dataset of a packed file that are kept at hand: one of every length, for what comes next."""

MALFORMED: Final = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
"""What h5py, and code that relies on a file's structure, raise where that structure is not there."""


@dataclass(frozen=True)
class Existing(Structure):
    """A results file that is there.

    path : where
    """

    path: Path

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
        raw, file, structure = open_hdf5(path)
        file.close()
        raw.close()
        return Existing(**vars(structure), path=path)


@contextmanager
def opened(path: Path) -> Iterator[tuple[h5py.File, Structure]]:
    """A results file open for reading through HDF5, and how it is built; without any lock, whatever else has it open.

    raises : StoreError for a file that is not ours; DamagedFileError for one of ours that HDF5 cannot read, or whose
             contents the body of the `with` cannot make sense of
    """
    raw, file, structure = open_hdf5(path)
    try:
        yield file, structure
    except MALFORMED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise malformed(path, error) from error
    finally:
        file.close()
        raw.close()


def open_hdf5(path: Path) -> tuple[Any, h5py.File, Structure]:
    """(file object, HDF5 file over it, how it is built), both for the caller to close; raises as `opened`.

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
        try:
            _require_ours(path, file)
            return raw, file, examine(file, os.fstat(raw.fileno()).st_size)
        except (*MALFORMED, MemoryError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise malformed(path, error) from error
    except BaseException:
        raw.close()
        raise


def malformed(path: Path, error: Exception) -> DamagedFileError:
    """The error for a file that says it is ours and is not built as ours are."""
    return DamagedFileError(
        f"{path}: it is not built as mesogpu builds its files ({error}); mesogpu verify tells what can be restored"
    )


def _require_ours(path: Path, file: h5py.File) -> None:
    try:
        found = {name: attribute(file.id, name) for name in ("filetype", "format_version")}
    except ValueError as error:
        raise _unreadable(path, "is an HDF5 file that mesogpu did not write") from error
    except MALFORMED as error:
        raise _unreadable(path, f"HDF5 cannot read its attributes ({error})") from error
    if found["filetype"] != FILETYPE or not isinstance(found["format_version"], int):
        raise _unreadable(path, "is an HDF5 file that mesogpu did not write")
    if found["format_version"] > FORMAT_VERSION:
        raise StoreError(
            f"{path}: has format {found['format_version']}, this version reads up to {FORMAT_VERSION}; install mesogpu "
            f"{attribute(file.id, 'mesogpu_version')} or newer"
        )


def _unreadable(path: Path, reason: str) -> StoreError:
    """Damage where a manifest, or the header's names, say that the file was ours; else a file of somebody else."""
    if manifest_path(path).exists() or _bears_our_names(path):
        witness = "its manifest says" if manifest_path(path).exists() else "names in it say"
        return DamagedFileError(
            f"{path}: {reason}, though {witness} that it is ours; mesogpu verify --repair restores it, or says what it "
            "needs to"
        )
    return StoreError(f"{path}: {reason}; choose another file, or another output with -o")


def _bears_our_names(path: Path) -> bool:
    """Whether the beginning of a file holds the names that stand at the beginning of all of ours."""
    with path.open("rb") as file:
        beginning = file.read(2 * METADATA_BLOCK)
    return FILETYPE.encode() in beginning and all(name.encode() in beginning for name in ATTRIBUTES)
