"""What a figure was measured with: device, compiler, versions, commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mesogpu.backends.machine import cpu_model
from mesogpu.backends.native.compiler import FLAGS, TARGET_FLAGS, find_compiler
from mesogpu.backends.reference.signature import arithmetic_signature
from mesogpu.backends.sources import source_digest
from mesogpu.errors import BackendUnavailable
from mesogpu.version import __version__

ROOT = Path(__file__).resolve().parents[1]
COMMIT_VARIABLE = "MESOGPU_GIT_SHA"
"""Names the commit where there is no repository, as in a container or a copied tree."""


def provenance(**further: Any) -> dict[str, Any]:
    """Everything that a reader needs to place a figure, as JSON."""
    commit, date = _commit()
    return {
        "commit": commit,
        "date": date,
        "mesogpu": __version__,
        "kernels": source_digest()[:16],
        "python": platform.python_version(),
        "arithmetic": arithmetic_signature(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        **_compiler(),
        **further,
    }


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def installed(*names: str) -> dict[str, str]:
    """Versions of those distributions that are here."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_json(document: dict[str, Any], path: Path | None) -> None:
    """Write results where a path is given; their folder must be there."""
    if path is None:
        return
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}", file=sys.stderr)


def _compiler() -> dict[str, str]:
    try:
        compiler = find_compiler()
    except BackendUnavailable:
        return {"compiler": "none"}
    flags = " ".join(FLAGS + TARGET_FLAGS.get(platform.machine(), ()))
    return {"compiler": compiler.identity, "flags": flags, "instruction_set": compiler.instruction_set}


def _commit() -> tuple[str, str]:
    """Commit, "-dirty" where tracked files differ from it, and its date."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return os.environ.get(COMMIT_VARIABLE, "unknown"), "unknown"
    # A rerun changes its own results file, which says nothing about the code.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results", ":!README.md")
    return f"{commit}-dirty" if changed else commit, _git("show", "-s", "--format=%cs", "HEAD") or "unknown"


def _git(*arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(ROOT), *arguments]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None
