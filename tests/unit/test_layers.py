"""The import rules hold, each of them notices a planted violation, and the numerical core needs NumPy and SciPy alone.

The planted violations are the faults that these tests were seen to fail on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in CONTRACTS}

# (contract, module that breaks it, what it imports)
VIOLATIONS = [
    ("layers", "api", "mesogpu.cli"),
    ("layers", "report.planted", "mesogpu.api"),
    ("layers", "analysis.planted", "mesogpu.report"),
    ("layers", "analysis.planted", "mesogpu.execute"),
    ("layers", "execute.planted", "mesogpu.analysis"),
    ("layers", "store.planted", "mesogpu.execute"),
    ("layers", "store.planted", "mesogpu.backends"),
    ("layers", "backends.planted", "mesogpu.store"),
    ("layers", "plan.planted", "mesogpu.backends"),
    ("layers", "config.planted", "mesogpu.plan"),
    ("layers", "physics.planted", "mesogpu.config"),
    ("layers", "units", "mesogpu.physics"),
    ("layers", "errors", "mesogpu.units"),
    ("hdf5-in-store", "execute.planted", "h5py"),
    ("hdf5-in-store", "analysis.planted", "xarray"),
    ("dask-in-execute", "backends.planted", "dask"),
    ("dask-in-execute", "api", "distributed"),
    ("parsing-in-config", "config.planted", "pydantic"),
    ("parsing-in-config", "store.planted", "ruamel.yaml"),
    ("terminal-in-cli", "report.planted", "rich"),
    ("terminal-in-cli", "execute.planted", "click"),
    ("figures-in-report", "analysis.planted", "matplotlib.pyplot"),
    ("templates-in-report", "cli.planted", "jinja2"),
    ("cupy-in-backends-cuda", "backends.planted", "cupy"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    """The package and its rules, in a folder where they may be broken."""
    shutil.copytree(ROOT / "mesogpu", tmp_path / "mesogpu", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(folder: Path, module: str, line: str) -> None:
    """Append a line to a module, inside a function as a careless lazy import would be."""
    path = folder / "mesogpu" / Path(*module.split(".")).with_suffix(".py")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef planted_{sum(line.encode())}():\n    {line}\n")


def broken_section(output: str, name: str) -> str:
    """What the report says about one broken contract; nothing if it is kept."""
    found = re.search(rf"^{re.escape(name)}\n-+\n(.*?)(?=^[^\n]+\n-{{3,}}\n|\Z)", output, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def test_every_contract_is_kept(copied_tree: Path) -> None:
    # A name that only the type checker reads is no import.
    hint = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import xarray\n"
    )
    (copied_tree / "mesogpu" / "analysis" / "planted.py").write_text(hint, encoding="utf-8")
    linted = lint_imports(copied_tree)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in linted.stdout


def test_each_contract_notices_its_planted_violations(copied_tree: Path) -> None:
    for _, module, imported in VIOLATIONS:
        plant(copied_tree, module, f"import {imported}")
    linted = lint_imports(copied_tree)
    assert linted.returncode != 0
    assert {contract for contract, _, _ in VIOLATIONS} == set(NAMES)
    for contract, module, imported in VIOLATIONS:
        section = broken_section(linted.stdout, NAMES[contract])
        link = rf"mesogpu\.{re.escape(module)} -> {re.escape(imported.split('.')[0])}"
        assert re.search(link, section), (contract, module, imported, linted.stdout + linted.stderr)


def test_a_folder_outside_the_layers_is_noticed(copied_tree: Path) -> None:
    (copied_tree / "mesogpu" / "attic.py").touch()
    linted = lint_imports(copied_tree)
    assert linted.returncode != 0
    assert "attic" in broken_section(linted.stdout, NAMES["layers"]), linted.stdout


BARE_MACHINE = """
import sys

class OnlyTheCore:
    allowed = sys.stdlib_module_names | {"numpy", "scipy", "mesogpu"}

    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in self.allowed and not root.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"{name}: not on a bare machine", name=name)
        return None

sys.meta_path.insert(0, OnlyTheCore())
import importlib, pkgutil
import mesogpu.physics, mesogpu.plan, mesogpu.backends
for package in (mesogpu.physics, mesogpu.plan, mesogpu.backends):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith("mesogpu.backends.cuda"):
            importlib.import_module(module.name)
"""


def run_on_bare_machine(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE_MACHINE + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_numerical_core_imports_with_numpy_and_scipy_alone() -> None:
    program = """
import mesogpu.backends.select, mesogpu.config.experiment
mesogpu.backends.select.select_backend("numpy")
"""
    done = run_on_bare_machine(program)
    assert done.returncode == 0, done.stderr


def test_the_bare_machine_has_no_other_library() -> None:
    program = """
for library in ("h5py", "xarray", "distributed", "pydantic", "click", "matplotlib", "threadpoolctl"):
    try:
        importlib.import_module(library)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{library} could be imported")
"""
    done = run_on_bare_machine(program)
    assert done.returncode == 0, done.stderr
