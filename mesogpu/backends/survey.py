"""What each backend would need to run here, for `mesogpu doctor`."""

from __future__ import annotations

from dataclasses import dataclass

from mesogpu.backends.select import NAMES, select_backend
from mesogpu.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class Finding:
    """One backend on this machine.

    name   : as on the command line
    works  : whether it can run
    detail : its arithmetic signature where it works, else what is missing and how to get it
    """

    name: str
    works: bool
    detail: str


def survey() -> list[Finding]:
    """Every backend, the fastest first; compiles the kernels where that was not yet done."""
    return [_look_at(name) for name in NAMES if name != "auto"]


def _look_at(name: str) -> Finding:
    try:
        return Finding(name, True, select_backend(name).signature)
    except EnvironmentFault as missing:
        return Finding(name, False, str(missing))
