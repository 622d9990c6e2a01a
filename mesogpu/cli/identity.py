"""Which mesogpu this is."""

from __future__ import annotations

from importlib import import_module

from mesogpu.version import __version__


def version_line() -> str:
    """Version and commit, as --version prints them."""
    return f"mesogpu {__version__} (commit {_commit()})"


def _commit() -> str:
    try:
        return str(import_module("mesogpu._build").GIT_SHA)
    except ModuleNotFoundError:  # written by the build; sources that were never built or installed have none
        return "unknown"
