"""Which backend runs, and why."""

from __future__ import annotations

from functools import cache

from mesogpu.backends.base import Backend
from mesogpu.backends.reference.backend import ReferenceBackend
from mesogpu.errors import BackendUnavailable

NAMES = ("auto", "cuda", "native", "numpy")


@cache
def select_backend(name: str) -> Backend:
    """The engine for a name of the command line; "auto" takes the fastest that this machine and version have.

    raises : BackendUnavailable for a backend that cannot run here, or an unknown name
    """
    if name in ("auto", "numpy"):
        return ReferenceBackend()
    if name in NAMES:
        raise BackendUnavailable(f"--backend {name}: this version has no {name} kernels yet; use --backend numpy")
    raise BackendUnavailable(f"--backend {name}: unknown; one of {', '.join(NAMES)}")


def choice_reason(name: str) -> str:
    """One sentence for the user: which backend `name` stands for here, and why."""
    backend = select_backend(name)
    if name == "auto":
        return f"backend {backend.name}: the reference engine, the only one of this version"
    return f"backend {backend.name}: as asked"
