"""Where a results file comes from: the attributes at its root, equal for equal experiments run by equal code."""

from __future__ import annotations

import importlib
import json
import os
import platform
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import h5py

from mesogpu import units
from mesogpu.plan import Plan
from mesogpu.version import __version__

FILETYPE: Final = "mesogpu"
FORMAT_VERSION: Final = 1

_RANDOM_NUMBERS = (
    "Philox4x32-10; key = (seed, realization); counter = (cell, slice, stream, p), "
    "p = 0 for randomness: common, the point's number for randomness: independent"
)
ATTRIBUTES: Final = {
    "filetype": "`mesogpu`",
    "format_version": "of this layout; older ones are read, newer ones refused by the version to install",
    "Conventions": "CF conventions that names, units and dimensions follow",
    "config": "the resolved configuration, YAML, every default in it",
    "config_sha256": "identity of the experiment: its name and number of realizations left out",
    "method": "`transmission` or `lyapunov`",
    "seed": "of all random numbers",
    "rng": "generator of all random numbers, its key and counter",
    "degeneracy": "G = degeneracy * g * e^2/h",
    "block_size": "B, realizations a block",
    "signature": "arithmetic of the blocks: where it is equal, so are the bytes; several lines in a mixed file",
    "mesogpu_version": "of the program that created the file",
    "git_sha": "its commit; `-dirty` with changes that were not committed",
    "packages": "versions of Python, HDF5 and the packages that numbers pass through, JSON",
}
"""Root attributes of a file and what they mean; what differs between two runs of one experiment is in the run log."""

PART: Final = "part"
OPTIONAL: Final = {
    PART: "of a file that a task of a cluster wrote: which points and blocks of the experiment it has, JSON"
}
"""Root attributes that not every file has."""

_PACKAGES = ("crc32c", "h5py", "numpy", "scipy")
_PACKAGE = Path(__file__).resolve().parent.parent


def file_attributes(plan: Plan, *, config_text: str, signature: str) -> dict[str, str | int]:
    """Root attributes of the file of one plan.

    config_text : resolved YAML
    signature   : arithmetic signature of the backend; of a mixed file several, one a line
    """
    attributes: dict[str, str | int] = {
        "filetype": FILETYPE,
        "format_version": FORMAT_VERSION,
        "Conventions": "CF-1.11 mesogpu-1",
        "config": config_text,
        "config_sha256": plan.experiment.identity(),
        "method": plan.experiment.method,
        "seed": plan.experiment.seed,
        "rng": _RANDOM_NUMBERS,
        "degeneracy": units.degeneracy(plan.points[0].system.spins),
        "block_size": plan.block_size,
        "signature": signature,
        "mesogpu_version": __version__,
        "git_sha": git_sha(),
        "packages": json.dumps(packages(), sort_keys=True),
    }
    return attributes | ({PART: plan.part.text()} if plan.part else {})


def is_mixed(attributes: Mapping[str, str | int]) -> bool:
    """Whether the attribute `signature` names several, so that every block says which is its own."""
    return "\n" in str(attributes["signature"])


def packages() -> dict[str, str]:
    """Versions of Python, of HDF5 and of the packages that numbers pass through."""
    found = {"python": platform.python_version(), "hdf5": h5py.version.hdf5_version}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


@cache
def git_sha() -> str:
    """Commit of the running code: of the checkout it runs from, else the one baked in at build, else "unknown".

    A checkout with uncommitted changes says so: "<commit>-dirty".
    """
    return _checkout_sha(_PACKAGE.parent) or _built_sha() or "unknown"


def _built_sha() -> str:
    try:
        built = importlib.import_module("mesogpu._build")
    except ModuleNotFoundError:
        return ""
    return str(built.GIT_SHA)


def _checkout_sha(root: Path) -> str:
    """HEAD of the repository at `root`, empty where that is not our own checkout."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists() or not _is_ours(root / "pyproject.toml"):
        return ""
    # A hook or a parent's rebase may point GIT_DIR elsewhere; and asking must not write into the repository.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = [git, "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        answer = subprocess.run(
            command,
            cwd=root,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return ""
    return answer.stdout.strip()


def _is_ours(pyproject: Path) -> bool:
    try:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False
    return bool(project.get("name") == "mesogpu")
