"""Build hook: bakes the git commit into the package as mesogpu/_build.py, and puts the kernel sources into wheels."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UNKNOWN = "unknown"
COMMIT_VARIABLE = "MESOGPU_GIT_SHA"
"""Environment variable that names the commit where a build sees no repository, as in a container."""

BUILD_MODULE = Path("mesogpu") / "_build.py"


class CommitHook(BuildHookInterface[Any]):
    """Adds `GIT_SHA` to every build; leaves the checkout as it is, but for the ignored file of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        commit = source_commit(root)
        if version == "editable":
            # The sources will go on changing under this label, so it says so.
            write_build_module(root / BUILD_MODULE, commit if commit == UNKNOWN else f"{commit}-editable")
            return
        self._scratch = tempfile.TemporaryDirectory(prefix="mesogpu-build-")
        module = Path(self._scratch.name) / BUILD_MODULE.name
        write_build_module(module, commit)
        build_data["force_include"][str(module)] = BUILD_MODULE.as_posix()
        if self.target_name == "wheel":
            build_data["force_include"][str(root / "kernels")] = "mesogpu/_kernels"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 (hatchling's signature)
        if version != "editable":
            self._scratch.cleanup()


def source_commit(root: Path) -> str:
    """The commit of the sources under `root`; "-dirty" where tracked files differ from it.

    Without a repository: what the environment or a source distribution says, else "unknown".
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    # An unpacked source distribution may lie inside somebody else's repository.
    if top is not None and Path(top).resolve() == root.resolve():
        commit = _git(root, "rev-parse", "HEAD")
        if commit:
            changed = _git(root, "status", "--porcelain", "--untracked-files=no")
            return f"{commit}-dirty" if changed else commit
    return os.environ.get(COMMIT_VARIABLE) or _carried_commit(root / BUILD_MODULE)


def write_build_module(path: Path, commit: str) -> None:
    """Write the module that tells the installed package its commit."""
    text = f'"""Written by the build."""\n\nGIT_SHA = "{commit}"\n'
    path.write_text(text, encoding="utf-8")


def _carried_commit(module: Path) -> str:
    if not module.is_file():
        return UNKNOWN
    found = re.search(r'GIT_SHA = "([\w-]+)"', module.read_text(encoding="utf-8"))
    return found.group(1).removesuffix("-editable") if found else UNKNOWN


def _git(root: Path, *arguments: str) -> str | None:
    # Container builds often run as root over a checkout that another user owns.
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
