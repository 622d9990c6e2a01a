"""Files that may come from anybody: a clear error, nothing executed, nothing followed, little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import store_cases as cases
from hostile_files import COMMANDS, GARBAGE, HOSTILE, LYING, change, lie

from mesogpu.store.manifest import manifest_path

REFUSED = {2, 3, 5}
UNHARMED = {"YAML bomb", "YAML that runs a command", "YAML of another experiment"}
"""What their arrays hold can be read all the same; only what their configuration says cannot."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, str]]:
    """Exit code and message of every command for every file, by file and command."""
    folder = tmp_path_factory.mktemp("hostile")
    plan = cases.plan()
    cases.write(folder / "good.h5", plan)
    content, manifest = (folder / "good.h5").read_bytes(), manifest_path(folder / "good.h5").read_bytes()
    # Who follows a link to it waits for ever.
    os.mkfifo(folder / "secret.h5")
    names = []
    for number, (name, how) in enumerate(HOSTILE.items()):
        path = folder / f"{number}.h5"
        path.write_bytes(content)
        change(path, how)
        names.append((path, name))
    for number, name in enumerate([*LYING, *GARBAGE]):
        path = folder / f"lie-{number}.h5"
        path.write_bytes(content)
        manifest_path(path).write_bytes(manifest)
        if name in LYING:
            lie(path, LYING[name])
        else:
            manifest_path(path).write_bytes(GARBAGE[name])
        names.append((path, name))
    (folder / "config.yaml").write_text(cases.CONFIG)
    script = Path(__file__).with_name("hostile_files.py")
    command = [sys.executable, str(script), "config.yaml", "good.h5", *(path.name for path, _ in names)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment)
    assert process.returncode == 0, process.stderr
    assert not (folder / "executed").exists()
    titles = {path.name: name for path, name in names}
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    return {(titles[line["file"]], line["command"]): (line["code"], line["said"]) for line in lines}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_every_command(answers: dict[tuple[str, str], tuple[int, str]], name: str) -> None:
    """Planted faults: links not looked at; extents not held against the size of the file; types not compared."""
    for command in COMMANDS:
        code, said = answers[name, command]
        assert "Traceback" not in said
        readable = name in UNHARMED and command in ("status", "open_results")
        # A repair takes what is whole into a file of its own making, and believes nothing else.
        assert code in ({0, 1, *REFUSED} if readable or command == "repair" else REFUSED), (command, said)


@pytest.mark.parametrize("name", [*LYING, *GARBAGE])
def test_a_manifest_that_lies_is_noticed(answers: dict[tuple[str, str], tuple[int, str]], name: str) -> None:
    """Readers do without it; verification tells, a repair gives the file one that is true.

    Planted faults: arrays allowed to lie over each other; the manifest's own hash taken for enough.
    """
    assert answers[name, "status"][0] == 0, answers[name, "status"]
    assert answers[name, "verify"][0] == 3, answers[name, "verify"]
    assert answers[name, "run"][0] in REFUSED, answers[name, "run"]
    assert answers[name, "repair"][0] == 0, answers[name, "repair"]
