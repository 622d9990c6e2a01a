"""One results file out of those of its parts: every block checked, nothing there until all of it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError, EnvironmentFault, StoreError
from mesogpu.plan import Part, Plan
from mesogpu.store.creation import publish, settle
from mesogpu.store.existing import Existing, find
from mesogpu.store.faults import explained
from mesogpu.store.layout import make_layout
from mesogpu.store.lock import PathLock
from mesogpu.store.provenance import PART, file_attributes
from mesogpu.store.raw import BlockFile
from mesogpu.store.scan import State, scan
from mesogpu.store.variables import COMMITTED

_SHOWN = 5


@dataclass(frozen=True)
class Merged:
    """What a merge found and did.

    done    : (points, blocks) bool, of the whole plan: blocks that the parts, or the merged file, have
    written : whether there is a new merged file; not where blocks are missing, nor where the old one has them all
    """

    done: NDArray[np.bool_]
    written: bool

    @property
    def complete(self) -> bool:
        """Whether no block is missing."""
        return bool(self.done.all())


@dataclass(frozen=True)
class _Source:
    """A file that has some blocks of the plan.

    plan : of what it has: the whole, or a part
    """

    file: Existing
    plan: Plan

    @property
    def window(self) -> tuple[slice, slice]:
        """Where it lies in the whole: points, blocks."""
        return self.plan.part.window if self.plan.part else (slice(None), slice(None))

    def committed(self) -> NDArray[np.bool_]:
        """By its commit table, (points, blocks)."""
        with self.file.path.open("rb") as file:
            return np.asarray(self.blocks(file.fileno()).entries()["state"] == COMMITTED)

    def blocks(self, descriptor: int) -> BlockFile:
        """Its blocks, of the open file."""
        return BlockFile(descriptor, make_layout(self.plan, mixed=self.file.mixed), self.file.offsets)


def merge(
    path: str | os.PathLike[str],
    plan: Plan,
    parts: Sequence[tuple[Path, Part]],
    *,
    config_text: str,
    partial: bool = False,
    mixed: bool = False,
) -> Merged:
    """Make the results file of a plan out of files of its parts.

    Unless signatures are mixed, the result is byte for byte the file that one run would have written. Every block has
    its checksum checked on the way. What the merged file itself has from before is taken over as well.

    path    : the merged file
    parts   : (file, which part of the plan it has); a file that is not there has no block
    partial : whether a file is also made where blocks are missing, for `mesogpu run` or a later merge to go on with
    mixed   : whether blocks of different arithmetic signatures may stand in it, each marked as what it is
    raises  : StoreError for a file of another experiment or part, or signatures that differ; DamagedFileError for
              blocks that are not as they were committed; EnvironmentFault where the disk refuses or the file is being
              written
    """
    target = Path(os.path.realpath(path))
    lock = PathLock(target)
    lock.acquire()
    try:
        prior = find(target)
        settle(target, prior)
        sources = [_source(prior, plan)] if prior else []
        complete_before = bool(sources) and bool(sources[0].committed().all())
        sources += [_source(found, plan.only(part)) for file, part in parts if (found := find(file)) is not None]
        done = np.zeros((len(plan.points), plan.blocks_per_point), bool)
        for source in sources:
            done[source.window] |= source.committed()
        if complete_before or not (done.all() or partial):
            return Merged(done, written=False)
        signatures = _signatures(sources, mixed=mixed)
        attributes = file_attributes(plan, config_text=config_text, signature="\n".join(signatures))

        def copy(blocks: BlockFile) -> None:
            left = done.copy()
            for source in sources:
                _take(source, blocks, signatures, left)
            if left.any():
                raise EnvironmentFault(
                    f"{target}: {int(left.sum())} blocks vanished from their files while these were merged; merge again"
                )

        with explained(target, "merging"):
            publish(target, plan, attributes, copy)
            target.chmod(stat.S_IMODE(target.stat().st_mode) & 0o444)
    finally:
        lock.release()
    return Merged(done, written=True)


def _source(file: Existing, plan: Plan) -> _Source:
    """A file as a source of blocks, if it is that of this plan."""
    part = plan.part.text() if plan.part else None
    expected = (plan.experiment.identity(), plan.block_size, plan.realizations, part)
    attributes = file.attributes
    if (
        file.packed
        or (attributes["config_sha256"], file.block_size, file.realizations, attributes.get(PART)) != expected
    ):
        raise StoreError(
            f"{file.path}: does not belong to this run: it is of another experiment, another part of it, or packed; "
            "move it away, what it should hold is then computed again"
        )
    return _Source(file, plan)


def _signatures(sources: Sequence[_Source], *, mixed: bool) -> tuple[str, ...]:
    """Every arithmetic signature, in the order of the sources."""
    known: dict[str, Path] = {}
    for source in sources:
        for signature in source.file.signatures:
            known.setdefault(signature, source.file.path)
    if len(known) > 1 and not mixed:
        told = "; ".join(f"{signature!r} in {path.name}" for signature, path in list(known.items())[:_SHOWN])
        raise StoreError(
            f"the parts were computed by different arithmetic, their results differ in the last bits: {told}; add "
            "--mixed to let them stand in one file with each block marked, or remove the parts of one kind and resume"
        )
    return tuple(known)


def _take(source: _Source, target: BlockFile, signatures: Sequence[str], left: NDArray[np.bool_]) -> None:
    """Copy the blocks of one source that are still to be taken; strikes them off."""
    first_point, first_block = (side.start or 0 for side in source.window)
    with source.file.path.open("rb") as file:
        blocks = source.blocks(file.fileno())
        for found in scan(blocks):
            point, block = first_point + found.point, first_block + found.block
            if found.state is State.DAMAGED:
                raise DamagedFileError(
                    f"{source.file.path}: block {found.block} of its point {found.point} is not what was committed; "
                    f"mesogpu verify {source.file.path} --repair keeps what is whole, mesogpu resume computes the rest"
                )
            if found.state is not State.COMMITTED or not left[point, block]:
                continue
            result, own = blocks.decode(found.point, found.block, found.parts)
            signature = signatures.index(source.file.signatures[own])
            parts = target.encode(replace(result, point=point, index=block), signature)
            target.write(point, block, parts)
            target.mark(point, block, parts)
            left[point, block] = False
