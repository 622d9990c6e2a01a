"""Where the kernel sources are, and their digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from mesogpu.errors import EnvironmentFault


@cache
def kernel_folder() -> Path:
    """The sources inside an installed package, or beside it in our own checkout.

    raises : EnvironmentFault where neither is there
    """
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent
    for folder in (package / "_kernels", checkout / "kernels"):
        if (folder / "transmission.cu").is_file() and (folder.name == "_kernels" or _ours(checkout)):
            return folder
    raise EnvironmentFault(f"kernel sources: not in {package / '_kernels'}; reinstall mesogpu")


def _ours(checkout: Path) -> bool:
    project = checkout / "pyproject.toml"
    return project.is_file() and 'name = "mesogpu"' in project.read_text(encoding="utf-8")


@cache
def source_digest() -> str:
    """SHA-256 of every kernel source, name and text."""
    digest = hashlib.sha256()
    for path in sorted(kernel_folder().iterdir()):
        if path.suffix in (".cu", ".cuh", ".h"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
