"""A file for HDF5 to write into where the disk may fill up: HDF5 can neither write nor close one that is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any


class Sink(io.FileIO):
    """A new file whose first failure is kept for the caller; HDF5 is told that all went well, so that it can close.

    raises : OSError where the file cannot be created
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x+b")
        self._failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of it, or nothing more after the first failure."""
        rest = memoryview(data)
        size = len(rest)
        try:
            while rest and self._failure is None:
                rest = rest[super().write(rest) or 0 :]
        except OSError as error:
            self._failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the size of the file, but for after a failure."""
        try:
            return self.tell() if self._failure else super().truncate(size)
        except OSError as error:
            self._failure = error
            return self.tell()

    def require_written(self) -> None:
        """Check that all that was written is in the file.

        raises : OSError, the first that was met
        """
        if self._failure is not None:
            raise self._failure
