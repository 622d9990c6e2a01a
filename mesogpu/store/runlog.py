"""OUT.h5.log.jsonl: what differs between two runs of one experiment, and so has no place in the results file."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesogpu.store.faults import explained
from mesogpu.version import __version__


def append_log(path: str | os.PathLike[str], **record: Any) -> None:
    """Add one line to the run log beside a results file.

    path   : the results file
    record : JSON-ready values, such as event="finished", seconds=12.5; time, host, pid and version are added
    raises : EnvironmentFault where the line cannot be written
    """
    target = Path(path)
    stamp = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": platform.node(),
        "pid": os.getpid(),
        "mesogpu_version": __version__,
    }
    line = json.dumps(stamp | record).encode() + b"\n"
    with explained(target, "run log"), log_path(target).open("a+b", buffering=0) as log:
        end = log.seek(0, os.SEEK_END)
        # A process that died, or a disk that was full, may have left half a line.
        torn = end > 0 and os.pread(log.fileno(), 1, end - 1) != b"\n"
        rest = memoryview(b"\n" * torn + line)
        while rest:
            rest = rest[log.write(rest) or 0 :]
        os.fsync(log.fileno())


def log_path(path: Path) -> Path:
    """Where the run log of a results file lies."""
    return path.with_name(path.name + ".log.jsonl")
