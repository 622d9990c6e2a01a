"""A results file comes into being complete: built aside, filled, checked, made durable, and only then named."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mesogpu.errors import EnvironmentFault
from mesogpu.plan import Plan
from mesogpu.store.existing import Existing, opened
from mesogpu.store.layout import Layout, file_bytes, make_layout
from mesogpu.store.manifest import Manifest, describes, hash_outside, manifest_path, pending_path
from mesogpu.store.provenance import is_mixed
from mesogpu.store.raw import BlockFile
from mesogpu.store.skeleton import build
from mesogpu.store.variables import COMMIT


def publish(
    path: Path, plan: Plan, attributes: Mapping[str, str | int], copy: Callable[[BlockFile], None] | None = None
) -> None:
    """Create the results file of a plan, or replace it by a larger one.

    The new file has its bytes on the disk before it is renamed, and its manifest waits beside it: whatever moment a
    process dies at, the name holds the old state or the new one, and `settle` puts the manifest right.

    attributes : of its root, as `provenance.file_attributes` gives them
    copy       : called with the new file's blocks, to enter those that are known already
    raises     : EnvironmentFault for too little space; OSError for what else the disk refuses
    """
    require_space(path, file_bytes(plan))
    layout = make_layout(plan, mixed=is_mixed(attributes))
    aside = path.with_name(f"{path.name}.tmp{os.getpid()}")
    try:
        offsets = build(aside, layout, attributes)
        with aside.open("r+b") as file:
            blocks = BlockFile(file.fileno(), layout, offsets)
            blocks.fill_all()
            _require_readable(aside, layout, attributes, offsets)
            if copy is not None:
                copy(blocks)
            os.fsync(file.fileno())
            manifest = describe(blocks, file.fileno(), attributes)
        manifest.save(pending_path(path))
        # Renames reach the disk in any order: the manifest has to be there before the file that needs it.
        synchronize_directory(path.parent)
        aside.replace(path)
    except BaseException:
        if aside.exists():
            pending_path(path).unlink(missing_ok=True)
            aside.unlink()
        raise
    synchronize_directory(path.parent)
    pending_path(path).replace(manifest_path(path))
    synchronize_directory(path.parent)


def describe(blocks: BlockFile, descriptor: int, attributes: Mapping[str, str | int]) -> Manifest:
    """The manifest of an open results file."""
    size, outside = os.fstat(descriptor).st_size, hash_outside(descriptor, blocks.extents())
    return Manifest(attributes, size, blocks.offsets, outside)


def publish_manifest(path: Path, manifest: Manifest) -> None:
    """Give a results file that is there its manifest."""
    manifest.save(pending_path(path))
    pending_path(path).replace(manifest_path(path))
    synchronize_directory(path.parent)


def sweep(path: Path) -> None:
    """Remove what processes that died while creating have left aside; the caller holds the lock."""
    for stale in path.parent.glob(f"{glob.escape(path.name)}.tmp[0-9]*"):
        stale.unlink()


def settle(path: Path, prior: Existing | None) -> None:
    """Clean up after a process that died while creating; the caller holds the lock.

    prior : the file at `path`, None where there is none
    """
    sweep(path)
    pending = pending_path(path)
    if not pending.exists():
        return
    if prior is not None and describes(pending, path, prior.extents.values()):
        # The process may have died before the file's own name was durable.
        synchronize_directory(path.parent)
        pending.replace(manifest_path(path))
        synchronize_directory(path.parent)
    else:
        pending.unlink()


def require_space(path: Path, needed: int) -> None:
    """Check that the disk has room for a new file.

    raises : EnvironmentFault with what is needed and what there is
    """
    space = os.statvfs(path.parent)
    available = space.f_bavail * space.f_frsize
    if needed > available:
        raise EnvironmentFault(
            f"{path}: the results need {needed / 1e6:.1f} MB, the disk has {available / 1e6:.1f} MB left; "
            "free space, choose another disk with -o, or record fewer observables, lengths or realizations"
        )


def synchronize_directory(directory: Path) -> None:
    """Make renames in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_readable(path: Path, layout: Layout, attributes: Mapping[str, Any], offsets: Mapping[str, int]) -> None:
    """Read the new file back through HDF5, as every later reader will."""
    with opened(path) as (file, _):
        whole = dict(file.attrs) == dict(attributes)
        for variable in (COMMIT, *layout.results):
            dataset = file[variable.name]
            whole &= dataset.shape == layout.shape(variable) and dataset.id.get_offset() == offsets[variable.name]
            ends = (dataset[(0,) * dataset.ndim], dataset[(-1,) * dataset.ndim])
            for value in ends if variable is not COMMIT else ():
                whole &= bool(np.isnan(value)) if math.isnan(variable.fill) else bool(value == variable.fill)
        for variable, values in layout.coordinates:
            whole &= bool(np.array_equal(file[variable.name][()], values))
    if not whole:
        raise EnvironmentFault(
            f"{path}: the new file does not read back as it was written; check the disk and its free space"
        )
