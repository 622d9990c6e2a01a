"""A damaged results file made whole: a fresh one with every block that can be trusted takes its place."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mesogpu.config.experiment import Experiment
from mesogpu.errors import DamagedFileError, EnvironmentFault, StoreError
from mesogpu.plan import make_plan
from mesogpu.store.creation import describe, publish, publish_manifest, sweep
from mesogpu.store.evidence import FROM_FILE, FROM_MANIFEST, Evidence, Truth, blocks_of, gathered, truth
from mesogpu.store.faults import explained
from mesogpu.store.layout import BORDER, make_layout
from mesogpu.store.lock import PathLock
from mesogpu.store.manifest import Manifest
from mesogpu.store.provenance import file_attributes
from mesogpu.store.raw import BlockFile
from mesogpu.store.runlog import append_log
from mesogpu.store.scan import State, scan
from mesogpu.store.skeleton import build
from mesogpu.store.variables import COMMIT, COMMIT_ENTRY, COMMITTED, EMPTY
from mesogpu.store.verify import Verification, examined, verify

UNKNOWN_SIGNATURE: Final = "unknown (repaired where neither file nor manifest told it)"
"""Of blocks whose arithmetic nothing tells any more: a run that adds to them has to be told to mix."""

_PAGES_AROUND: Final = 64
_TABLE_BYTES: Final = 1 << 16
_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did.

    before  : what was found
    changed : what was done, a sentence each; none where nothing was damaged
    kept    : the damaged original, None where the new file holds everything of it that could be of use
    after   : what is there now
    """

    before: Verification
    changed: tuple[str, ...]
    kept: Path | None
    after: Verification


def repair(path: str | os.PathLike[str], experiment: Experiment | None = None, *, digest: bool = False) -> Repair:
    """Make a damaged results file whole, ready to be gone on with; one that is whole is left alone.

    The skeleton is built anew from the configuration; blocks are copied whose checksums are right, and read back. The
    result, resumed, has the bytes of a file that was never damaged. The original stays beside it under another name
    where it holds a block that could not be taken over.

    experiment : what the file holds, asked for where neither file nor manifest tells; believed then
    digest     : as of `verify`, of what is there afterwards
    raises     : StoreError where there is nothing of ours, or it is of another experiment; DamagedFileError where
                 nothing tells what it should hold; EnvironmentFault where a run is writing it or the disk refuses
    """
    target = Path(os.path.realpath(path))
    before = verify(target)
    if before.whole:
        found = verify(target, digest=True) if digest else before
        return Repair(before, (), None, found)
    lock = PathLock(target)
    lock.acquire()
    try:
        with explained(target, "repairing"):
            sweep(target)
            with gathered(target) as evidence:
                true = _told(evidence, experiment)
                before = examined(evidence, true)
                changed, kept = _mend(evidence, true, before)
            append_log(target, event="repaired", found=before.faults, changed=changed, kept=kept.name if kept else None)
    finally:
        lock.release()
    return Repair(before, changed, kept, verify(target, digest=digest))


def _told(evidence: Evidence, experiment: Experiment | None) -> Truth:
    """What the file should be, if need be by the word of the user."""
    true = truth(evidence)
    if true is None:
        return _believed(evidence.path, experiment)
    if experiment is not None and experiment.identity() != true.attributes["config_sha256"]:
        raise StoreError(
            f"{evidence.path}: is of another experiment ({true.attributes['config_sha256'][:12]}, {true.source} tells) "
            f"than the one given with --config ({experiment.identity()[:12]}); leave --config out"
        )
    return true


def _believed(path: Path, experiment: Experiment | None) -> Truth:
    if experiment is None:
        raise DamagedFileError(
            f"{path}: neither the file nor its manifest tells what it should hold; give the YAML file of its run: "
            f"mesogpu verify {path} --repair --config CONFIG"
        )
    # The parser is slow to import, and few need it.
    from mesogpu.config.load import dump_yaml

    plan = make_plan(experiment)
    attributes = file_attributes(plan, config_text=dump_yaml(experiment), signature=UNKNOWN_SIGNATURE)
    return Truth("the configuration given", attributes, plan, make_layout(plan), None)


