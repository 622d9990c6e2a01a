"""OUT.h5.manifest.json: what the file looks like apart from its blocks, enough to notice damage and to rebuild it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.store.provenance import ATTRIBUTES, FORMAT_VERSION

_CHUNK: Final = 1 << 20
_MOST_BYTES: Final = 1 << 24
"""Of a manifest: the configuration in it is a mebibyte at most."""

_OWN_HASH: Final = "manifest_sha256"


@dataclass(frozen=True)
class Manifest:
    """The manifest of one results file.

    attributes      : root attributes of the file in their order, the resolved configuration among them
    size            : bytes of the file
    offsets         : first byte of every array that is written after creation
    metadata_sha256 : SHA-256 of all bytes outside those arrays
    """

    attributes: Mapping[str, str | int]
    size: int
    offsets: Mapping[str, int]
    metadata_sha256: str

    def save(self, path: Path) -> None:
        """Write to a new file and to the disk, with a hash of its own."""
        document = {"format_version": FORMAT_VERSION} | asdict(self)
        text = json.dumps(document | {_OWN_HASH: _hash(document)}, indent=1)
        with path.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a manifest.

        raises : DamagedFileError where it is not there or not as it was written; StoreError where a newer version
                 wrote it; OSError
        """
        try:
            document = _document(path)
        except FileNotFoundError:
            raise _useless(path, "is missing") from None
        if document is None or document.pop(_OWN_HASH, None) != _hash(document):
            raise _useless(path, "is damaged")
        if document["format_version"] > FORMAT_VERSION:
            raise StoreError(
                f"{path}: has format {document['format_version']}, this version reads up to {FORMAT_VERSION}; install "
                f"mesogpu {document['attributes'].get('mesogpu_version', '')} or newer"
            )
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})


def claimed_attributes(path: Path) -> Mapping[str, str | int]:
    """The attributes in a manifest even if it is damaged, a claim for others to confirm; empty where there are none."""
    try:
        document = _document(path)
    except OSError:
        return {}
    return document["attributes"] if document else {}


def describes(manifest: Path, path: Path, extents: Iterable[tuple[int, int]]) -> bool:
    """Whether a file has the size and, outside its arrays, the very bytes that a manifest states.

    extents : (first byte, bytes) of the arrays
    """
    try:
        stated = Manifest.load(manifest)
    except StoreError:
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
        while position < min(offset, size):
            data = os.pread(descriptor, min(_CHUNK, offset - position), position)
            if not data:
                break
            digest.update(data)
            position += len(data)
        position = max(position, offset + length)
    return digest.hexdigest()


def _document(path: Path) -> dict[str, Any] | None:
    """A manifest's JSON where it has the form of ours, else None."""
    with path.open("rb") as file:
        text = file.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and _is_well_formed(document) else None


def _is_well_formed(document: dict[str, Any]) -> bool:
    def is_count(value: Any) -> bool:
        return type(value) is int and 0 <= value < 2**63

    attributes, offsets, size = document.get("attributes"), document.get("offsets"), document.get("size")
    return (
        is_count(size)
        and is_count(document.get("format_version"))
        and isinstance(document.get("metadata_sha256"), str)
        and isinstance(attributes, dict)
        and set(ATTRIBUTES) <= attributes.keys()
        and all(isinstance(value, str) or is_count(value) for value in attributes.values())
        and isinstance(offsets, dict)
        and all(is_count(offset) and offset <= size for offset in offsets.values())
    )


def _hash(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _useless(path: Path, reason: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: {reason}, so the results file beside it cannot be checked before it is written to; "
        "mesogpu verify --repair rebuilds it"
    )
