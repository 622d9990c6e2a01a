"""The run log tells what the results file leaves out, line by line, and outlives what cuts a line off."""

from __future__ import annotations

import json
import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import mesogpu
from mesogpu.errors import EnvironmentFault, Interrupted
from mesogpu.execute import RunRecord, WorkerLost, into_file
from mesogpu.store import append_log, read_log, run_log

CONFIG = {
    "schema": 1,
    "name": "w",
    "seed": 3,
    "model": {"lattice": "square", "width": 3, "length": 4},
    "disorder": [{"distribution": "uniform", "width": 1.0}],
    "energy": 0.3,
    "realizations": 10,
}
STAMP = {"time", "host", "pid", "mesogpu_version", "event"}


def lines(path: Path) -> list[dict[str, Any]]:
    """Every line of the log that is whole."""
    found = []
    for line in Path(f"{path}.log.jsonl").read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def run(path: Path, **changes: Any) -> None:
    mesogpu.run(CONFIG | changes, path, backend="numpy", workers=1)


def test_a_run_tells_where_and_by_what_it_was_computed(tmp_path: Path) -> None:
    """Planted fault: the signature left out."""
    path = tmp_path / "w.h5"
    run(path)
    run(path, realizations=20)
    first, end, second, _ = lines(path)
    assert [line["event"] for line in (first, end, second)] == ["started", "finished", "started"]
    told = {"backend", "signature", "workers", "machine", "config_sha256", "points", "realizations", "blocks"}
    assert first.keys() == STAMP | told | {"blocks_done", "git_sha", "packages", "system"}
    assert first["machine"]["processor"]
    assert "numpy" in first["signature"]
    assert (first["realizations"], second["realizations"]) == (10, 20)
    assert end.keys() == STAMP | {field.name for field in fields(RunRecord)}


def test_an_end_before_time_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: a run that stops leaves no line."""
    path = tmp_path / "w.h5"

    def execute(*_: object, listen: Any, **__: object) -> None:
        listen(WorkerLost(2, "killed by SIGKILL"))
        raise Interrupted("interrupted: 3 of 10")

    monkeypatch.setattr(into_file, "execute", execute)
    with pytest.raises(Interrupted):
        run(path)
    _, lost, stopped = lines(path)
    assert (lost["event"], lost["worker"], lost["reason"]) == ("worker lost", 2, "killed by SIGKILL")
    assert (stopped["event"], stopped["reason"]) == ("stopped", "Interrupted: interrupted: 3 of 10")


@pytest.mark.parametrize("rest", [b"", b'{"time": "2026-', b'{"event": "started"}'])
def test_a_line_cut_off_spoils_no_other(tmp_path: Path, rest: bytes) -> None:
    """Planted fault: the next line written behind the rest of the last."""
    path = tmp_path / "w.h5"
    append_log(path, event="started", workers=2)
    with Path(f"{path}.log.jsonl").open("ab") as log:
        log.write(rest)
    append_log(path, event="finished", seconds=1.5)
    found = lines(path)
    assert found[0]["workers"] == 2
    assert found[-1]["seconds"] == 1.5
    assert found[0].keys() >= STAMP
    assert read_log(path) == found


def test_no_log_is_no_error(tmp_path: Path) -> None:
    assert read_log(tmp_path / "w.h5") == []


def test_a_line_that_cannot_be_written_ends_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Planted fault: the fault of the log raised in the middle of a run."""
    path = tmp_path / "w.h5"
    with run_log(path) as log, caplog.at_level(logging.WARNING, "mesogpu"):
        Path(f"{path}.log.jsonl").unlink()
        Path(f"{path}.log.jsonl").mkdir()
        log(event="finished")
    assert "run log" in caplog.text
    with pytest.raises(EnvironmentFault, match="run log"), run_log(path):
        pass
