"""The single writer of a results file: what it has called committed is on the disk, whatever happens next."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError, EnvironmentFault, StoreError
from mesogpu.plan import BlockResult, Plan
from mesogpu.store.continuation import Continuation, continuation
from mesogpu.store.creation import publish, settle
from mesogpu.store.existing import find
from mesogpu.store.faults import explained
from mesogpu.store.growth import grow
from mesogpu.store.layout import make_layout
from mesogpu.store.lock import PathLock
from mesogpu.store.manifest import Manifest, manifest_path
from mesogpu.store.provenance import file_attributes
from mesogpu.store.raw import BlockFile, synchronize
from mesogpu.store.scan import State, scan

_log = logging.getLogger("mesogpu")


class Writer:
    """Creates a results file, or takes up one of the same experiment where it was left.

    path        : the results file; a link is followed
    plan        : what is to be computed; more realizations than the file holds make it grow
    config_text : resolved YAML, stored in a new file
    signature   : arithmetic signature of the backend
    grow        : whether a file that holds some of the plan's points, and no others, takes up the rest
    mixed       : whether blocks of this signature may share a file with those of another, each marked as what it is
    done        : (points, blocks) bool, blocks whose bytes are committed and have the right checksum
    raises      : StoreError for a file that is not ours or of another experiment, left untouched; DamagedFileError for
                  one that is not as it was written; EnvironmentFault for a second writer, no space, no permission
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        plan: Plan,
        *,
        config_text: str,
        signature: str,
        grow: bool = False,
        mixed: bool = False,
    ) -> None:
        self.path = Path(os.path.realpath(path))
        self.done: NDArray[np.bool_] = np.zeros((len(plan.points), plan.blocks_per_point), bool)
        self._descriptor = -1
        self._stopped = False
        self._go_on = partial(continuation, plan=plan, signature=signature, grow=grow, mixed=mixed)
        self._lock = PathLock(self.path)
        if not self.path.parent.is_dir():
            raise StoreError(
                f"{self.path}: there is no directory {self.path.parent}; create it, or choose another output with -o"
            )
        # Looked at before the lock, so that nothing is left beside a file that will be refused.
        self._find()
        with explained(self.path, "opening for writing"):
            _require_owner(self.path)
        self._lock.acquire()
        try:
            with explained(self.path, "opening for writing"):
                self._blocks = self._prepare(plan, config_text, signature)
            with explained(self.path, "resuming"):
                self._recover()
        except BaseException:
            self.close()
            raise

    def commit(self, results: Sequence[BlockResult]) -> None:
        """Store blocks; when this returns they survive a crash of the process and of the machine.

        Blocks that are done already are left alone.

        raises : EnvironmentFault where the disk refuses, or the file or its lock was replaced; this writer then commits
                 nothing further, and what was committed before stays
        """
        pending = [
            (result.point, result.index, self._blocks.encode(result, self._signature))
            for result in results
            if not self._is_done(result)
        ]
        if not pending:
            return
        self._require_intact()
        with explained(self.path, "commit"):
            try:
                for point, block, parts in pending:
                    self._blocks.write(point, block, parts)
                # What is written reaches the disk in any order, and readers trust an entry without its checksum.
                synchronize(self._descriptor)
                for point, block, parts in pending:
                    self._blocks.mark(point, block, parts)
                synchronize(self._descriptor)
            except OSError:
                self._stopped = True
                raise
        for point, block, _ in pending:
            self.done[point, block] = True

    def close(self) -> None:
        """Let go of the file and its lock; harmless when repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_done(self, result: BlockResult) -> bool:
        return bool(self.done[result.point, result.index])

    def _find(self) -> Continuation | None:
        """How to go on with the file that is there; None where there is none."""
        prior = find(self.path)
        return None if prior is None else self._go_on(prior)

    def _prepare(self, plan: Plan, config_text: str, signature: str) -> BlockFile:
        """Bring the file into being, or check and grow the one that is there; then hold it open for writing."""
        step = self._find()
        settle(self.path, step.prior if step else None)
        if step is None:
            publish(self.path, plan, file_attributes(plan, config_text=config_text, signature=signature))
        else:
            _require_whole(step)
            if not step.in_place:
                grow(step, config_text=config_text)
        now = self._find()
        if now is None or not now.in_place:
            raise EnvironmentFault(
                f"{self.path}: vanished or was replaced while being opened; see that nothing else works on it"
            )
        self._signature = now.prior.signatures.index(signature)
        self._descriptor = _hold(self.path)
        self._status = os.fstat(self._descriptor)
        return BlockFile(self._descriptor, make_layout(plan, mixed=now.prior.mixed), now.prior.offsets)

    def _recover(self) -> None:
        """Find what is done; make every other block that was touched as if it never had been."""
        reset = 0
        for found in scan(self._blocks):
            if found.state is State.COMMITTED:
                self.done[found.point, found.block] = True
            elif not found.parts:
                raise DamagedFileError(
                    f"{self.path}: block {found.block} of point {found.point} cannot be read from the disk; "
                    "mesogpu verify --repair keeps what can"
                )
            elif found.state is not State.EMPTY:
                self._blocks.clear(found.point, found.block)
                reset += 1
        # A killed process may have left whole blocks that are in memory alone: durable first, then called done.
        synchronize(self._descriptor)
        if reset:
            _log.warning("%s: %d blocks were cut off or damaged and will be computed again", self.path, reset)

    def _require_intact(self) -> None:
        """Check that the bytes about to be written go where every reader will look for them."""
        if self._descriptor < 0 or self._stopped:
            raise EnvironmentFault(f"{self.path}: this writer has stopped; run the same command again to resume")
        self._lock.require_held()
        with explained(self.path, "commit"):
            try:
                now = self.path.stat()
            except FileNotFoundError:
                now = None
        if now is None or (now.st_dev, now.st_ino) != (self._status.st_dev, self._status.st_ino):
            raise EnvironmentFault(
                f"{self.path}: was removed or replaced during the run; nothing more is written to it"
            )
        if now.st_size != self._status.st_size:
            raise DamagedFileError(
                f"{self.path}: has {now.st_size} bytes, it had {self._status.st_size}: something changed it during "
                "the run; mesogpu verify --repair keeps what is whole"
            )


def _require_whole(step: Continuation) -> None:
    """Check that a file is, apart from its blocks, what was created.

    raises : DamagedFileError where its size or structure changed, or there is no manifest to tell
    """
    prior = step.prior
    manifest = Manifest.load(manifest_path(prior.path))
    layout = make_layout(step.stored, mixed=prior.mixed)
    built_so = prior.sizes == layout.sizes and prior.results == layout.results
    if not built_so or manifest.offsets != prior.offsets or not prior.is_whole():
        raise prior.damage()


def _require_owner(path: Path) -> None:
    """Check that the file, if there is one, is this user's: others could not write it, but replace it as it grows.

    raises : PermissionError
    """
    if path.exists():
        path.chmod(stat.S_IMODE(path.stat().st_mode))


def _hold(path: Path) -> int:
    """Open for writing so that others can only read: a shared flock, and no write permission for later opens."""
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(mode | stat.S_IWUSR)
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fchmod(descriptor, mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
        _share(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _share(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise EnvironmentFault(f"{path}: another program has it open for writing; close it there") from error
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        # The file system has record locks alone; the missing write permission still keeps HDF5 programs out.
        _log.warning("%s: no flock here (%s); do not open it for writing elsewhere", path, error.strerror)
