"""How far a run has come, read from the file while the run goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.plan import Plan, Status
from mesogpu.store.existing import opened
from mesogpu.store.faults import explained
from mesogpu.store.layout import make_layout
from mesogpu.store.manifest import Manifest, manifest_path
from mesogpu.store.provenance import PART, is_mixed
from mesogpu.store.raw import BlockFile
from mesogpu.store.reader import committed_blocks, require_file
from mesogpu.store.variables import COMMITTED, SIGNATURE

_SAMPLES: Final = 1 << 23
"""Status bytes held at once."""


@dataclass(frozen=True, slots=True)
class PointProgress:
    """Progress of one point: sweep parameters by coordinate name; realizations done, in all, failed at any length."""

    parameters: dict[str, float]
    done: int
    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a results file, in realizations; `failed` counts those with a failed sample at any length.

    signatures : how many are done of each arithmetic signature; of more than one where the file is mixed
    """

    done: int
    total: int
    failed: int
    points: tuple[PointProgress, ...]
    signatures: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether nothing is left to compute."""
        return self.done == self.total


def read_progress(path: str | os.PathLike[str]) -> Progress:
    """How much of a results file is committed.

    path   : a results file, also while a run is writing it
    raises : StoreError where it is missing or not ours; DamagedFileError where HDF5 cannot read it; EnvironmentFault
             where it may not be read
    """
    target = Path(path)
    require_file(target)
    with explained(target, "reading"), opened(target) as (file, structure):
        committed = committed_blocks(file)
        block_size, total = structure.block_size, structure.realizations
        rows = np.minimum(block_size, total - block_size * np.arange(committed.shape[1]))
        done = committed @ rows
        failed = _failed(file["status"], committed, block_size)
        signatures = _signatures(file, structure.signatures, np.where(committed, rows, 0))
        columns = {name: file[name][()].tolist() for name in structure.parameters}
    points = tuple(
        PointProgress({name: values[k] for name, values in columns.items()}, int(done[k]), total, int(failed[k]))
        for k in range(len(committed))
    )
    return Progress(int(done.sum()), total * len(points), int(failed.sum()), points, signatures)


def count_done(path: str | os.PathLike[str], plan: Plan) -> tuple[int, int]:
    """Realizations done, and of them with a failed sample, of a file whose plan is known; ten times as fast as HDF5.

    path   : a results file of this plan, also while a run is writing it
    raises : StoreError where it is missing or of something else; DamagedFileError where it is not as it was created
    """
    target = Path(path)
    require_file(target)
    with explained(target, "reading"), target.open("rb") as file:
        manifest = Manifest.load(manifest_path(target))
        part = plan.part.text() if plan.part else None
        if (manifest.attributes["config_sha256"], manifest.attributes.get(PART)) != (plan.experiment.identity(), part):
            raise StoreError(f"{target}: holds another experiment, or another part of it; move it away")
        size = os.fstat(file.fileno()).st_size
        layout = make_layout(plan, mixed=is_mixed(manifest.attributes))
        if size != manifest.size or layout.block_size != manifest.attributes["block_size"]:
            raise DamagedFileError(f"{target}: is not as it was created; mesogpu verify tells what can be restored")
        committed = BlockFile(file.fileno(), layout, manifest.offsets).entries()["state"] == COMMITTED
        [variable] = [each for each in layout.results if each.name == "status"]
        status = np.memmap(file, np.dtype("u1"), "r", manifest.offsets[variable.name], layout.shape(variable))
        rows = [layout.rows(block) for block in range(committed.shape[1])]
        return int((committed @ np.array(rows)).sum()), int(_failed(status, committed, layout.block_size).sum())


def _signatures(file: h5py.File, names: tuple[str, ...], done: NDArray[np.int64]) -> dict[str, int]:
    """Realizations done of each arithmetic signature.

    done : (points, blocks) int64
    """
    marks = file[SIGNATURE.name][()] if len(names) > 1 else np.zeros(done.shape, "u1")
    return {name: int(done[marks == index].sum()) for index, name in enumerate(names)}


def _failed(status: Any, committed: NDArray[np.bool_], block_size: int) -> NDArray[np.int64]:
    """Realizations a point with a failed sample, among committed blocks; (points,) int64.

    status : (points, lengths, realizations) uint8, an array or a dataset
    """
    points, lengths, realizations = status.shape
    counts = np.zeros(points, np.int64)
    blocks = max(1, _SAMPLES // (lengths * block_size))
    group = max(1, _SAMPLES // (lengths * min(realizations, blocks * block_size)))
    for point in range(0, points, group):
        for block in range(0, committed.shape[1], blocks):
            part: NDArray[np.bool_] = committed[point : point + group, block : block + blocks]
            if not part.any():
                continue
            rows = slice(block * block_size, min(realizations, (block + blocks) * block_size))
            values: NDArray[Any] = status[point : point + group, :, rows]
            failed = (values >= Status.FAILED_UNITARITY) & (values < Status.NOT_COMPUTED)
            known = np.repeat(part, block_size, axis=1)[:, : values.shape[2]]
            counts[point : point + group] += (failed.any(axis=1) & known).sum(axis=1)
    return counts
