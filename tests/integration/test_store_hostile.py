"""Files that may come from anybody: a clear error, nothing executed, nothing followed, little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import store_cases as cases
from faults import counts
from hostile_files import BEYOND, GARBAGE, HOSTILE, LYING, change, lie, reach_beyond

from mesogpu.store.manifest import manifest_path

REFUSED = {2, 3, 5}
UNHARMED = {"YAML bomb", "YAML that runs a command", "YAML of another experiment"}
"""What their arrays hold can be read all the same; only what their configuration says cannot."""


BOUNDED = (
    "huge array",
    "huge commit table",
    "references for numbers",
    "link to another file",
    "link to itself",
    "bytes of another file",
    "view of another file",
    "root in itself",
    "parameter in another file",
    "absurd text",
    "text for a number",
    "YAML that runs a command",
    BEYOND,
    "offsets beyond the file",
    "arrays over each other",
    "deep nesting",
)
"""One of each kind but bombs, which take seconds to refuse, for the default suite."""

Answers = dict[tuple[str, str], tuple[int, str]]
"""Exit code and message by file and command."""


def ask(folder: Path, chosen: Callable[[str], bool]) -> Answers:
    """What every command says to the chosen files."""
    cases.write(folder / "good.h5", cases.plan())
    content, manifest = (folder / "good.h5").read_bytes(), manifest_path(folder / "good.h5").read_bytes()
    # Who follows a link to it waits for ever.
    os.mkfifo(folder / "secret.h5")
    titles = {}
    for number, name in enumerate(filter(chosen, [*HOSTILE, BEYOND, *LYING, *GARBAGE])):
        path = folder / f"{number}.h5"
        path.write_bytes(content)
        if name in HOSTILE:
            change(path, HOSTILE[name])
        elif name == BEYOND:
            reach_beyond(path)
        else:
            path = path.rename(folder / f"lie-{number}.h5")
            manifest_path(path).write_bytes(GARBAGE.get(name, manifest))
            if name in LYING:
                lie(path, LYING[name])
        titles[path.name] = name
    (folder / "config.yaml").write_text(cases.CONFIG)
    script = Path(__file__).with_name("hostile_files.py")
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.run(
        [sys.executable, str(script), "config.yaml", "good.h5", *titles],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert process.returncode == 0, process.stderr
    assert not (folder / "executed").exists()
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    return {(titles[line["file"]], line["command"]): (line["code"], line["said"]) for line in lines}


def judge(answers: Answers) -> None:
    for (name, command), (code, said) in answers.items():
        assert "Traceback" not in said
        if name in LYING or name in GARBAGE:
            # Readers do without a manifest; verification tells, and a repair gives the file one that is true.
            allowed = {"status": {0}, "verify": {3}, "repair": {0}}.get(command, REFUSED)
        elif command == "repair":
            # It takes what is whole into a file of its own making, and believes nothing else.
            allowed = {0, 1, *REFUSED}
        else:
            allowed = {0, *REFUSED} if name in UNHARMED and command in ("status", "open_results") else REFUSED
        assert code in allowed, (name, command, said)


def test_hostile_files_are_refused_by_every_command(tmp_path: Path) -> None:
    """Planted faults: links not looked at; types not compared."""
    judge(ask(tmp_path, BOUNDED.__contains__))


@pytest.mark.faults
def test_more_hostile_files_are_refused_by_every_command(tmp_path: Path) -> None:
    """Planted fault: arrays of a manifest allowed to lie over each other."""
    answers = ask(tmp_path, lambda name: name not in BOUNDED)
    judge(answers)
    counts.info(
        "hostile files: %d answers, with exit codes %s", len(answers), Counter(code for code, _ in answers.values())
    )
