"""Statistics of quantum transport in disordered conductors, from one YAML file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mesogpu.version import __version__

if TYPE_CHECKING:
    from mesogpu.analysis import analyze, compare
    from mesogpu.api import plot, run, sample_bonds, sample_onsite, sample_spins, submit, write_report
    from mesogpu.config.load import load_experiment
    from mesogpu.store import open_results

__all__ = [
    "__version__",
    "analyze",
    "compare",
    "load_experiment",
    "open_results",
    "plot",
    "run",
    "sample_bonds",
    "sample_onsite",
    "sample_spins",
    "submit",
    "write_report",
]

# Loaded on first use (PEP 562): the numerical stages must import on a bare machine, the command line start at once.
_HOMES = {
    "analyze": "mesogpu.analysis",
    "compare": "mesogpu.analysis",
    "load_experiment": "mesogpu.config.load",
    "open_results": "mesogpu.store",
    "plot": "mesogpu.api",
    "run": "mesogpu.api",
    "sample_bonds": "mesogpu.api",
    "sample_onsite": "mesogpu.api",
    "sample_spins": "mesogpu.api",
    "submit": "mesogpu.api",
    "write_report": "mesogpu.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
