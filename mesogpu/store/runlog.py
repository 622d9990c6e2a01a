"""OUT.h5.log.jsonl: what differs between two runs of one experiment, and so has no place in the results file."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesogpu.errors import EnvironmentFault
from mesogpu.store.existing import opened
from mesogpu.store.faults import explained
from mesogpu.store.provenance import git_sha, packages
from mesogpu.store.variables import RUN_LOG
from mesogpu.version import __version__

_log = logging.getLogger("mesogpu")


@contextmanager
def run_log(path: str | os.PathLike[str], **started: Any) -> Iterator[Callable[..., None]]:
    """The log of one run: its start and, where the body of the `with` raises, its end with the reason.

    What else is to be told goes through the function given, as `append_log`; a line that cannot be written then is a
    warning, for results are worth more than their log.

    path    : the results file
    started : JSON-ready values of the start; commit and versions are added
    raises  : EnvironmentFault where the start cannot be written
    """

    def tell(**record: Any) -> None:
        try:
            append_log(path, **record)
        except EnvironmentFault as fault:
            _log.warning("%s", fault)

    append_log(path, event="started", **started, git_sha=git_sha(), packages=packages(), system=platform.platform())
    try:
        yield tell
    except BaseException as error:
        tell(event="stopped", reason=f"{type(error).__name__}: {error}")
        raise


def append_log(path: str | os.PathLike[str], **record: Any) -> None:
    """Add one line to the run log beside a results file, and bring it to the disk.

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
    with explained(target, "run log"):
        append_line(log_path(target), stamp | record)


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Add one record to a file of JSON lines, and bring it to the disk.

    raises : OSError
    """
    line = json.dumps(record).encode() + b"\n"
    with path.open("a+b", buffering=0) as log:
        end = log.seek(0, os.SEEK_END)
        # A process that died, or a disk that was full, may have left half a line.
        torn = end > 0 and os.pread(log.fileno(), 1, end - 1) != b"\n"
        rest = memoryview(b"\n" * torn + line)
        while rest:
            rest = rest[log.write(rest) or 0 :]
        os.fsync(log.fileno())


def read_log(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Records of the run log of a results file, oldest first: from beside it, or out of a packed file.

    path    : the results file
    returns : as they were logged; none where there is no log. A line that a crash cut short is left out
    raises  : StoreError, DamagedFileError as `open_results`; EnvironmentFault where it may not be read
    """
    target = Path(path)
    with explained(target, "run log"):
        log = log_path(target)
        text = log.read_bytes() if log.is_file() else _packed_log(target)
    return parse_lines(text)


def parse_lines(text: bytes) -> list[dict[str, Any]]:
    """The records of JSON lines; one that a crash cut short is left out."""
    records = []
    for line in text.decode("utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _packed_log(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with opened(path) as (file, _):
        return file[RUN_LOG.name][()].tobytes() if RUN_LOG.name in file else b""


def log_path(path: Path) -> Path:
    """Where the run log of a results file lies."""
    return path.with_name(path.name + ".log.jsonl")
