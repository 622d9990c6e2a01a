"""OUT.h5.manifest.json: what the file looks like apart from its blocks, enough to notice damage and to rebuild it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from mesogpu.errors import DamagedFileError
from mesogpu.store.provenance import FORMAT_VERSION

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """The manifest of one results file.

    config          : resolved YAML
    config_sha256   : identity of the experiment
    experiment      : the resolved experiment as a document, to say what differs from another one
    signature       : arithmetic signature of the blocks
    size            : bytes of the file
    offsets         : first byte of every array that is written after creation
    metadata_sha256 : SHA-256 of all bytes outside those arrays
    """

    config: str
    config_sha256: str
    experiment: Mapping[str, Any]
    signature: str
    size: int
    offsets: Mapping[str, int]
    metadata_sha256: str

    def save(self, path: Path) -> None:
        """Write to a new file and to the disk."""
        text = json.dumps({"format_version": FORMAT_VERSION} | asdict(self), indent=1, sort_keys=True)
        with path.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a manifest.

        raises : DamagedFileError where it is not there or not as it was written
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{name: document[name] for name in cls.__dataclass_fields__})
        except FileNotFoundError:
            reason = "is missing"
        except (ValueError, KeyError, TypeError):
            reason = "is damaged"
        raise DamagedFileError(
            f"{path}: {reason}, so the results file beside it cannot be checked before it is written to; "
            "mesogpu verify --repair rebuilds it"
        )


def describes(manifest: Path, path: Path, extents: Iterable[tuple[int, int]]) -> bool:
    """Whether a file has the size and, outside its arrays, the very bytes that a manifest states.

    extents : (first byte, bytes) of the arrays
    """
    try:
        stated = Manifest.load(manifest)
    except DamagedFileError:
        return False
    with path.open("rb") as file:
        descriptor = file.fileno()
        return (
            os.fstat(descriptor).st_size == stated.size and hash_outside(descriptor, extents) == stated.metadata_sha256
        )


def manifest_path(path: Path) -> Path:
    """Where the manifest of a results file lies."""
    return path.with_name(path.name + ".manifest.json")


def pending_path(path: Path) -> Path:
    """Where the manifest waits until its results file has its name."""
    return path.with_name(path.name + ".manifest.json.next")


def hash_outside(descriptor: int, extents: Iterable[tuple[int, int]]) -> str:
    """SHA-256 of a file's bytes outside (offset, length) extents, in hexadecimal."""
    digest = hashlib.sha256()
    size = os.fstat(descriptor).st_size
    position = 0
    for offset, length in [*sorted(extents), (size, 0)]:
        while position < offset:
            data = os.pread(descriptor, min(_CHUNK, offset - position), position)
            if not data:
                break
            digest.update(data)
            position += len(data)
        position = offset + length
    return digest.hexdigest()
