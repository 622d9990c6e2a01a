"""The command line as a process: signals, terminals, scripts that import mesogpu."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mesogpu
from mesogpu.errors import ConfigError

PACKAGE_HOME = str(Path(mesogpu.__file__).parents[1])

MESOGPU = [sys.executable, "-m", "mesogpu"]

CONFIG = """\
schema: 1
name: wire
seed: 7
model: {lattice: square, width: 6, length: [6, 12]}
disorder: [{distribution: uniform, width: 1.0}]
energy: 0.3
sweep: {flux: [0.0, 0.01]}
realizations: 16
"""

ORACLE = ["--backend", "numpy", "--workers", "1"]

SLOW = ["--set", "model.width=60", "--set", "model.length=[400]", "--set", "realizations=2000"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The package under test, whether it is installed or not.
    monkeypatch.setenv("PYTHONPATH", PACKAGE_HOME)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "wire.yaml").write_text(CONFIG)
    return tmp_path


def test_ctrl_c_ends_in_130_and_the_same_command_goes_on(folder: Path) -> None:
    # Seen to fail with click's own main: exit code 1, and no word about how to go on.
    command = [*MESOGPU, "run", "wire.yaml", *ORACLE, *SLOW]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (folder / "wire.h5").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "same command" in said
    status = subprocess.run([*MESOGPU, "status", "wire.h5"], cwd=folder, capture_output=True, text=True, check=False)
    assert status.returncode == 1
    assert status.stdout.startswith("wire.h5: incomplete")


def test_ctrl_c_while_modules_load_is_130(folder: Path) -> None:
    # Seen to fail with the import of cli.commands outside the handler of cli/__init__.py.
    (folder / "click.py").write_text("raise KeyboardInterrupt")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), PACKAGE_HOME])}
    done = subprocess.run(
        [*MESOGPU, "--help"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "mesogpu: interrupted\n")


def on_terminal(command: list[str], folder: Path, **variables: str) -> str:
    """What a command shows on a terminal of 100 columns."""
    primary, secondary = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "100"} | variables
    process = subprocess.Popen(
        command, cwd=folder, stdin=secondary, stdout=secondary, stderr=secondary, env=environment
    )
    os.close(secondary)
    shown = b""
    while True:
        try:
            piece = os.read(primary, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(primary)
    assert process.wait() == 0, shown
    return shown.decode()


def test_a_terminal_gets_colour_unless_no_color(folder: Path) -> None:
    colours = ("\x1b[3", "\x1b[9", ";3", ";9")
    plain = on_terminal([*MESOGPU, "run", "wire.yaml", *ORACLE], folder, NO_COLOR="1")
    assert not any(f"\x1b[{code}m" in plain for code in (31, 32, 33, 34, 35, 36))
    coloured = on_terminal([*MESOGPU, "run", "wire.yaml", *ORACLE, "-o", "again.h5"], folder)
    assert any(code in coloured for code in colours)
    assert "32/32" in coloured


def test_a_script_from_standard_input_runs_without_a_main_guard(folder: Path) -> None:
    script = 'import mesogpu\nprint(mesogpu.run("wire.yaml", backend="numpy", workers=2))\n'
    done = subprocess.run([sys.executable], input=script, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "wire.h5\n"), done.stderr


def test_run_from_python_returns_the_path(folder: Path) -> None:
    experiment = mesogpu.load_experiment(folder / "wire.yaml")
    path = mesogpu.run(experiment, folder / "out.h5", backend="numpy", workers=1, overrides=["realizations=8"])
    assert path == folder / "out.h5"
    with mesogpu.open_results(path) as results:
        assert results.conductance.shape == (2, 2, 8)
        mesogpu.plot(results, folder / "figure.svg")
    assert "<svg" in (folder / "figure.svg").read_text()


@pytest.mark.parametrize("workers", [0, -1, 2.5, 10**6])
def test_an_absurd_number_of_workers_is_refused_before_any_file(workers: int, folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"workers: .* from 1 to"):
        mesogpu.run(folder / "wire.yaml", folder / "out.h5", workers=workers)
    assert not list(folder.glob("out.h5*"))


def test_onsite_potential_is_that_of_the_plan() -> None:
    document = {
        "schema": 1,
        "name": "wire",
        "seed": 7,
        "model": {"lattice": "square", "width": 5, "length": [4, 9]},
        "disorder": [{"distribution": "uniform", "width": 2.0}],
        "energy": 0.3,
        "sweep": {"disorder.0.width": [2.0, 4.0]},
        "realizations": 8,
    }
    experiment = mesogpu.load_experiment(document)
    potential = mesogpu.sample_onsite(experiment, realization=3)
    assert (potential.shape, potential.dtype) == ((9, 5), np.float64)
    assert np.abs(potential).max() <= 1.0
    np.testing.assert_array_equal(mesogpu.sample_onsite(experiment, 3, point=1), 2.0 * potential)
    longer = mesogpu.sample_onsite(document | {"model": document["model"] | {"length": [30]}}, 3)  # type: ignore[operator]
    np.testing.assert_array_equal(longer[:9], potential)
    independent = mesogpu.sample_onsite(document | {"randomness": "independent"}, 3, point=1)
    assert not np.any(independent == 2.0 * potential)


@pytest.mark.parametrize(("realization", "point"), [(-1, 0), (2**32, 0), (0, 1), (0, -1), (1.5, 0)])
def test_onsite_potential_refuses_what_does_not_exist(realization: int, point: int) -> None:
    document = {
        "schema": 1,
        "name": "wire",
        "seed": 7,
        "model": {"lattice": "chain", "length": [4]},
        "disorder": [{"distribution": "uniform", "width": 2.0}],
        "energy": 0.3,
        "realizations": 8,
    }
    with pytest.raises(ConfigError, match="from 0 to"):
        mesogpu.sample_onsite(document, realization, point)
