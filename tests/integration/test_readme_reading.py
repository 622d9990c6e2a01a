"""README.md shows how to read a results file; what it shows runs, and prints the numbers of the file."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import mesogpu
from mesogpu.store import pack

ROOT = Path(__file__).parents[2]
NAME = "ucf-quasi-1d.h5"


def shown(what: str) -> str:
    """The code behind one marker of README.md."""
    found = re.search(rf"<!-- read-{what} -->\n```\w+\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, what
    return found[1]


@pytest.fixture(scope="module", params=["original", "packed"])
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder with the quickstart's results, of few realizations, or a packed copy of them."""
    folder = tmp_path_factory.mktemp("reading")
    out = folder / NAME if request.param == "original" else folder / "whole.h5"
    mesogpu.run(ROOT / "configs" / "quickstart.yaml", out, workers=1, overrides=["realizations=24"])
    if request.param == "packed":
        pack(out, folder / NAME)
    return folder


def expected(folder: Path, flux: int, length: int) -> np.ndarray:
    with mesogpu.open_results(folder / NAME) as results:
        return results["conductance"].values[flux, length]


def printed(code: str, folder: Path) -> str:
    output = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    return output.getvalue()


def is_there(value: float, text: str) -> bool:
    """Whether a number is printed, to six digits or more."""
    numbers = [float(word) for word in re.findall(r"-?\d+\.\d+(?:e[+-]?\d+)?", text)]
    return bool(np.isclose(numbers, value, rtol=1e-5).any())


@pytest.mark.parametrize("what", ["xarray", "h5py", "pandas"])
def test_what_python_is_shown_runs_and_prints_the_numbers_of_the_file(what: str, folder: Path) -> None:
    """Seen to fail with the shortest length taken for the longest."""
    code = shown(what)
    assert len([line for line in code.splitlines() if line]) <= 5
    if what == "pandas":
        pytest.importorskip("pandas")
    text = printed(code, folder)
    assert is_there(expected(folder, 0, -1).mean(), text)
    if what != "h5py":
        assert is_there(expected(folder, 1, -1).var(ddof=1), text)


def test_what_the_tools_are_shown_runs_and_prints_the_numbers_of_the_file(folder: Path) -> None:
    """Seen to fail with a slice along the wrong dimension."""
    if shutil.which("h5dump") is None:
        pytest.skip("h5dump is not here (Debian: apt install hdf5-tools)")
    commands = shown("h5dump").splitlines()
    assert len(commands) <= 5
    answers = []
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        answers.append(done.stdout)
    assert "H5T_IEEE_F64LE" in answers[0]
    assert "g = Tr t t^dagger" in answers[1]
    assert "name: ucf-quasi-1d" in answers[2]
    assert all(is_there(g, answers[3]) for g in expected(folder, 0, -1)[:10])
    assert "0.006" in (folder / "flux.txt").read_text()


def test_what_julia_is_shown_is_short_and_of_the_same_names(folder: Path) -> None:
    """It cannot run here: only that each dataset and attribute is in the file. Seen to fail with a name misspelt."""
    code = shown("julia")
    assert len(code.splitlines()) <= 5
    names = set(re.findall(r'file\["(\w+)"\]', code))
    with mesogpu.open_results(folder / NAME) as results:
        assert names == {"conductance", "status", "flux"}
        assert names <= set(results.variables)
        assert "units" in results["flux"].attrs