def _mend(evidence: Evidence, true: Truth, before: Verification) -> tuple[tuple[str, ...], Path | None]:
    """Write what is missing or wrong; what was done, and where the original is now."""
    path = evidence.path
    if evidence.structure and not evidence.packed and not before.damaged_blocks:
        manifest = _manifest_of_whole(evidence, true)
        if manifest is not None:
            publish_manifest(path, manifest)
            return ("its manifest was written anew, the file itself was whole",), None
    mode = stat.S_IMODE(os.fstat(evidence.descriptor).st_mode) if evidence.there else 0o444
    kept = _keep(path) if evidence.size else None
    taken = 0

    def copy(target: BlockFile) -> None:
        nonlocal taken
        for found in scan(blocks_of(evidence, true) or _located(evidence, true, target)):
            if found.state is State.COMMITTED:
                target.write(found.point, found.block, found.parts)
                target.mark(found.point, found.block, found.parts)
                if target.read(found.point, found.block) != found.parts:
                    raise EnvironmentFault(f"{path}: a block just written reads back differently; check the disk")
                taken += 1

    try:
        publish(path, true.plan, true.attributes, copy if evidence.size else None)
    except BaseException:
        if kept is not None:
            kept.unlink()
        raise
    path.chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    told = true.source in (FROM_MANIFEST, FROM_FILE)
    if kept is not None and told and not before.damaged_blocks:
        kept.unlink()
        kept = None
    number = true.layout.sizes["point"] * true.layout.sizes["block"]
    changed = [f"the file was built anew by what {true.source} tells, with {taken} of {number} blocks taken over"]
    if not told:
        changed.append(f"nothing that is whole confirms that these blocks belong to it: {true.source} was believed")
    if true.attributes["signature"] == UNKNOWN_SIGNATURE:
        changed.append("which arithmetic computed them is not known any more: to go on, its run needs --mixed")
    return tuple(changed), kept


def _manifest_of_whole(evidence: Evidence, true: Truth) -> Manifest | None:
    """The manifest of a file that has lost it, None where its structure is not to the byte what it should be."""
    aside = evidence.path.with_name(f"{evidence.path.name}.tmp{os.getpid()}")
    try:
        offsets = build(aside, true.layout, true.attributes)
        with aside.open("rb") as file:
            fresh = describe(BlockFile(file.fileno(), true.layout, offsets), file.fileno(), true.attributes)
    finally:
        aside.unlink(missing_ok=True)
    blocks = BlockFile(evidence.descriptor, true.layout, offsets)
    return fresh if fresh == describe(blocks, evidence.descriptor, true.attributes) else None


def _located(evidence: Evidence, true: Truth, fresh: BlockFile) -> BlockFile:
    """The blocks of a file that does not tell where they lie: as in a fresh one, or some pages before or behind.

    A header is longer or shorter by the texts in it; the true place is the one where the commit table makes sense.
    """
    size = max(offset + length for offset, length in fresh.extents())
    shifts = [evidence.size - size, *(page * BORDER for page in range(-_PAGES_AROUND, _PAGES_AROUND))]
    start, length = fresh.offsets[COMMIT.name], min(true.layout.nbytes(COMMIT), _TABLE_BYTES)

    def sense(shift: int) -> int:
        data = os.pread(evidence.descriptor, length, start + shift) if start + shift > 0 else b""
        entries = np.frombuffer(data[: len(data) // COMMIT_ENTRY.itemsize * COMMIT_ENTRY.itemsize], COMMIT_ENTRY)
        return int(((entries["state"] == COMMITTED) | (entries == EMPTY)).sum())

    best = max(shifts, key=lambda shift: (sense(shift), shift in (shifts[0], 0)))
    offsets = {name: offset + best for name, offset in fresh.offsets.items()}
    return BlockFile(evidence.descriptor, true.layout, offsets)


def _keep(path: Path) -> Path:
    """A second name for the damaged original, so that it outlasts the file that takes its place."""
    for number in itertools.count(1):
        kept = path.with_name(f"{path.name}.damaged-{number}")
        try:
            os.link(path, kept)
        except FileExistsError:
            if kept.samefile(path):  # left by a repair that was killed
                return kept
            continue
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            with path.open("rb") as source, kept.open("xb") as copy:
                shutil.copyfileobj(source, copy)
                os.fsync(copy.fileno())
        return kept
    raise AssertionError("there is always another number")
