"""OUT.h5.owner: who writes a results file, for file systems that have no locks; made only where it is asked for."""

from __future__ import annotations

import json
import logging
import os
import socket
from pathlib import Path
from typing import Final

from mesogpu.errors import EnvironmentFault

MODE: Final = "MESOGPU_LOCK"
OWNER_FILE: Final = "owner-file"
_MOST_BYTES: Final = 4096
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_log = logging.getLogger("mesogpu")


def owner_mode() -> bool:
    """Whether the environment asks for owner files.

    raises : EnvironmentFault for a value that means nothing
    """
    asked = os.environ.get(MODE, "")
    if asked not in ("", OWNER_FILE):
        raise EnvironmentFault(f"{MODE}: {asked!r} means nothing; set it to {OWNER_FILE}, or leave it out")
    return asked == OWNER_FILE


def owner_path(path: Path) -> Path:
    """Where the owner file of a results file lies."""
    return path.with_name(path.name + ".owner")


def claim(path: Path) -> int:
    """Become the owner of a results file; one that died on this host is replaced.

    returns : descriptor of the new owner file
    raises  : EnvironmentFault where another process owns it, or one whose end cannot be seen from here; OSError
    """
    file = owner_path(path)
    require_unowned(path)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise EnvironmentFault(f"{path}: another process has just begun to write it; choose another output") from None
    os.pwrite(descriptor, json.dumps(_identity()).encode() + b"\n", 0)
    os.fsync(descriptor)
    return descriptor


def require_unowned(path: Path) -> None:
    """Check that nobody owns a results file, and remove what an owner that died on this host has left.

    raises : EnvironmentFault where somebody does, or may
    """
    file = owner_path(path)
    try:
        content = _read(file)
    except FileNotFoundError:
        return
    try:
        owner = json.loads(content)
        host, space, pid, start = owner["host"], owner["namespace"], int(owner["pid"]), owner["start"]
    except (ValueError, KeyError, TypeError):
        raise EnvironmentFault(
            f"{path}: {file.name} does not say who writes it, as if its owner died while it began; if no run uses this "
            f"output, remove that file (rm {file}) and run the same command again"
        ) from None
    if (host, space) != (socket.gethostname(), _namespace()):
        where = host if host != socket.gethostname() else f"{host}, in another container"
        raise EnvironmentFault(
            f"{path}: owned by process {pid} on {where}, and whether that still runs can only be seen there "
            f"(ps -p {pid}); if it does not, remove its owner file (rm {file}) and run the same command again"
        )
    if _start(pid) == start:
        raise EnvironmentFault(
            f"{path}: being written by process {pid} on this host; wait for it to end, or choose another output with -o"
        )
    _put_aside(file, content)
    _log.warning("%s: its owner, process %d on this host, is gone; its owner file was taken over", path, pid)


def _put_aside(file: Path, stale: bytes) -> None:
    """Remove a stale owner file, unless another process has replaced it in this moment: then that one is given back."""
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    file.rename(aside)
    if _read(aside) != stale:
        os.link(aside, file)
    aside.unlink()


def _read(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(_MOST_BYTES)


def _identity() -> dict[str, object]:
    here: dict[str, object] = {"host": socket.gethostname(), "namespace": _namespace()}
    return here | {"pid": os.getpid(), "start": _start(os.getpid()) or ""}


def _namespace() -> str:
    """In which the numbers of processes count: containers of one host have their own; empty where there are none."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _start(pid: int) -> str | None:
    """When a process of this host began, so that a later one of the same number is told from it; None without one.

    The same text at every call; empty where the system does not say.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except (PermissionError, OverflowError):
        pass
    try:
        ticks = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
        return f"{_BOOT.read_text().strip()} {ticks}"
    except (OSError, IndexError):
        return ""
