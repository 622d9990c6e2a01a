"""What is known of a results file, damaged or not, from its own bytes and from the manifest beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.plan import Plan
from mesogpu.store.existing import MALFORMED, open_hdf5
from mesogpu.store.hdf5_blocks import Hdf5Blocks
from mesogpu.store.layout import Layout, make_layout
from mesogpu.store.manifest import Manifest, claimed_attributes, hash_outside, manifest_path, pending_path
from mesogpu.store.provenance import is_mixed
from mesogpu.store.raw import BlockFile
from mesogpu.store.scan import Blocks
from mesogpu.store.stored import plan_of
from mesogpu.store.structure import Structure, root_attributes
from mesogpu.store.variables import COMMIT

FROM_MANIFEST: Final = "its manifest"
FROM_FILE: Final = "the file itself"
"""Sources of a truth that can be relied on; the first to the byte."""


@dataclass(frozen=True)
class Evidence:
    """A results file as it lies there.

    path            : where
    descriptor      : the file open for reading, -1 where there is none
    size            : bytes of it
    hdf5, structure : the same through HDF5 and how it is built, None where HDF5 does not get that far
    unreadable      : why it does not
    manifest        : None where it is missing or damaged
    unusable        : why there is none
    claims          : root attributes by other witnesses, none of which is whole
    """

    path: Path
    descriptor: int
    size: int
    hdf5: h5py.File | None
    structure: Structure | None
    unreadable: str
    manifest: Manifest | None
    unusable: str
    claims: Mapping[str, Mapping[str, Any]]

    @property
    def there(self) -> bool:
        """Whether there is a file at all."""
        return self.descriptor >= 0

    @property
    def packed(self) -> bool:
        """Whether it is a packed copy: those have no manifest."""
        return self.structure is not None and self.structure.packed


@dataclass(frozen=True)
class Truth:
    """What a results file should be.

    source     : what tells it, for messages
    attributes : of its root
    plan       : of the configuration among them
    layout     : what it holds
    offsets    : first byte of every array that is written after creation, by name; None where nothing tells
    """

    source: str
    attributes: Mapping[str, Any]
    plan: Plan
    layout: Layout
    offsets: Mapping[str, int] | None


@contextmanager
def gathered(path: Path) -> Iterator[Evidence]:
    """Everything there is to know, with the file open.

    raises : StoreError where there is nothing of ours; OSError
    """
    manifest, waiting, unusable = _manifests(path)
    claimed = claimed_attributes(manifest_path(path))
    claims = {"what is left of its manifest": claimed} if claimed else {}
    if not path.exists():
        if not manifest_path(path).exists():
            raise StoreError(f"{path}: no such file; give the output of a mesogpu run")
        yield Evidence(path, -1, 0, None, None, "is not there", manifest, unusable, claims)
        return
    if not path.is_file():
        raise StoreError(f"{path}: is not a file; give the output of a mesogpu run")
    hdf5, structure, unreadable = None, None, ""
    try:
        raw, hdf5, structure = open_hdf5(path)
    except DamagedFileError as error:
        unreadable = str(error).removeprefix(f"{path}: ").rpartition("; ")[0]
        raw = path.open("rb", buffering=0)
        claims = _read_attributes(raw) | claims
    try:
        if _is_described(waiting, raw.fileno(), structure):
            manifest, unusable = waiting, ""
        size = os.fstat(raw.fileno()).st_size
        yield Evidence(path, raw.fileno(), size, hdf5, structure, unreadable, manifest, unusable, claims)
    finally:
        if hdf5 is not None:
            hdf5.close()
        raw.close()


def truth(evidence: Evidence) -> Truth | None:
    """What the file should be, by the best witness: manifest, the file itself, what is left of a damaged manifest.

    returns : None where no witness says it
    raises  : StoreError where the configuration that a witness tells is for another version
    """
    manifest, structure, path = evidence.manifest, evidence.structure, evidence.path
    refusals: list[StoreError] = []
    for source, attributes, offsets in _witnesses(evidence):
        sizes = structure.sizes if structure and source == FROM_FILE else None
        try:
            plan = plan_of(attributes, path, sizes)
        except DamagedFileError:
            continue
        except StoreError as refusal:
            refusals.append(refusal)
            continue
        found = Truth(source, attributes, plan, make_layout(plan, mixed=is_mixed(attributes)), offsets)
        if source == FROM_MANIFEST and manifest and not fits(found, manifest.size):
            continue
        same = structure and (found.layout.sizes, found.layout.results) == (structure.sizes, structure.results)
        if source != FROM_FILE or same:
            return found
    if refusals:
        raise refusals[0]
    return None


def _witnesses(evidence: Evidence) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, int] | None]]:
    """Who tells root attributes and offsets, the best first."""
    if evidence.manifest is not None and not evidence.packed:
        yield FROM_MANIFEST, evidence.manifest.attributes, evidence.manifest.offsets
    if evidence.structure is not None:
        yield FROM_FILE, evidence.structure.attributes, evidence.structure.offsets
    for source, attributes in evidence.claims.items():
        yield source, attributes, None


def blocks_of(evidence: Evidence, true: Truth) -> Blocks | None:
    """The blocks that are there; None where there is no file, or nothing tells where in it they lie."""
    if evidence.packed and evidence.hdf5 is not None:
        return Hdf5Blocks(evidence.hdf5, true.layout)
    if evidence.there and true.offsets:
        return BlockFile(evidence.descriptor, true.layout, true.offsets)
    return None


def fits(found: Truth, size: int) -> bool:
    """Whether the arrays of a file lie inside it, none over another.

    size : bytes of the file
    """
    end = 0
    offsets = found.offsets or {}
    arrays = (COMMIT, *found.layout.results)
    if offsets.keys() != {each.name for each in arrays}:
        return False
    for offset, length in sorted((offsets[each.name], found.layout.nbytes(each)) for each in arrays):
        if offset < end or offset + length > size:
            return False
        end = offset + length
    return True


def _read_attributes(raw: Any) -> dict[str, Mapping[str, Any]]:
    """Root attributes of a file of which HDF5 can read no more than these."""
    try:
        with h5py.File(raw, "r") as file:
            return {"its attributes": root_attributes(file)}
    except MALFORMED:
        return {}


def _manifests(path: Path) -> tuple[Manifest | None, Manifest | None, str]:
    """The manifest, the one that waits to replace it, and why the first cannot be used."""
    waiting = None
    with suppress(DamagedFileError):
        waiting = Manifest.load(pending_path(path))
    try:
        return Manifest.load(manifest_path(path)), waiting, ""
    except DamagedFileError:
        return None, waiting, "is damaged" if manifest_path(path).exists() else "is missing"


def _is_described(waiting: Manifest | None, descriptor: int, structure: Structure | None) -> bool:
    """Whether a manifest that still waits is that of the file: a process died before it took its place."""
    if waiting is None or os.fstat(descriptor).st_size != waiting.size:
        return False
    return structure is None or hash_outside(descriptor, structure.extents.values()) == waiting.metadata_sha256
