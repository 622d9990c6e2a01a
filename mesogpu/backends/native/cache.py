"""Where compiled kernels are kept: a folder of this user alone."""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path

from mesogpu.errors import EnvironmentFault

PRIVATE = 0o700


@cache
def kernel_cache() -> Path:
    """$MESOGPU_CACHE, else the XDG cache folder, else a private temporary folder for this process.

    raises : EnvironmentFault where the folder belongs to another user or others may write to it
    """
    asked = os.environ.get("MESOGPU_CACHE")
    if asked:
        return _private(Path(asked))
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return _private(Path(base) if base else Path.home() / ".cache", "mesogpu")
    except (OSError, RuntimeError):  # no home, or a home that cannot be written
        return Path(tempfile.mkdtemp(prefix="mesogpu-"))


def _private(base: Path, name: str = "") -> Path:
    """The folder, made with mode 0700, and checked: whoever can write here decides what this process executes."""
    folder = base / name / "kernels"
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid != os.geteuid():
        raise EnvironmentFault(
            f"kernel cache {folder}: owned by user {state.st_uid}, not you; set MESOGPU_CACHE to a folder of your own"
        )
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise EnvironmentFault(
            f"kernel cache {folder}: others may write to it (mode {stat.S_IMODE(state.st_mode):o}); chmod 700 it, "
            "or set MESOGPU_CACHE to a folder of your own"
        )
    return folder
