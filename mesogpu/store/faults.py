"""What the operating system refuses, said to the user: which file, what was being done, and the remedy."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesogpu.errors import EnvironmentFault

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def fault(error: OSError, path: Path, doing: str) -> EnvironmentFault:
    """The error that tells the user what an OSError means for a results file.

    doing : what was under way, as a noun: "commit", "reading"
    """
    reason = str(error) if error.errno is None else os.strerror(error.errno)
    if error.errno in _FULL:
        return EnvironmentFault(
            f"{path}: {doing}: the disk or the quota is full ({reason}); what was committed before is intact: "
            "free space and run the same command again, or choose another disk with -o"
        )
    if error.errno == errno.EFBIG:
        return EnvironmentFault(
            f"{path}: {doing}: larger than this process or file system may write ({reason}); what was committed before "
            "is intact: raise the limit (ulimit -f) and run the same command again, or choose another disk with -o"
        )
    if error.errno == errno.EIO:
        return EnvironmentFault(
            f"{path}: {doing}: the device reports a failure ({reason}); what was committed before counts as far as "
            "it can be read back: check the disk, then run the same command again"
        )
    if error.errno in _FORBIDDEN:
        return EnvironmentFault(
            f"{path}: {doing}: not allowed here ({reason}); choose a place you can write to with -o"
        )
    return EnvironmentFault(f"{path}: {doing}: {reason}; check the file system, or choose another place with -o")


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn every OSError inside into the `EnvironmentFault` that explains it."""
    try:
        yield
    except OSError as error:
        raise fault(error, path, doing) from error
