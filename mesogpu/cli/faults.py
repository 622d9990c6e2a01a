"""From exceptions to messages and exit codes: no traceback for a user's mistake, a logged one for a fault of ours."""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import click

from mesogpu.cli.exit_codes import BUG, USAGE
from mesogpu.errors import ConfigError, EnvironmentFault, Interrupted, MesogpuError

_PACKAGE = Path(__file__).resolve().parent.parent

_REMEDIES = {
    errno.ENOSPC: "free some space there, or write elsewhere with -o",
    errno.EDQUOT: "the disk quota is used up: free some space there, or write elsewhere with -o",
    errno.EACCES: "check the permissions of the file and its folder, or choose another path",
    errno.EPERM: "check the permissions of the file and its folder, or choose another path",
    errno.EROFS: "that file system is read-only: choose another path with -o",
    errno.ENOENT: "check the path, and that its folder exists",
    errno.ENOTDIR: "a part of that path is a file, not a folder: check the path",
    errno.EISDIR: "that is a folder: name a file",
    errno.ENAMETOOLONG: "that name is too long: choose a shorter one",
    errno.EFBIG: "the file system or a limit (ulimit -f) does not allow a file that large: write elsewhere with -o",
    errno.EIO: "the disk reported a failure: check the system's log, and write elsewhere with -o",
    errno.ESTALE: "the network file system lost the file: run the same command again",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
}


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit status; every exception becomes a message on stderr.

    command : returns its exit status, or anything else for 0
    """
    try:
        result = command()
    except MesogpuError as error:
        return _refusal(error)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return _refusal(Interrupted("interrupted"))
    except MemoryError as error:
        return _refusal(EnvironmentFault(f"memory ran out: {error!r}; use fewer --workers or a smaller model"))
    except OSError as error:
        return _refusal(_environment_fault(error)) if _concerns_user(error) else _bug(error)
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever arrives here is a bug of ours and gets logged
        return _bug(error)
    return result if isinstance(result, int) else 0


def _refusal(error: MesogpuError) -> int:
    message = str(error) or type(error).__name__
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        _tell(f"{message}\nmesogpu: error: {len(error.problems)} problems, nothing was computed")
    elif isinstance(error, ConfigError):
        _tell(message)
    elif isinstance(error, Interrupted):
        _tell(f"mesogpu: {message}")
    else:
        _tell(f"mesogpu: error: {message}")
    return error.exit_code


def _concerns_user(error: OSError) -> bool:
    """Whether the system refused something of the user's; a file missing from our own package is a bug."""
    if error.errno not in _REMEDIES:
        return False
    names = [Path(name) for name in (error.filename, error.filename2) if isinstance(name, str)]
    return not any(name.is_relative_to(_PACKAGE) for name in names)


def _environment_fault(error: OSError) -> EnvironmentFault:
    path = error.filename if isinstance(error.filename, str) else None
    what = error.strerror or str(error)
    return EnvironmentFault(f"{f'{path}: ' if path else ''}{what}; {_REMEDIES[error.errno or 0]}")


def _bug(error: Exception) -> int:
    log = _keep(error)
    where = f"the traceback was logged to {log}" if log else "the traceback could not be logged anywhere, it is above"
    _tell(f"mesogpu: internal error: {type(error).__name__}: {error}")
    _tell(f"This is a bug of mesogpu, not of your input; {where}")
    return BUG


def _keep(error: Exception) -> Path | None:
    """Write the traceback where it stays; to stderr if there is no such place."""
    from mesogpu.cli.identity import version_line

    text = "".join(traceback.format_exception(error))
    header = f"{version_line()}\nPython {sys.version}\n{platform.platform()}\narguments: {sys.argv[1:]}\n\n"
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (_state_folder, _private_folder):
        try:
            path = folder() / name
            path.write_text(header + text, encoding="utf-8")
        except (OSError, RuntimeError):  # RuntimeError: this user has no home
            continue
        return path
    _tell(text)
    return None


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME", "")
    state = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    folder = state / "mesogpu"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _private_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="mesogpu-"))


def _tell(text: str) -> None:
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:  # nobody listens any more; the exit status still says it
        return
