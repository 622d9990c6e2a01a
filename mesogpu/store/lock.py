"""One writer a file: an exclusive fcntl lock on OUT.h5.lock, held for as long as the file may be written.

Where MESOGPU_LOCK is "owner-file", an owner file as well, which also works where the file system has no locks.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path

from mesogpu.errors import EnvironmentFault
from mesogpu.store.faults import explained
from mesogpu.store.owner import MODE, OWNER_FILE, claim, owner_mode, owner_path, require_unowned

_held: set[tuple[int, int]] = set()
"""Lock files of this process. A record lock belongs to the process, which would grant itself a second one; and closing
any descriptor of the lock file drops it, so it must be recognised without being opened."""


class PathLock:
    """The lock of one results file.

    path : the results file; the lock file beside it is created once and never removed, or two processes could each
           hold a lock on a file of the same name
    """

    def __init__(self, path: Path) -> None:
        self._target = path
        self._file = path.with_name(path.name + ".lock")
        self._descriptor = self._owner = -1
        self._identity = self._owned = (0, 0)

    def acquire(self) -> None:
        """Take the lock at once.

        raises : EnvironmentFault where another writer holds it, or the file system has no locks and no owner file is
                 asked for
        """
        if self._file.exists() and self._identify(self._file.stat()) in _held:
            raise EnvironmentFault(
                f"{self._target}: already open for writing in this process ({os.getpid()}); close that one"
            )
        with explained(self._target, "locking"):
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if owner_mode():
                    self._owner = claim(self._target)
                    self._owned = self._identify(os.fstat(self._owner))
                self._lock(descriptor)
                if self._owner < 0:
                    require_unowned(self._target)
            except BaseException:
                os.close(descriptor)
                self._disown()
                raise
            self._descriptor = descriptor
            self._identity = self._identify(os.fstat(descriptor))
            _held.add(self._identity)
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
            except BaseException:
                self.release()
                raise

    def require_held(self) -> None:
        """Check that the lock file, and the owner file if there is one, are still those of this process.

        raises : EnvironmentFault where one was removed or replaced
        """
        files = {self._file: self._identity} | ({owner_path(self._target): self._owned} if self._owner >= 0 else {})
        for file, identity in files.items():
            if not self._is_same(file, identity):
                raise EnvironmentFault(
                    f"{file}: was removed or replaced during the run, another writer could be at work; nothing more is "
                    "written: see that only one run uses this output, then run the same command again"
                )

    def release(self) -> None:
        """Give the lock back; harmless where it is not held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            _held.discard(self._identity)
        self._disown()

    def _disown(self) -> None:
        if self._owner < 0:
            return
        if self._is_same(owner_path(self._target), self._owned):
            owner_path(self._target).unlink()
        os.close(self._owner)
        self._owner = -1

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
                raise EnvironmentFault(
                    f"{self._target}: being written by {holder}; wait for it to end, or choose another output with -o"
                ) from error
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            if self._owner < 0:
                raise EnvironmentFault(
                    f"{self._target}: this file system has no locks ({error.strerror}), two runs could overwrite each "
                    "other; choose an output on a local disk or a mount with locks with -o, or set the environment "
                    f"variable {MODE}={OWNER_FILE}, here and wherever else this output is written, to guard it by "
                    f"{owner_path(self._target).name}"
                ) from error

    @classmethod
    def _is_same(cls, file: Path, identity: tuple[int, int]) -> bool:
        try:
            return cls._identify(file.stat()) == identity
        except FileNotFoundError:
            return False

    @staticmethod
    def _identify(status: os.stat_result) -> tuple[int, int]:
        return status.st_dev, status.st_ino
