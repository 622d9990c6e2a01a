"""What `import mesogpu` promises, and what it must not load."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

import mesogpu

HEAVY = ("numpy", "scipy", "h5py", "xarray", "dask", "distributed", "pydantic", "ruamel", "matplotlib", "jinja2")
HEAVY += ("rich", "click")


def loaded_by(statement: str) -> set[str]:
    program = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_public_names_are_pinned() -> None:
    names = ["__version__", "analyze", "compare", "load_experiment", "open_results", "plot", "run"]
    names += ["sample_bonds", "sample_onsite", "sample_spins", "submit", "write_report"]
    assert sorted(mesogpu.__all__) == names
    assert set(names) <= set(dir(mesogpu))


@pytest.mark.parametrize("name", mesogpu.__all__)
def test_every_public_name_can_be_loaded(name: str) -> None:
    assert getattr(mesogpu, name) is not None


def test_api_offers_the_same_functions() -> None:
    api = importlib.import_module("mesogpu.api")
    for name in set(mesogpu.__all__) - {"__version__"}:
        assert getattr(api, name) is getattr(mesogpu, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="conductance_quantum"):
        mesogpu.conductance_quantum  # noqa: B018


@pytest.mark.parametrize("module", ["mesogpu", "mesogpu.cli"])
def test_import_loads_no_library(module: str) -> None:
    # Seen to fail with `import numpy` planted in mesogpu/__init__.py.
    assert not loaded_by(f"import {module}") & set(HEAVY)


def test_the_command_line_starts_with_click_alone() -> None:
    # Seen to fail with `from rich.console import Console` planted at the top of cli/render.py.
    assert not loaded_by("import mesogpu.cli.commands") & (set(HEAVY) - {"click"})
