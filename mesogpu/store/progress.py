"""How far a run has come, read from the file while the run goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from mesogpu.plan import Status
from mesogpu.store.existing import opened
from mesogpu.store.faults import explained
from mesogpu.store.reader import committed_blocks, require_file
from mesogpu.store.variables import SIGNATURE

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


def _signatures(file: h5py.File, names: tuple[str, ...], done: NDArray[np.int64]) -> dict[str, int]:
    """Realizations done of each arithmetic signature.

    done : (points, blocks) int64
    """
    marks = file[SIGNATURE.name][()] if len(names) > 1 else np.zeros(done.shape, "u1")
    return {name: int(done[marks == index].sum()) for index, name in enumerate(names)}


def _failed(status: h5py.Dataset, committed: NDArray[np.bool_], block_size: int) -> NDArray[np.int64]:
    """Realizations a point with a failed sample, among committed blocks; (points,) int64."""
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
