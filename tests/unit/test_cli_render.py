"""Tables and progress as plain text, and what changes on a terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from mesogpu.cli.progress import Pace, PlainProgress
from mesogpu.cli.render import Sheet, emit_json, is_terminal, panels, plain

SHEET = Sheet("title", ("name", "g"), (("a", "10.5"), ("long name", "9.25")), ("note",), left=1)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_tables_line_up() -> None:
    assert plain(SHEET).splitlines() == [
        "title",
        "",
        "name          g",
        "---------  ----",
        "a          10.5",
        "long name  9.25",
        "",
        "note",
    ]


def test_a_table_without_headings_has_no_rule() -> None:
    assert plain(Sheet("", ("", ""), (("points", "2"), ("time", "3 s")), left=2)) == "points  2\ntime    3 s"


def test_a_wide_table_is_split_and_keeps_its_keys() -> None:
    sheet = Sheet("", ("L", "<g>", "var g", "F"), (("30", "1" * 20, "2" * 20, "3" * 20),), keys=1)
    assert panels(sheet, 200) == [[0, 1, 2, 3]]
    assert panels(sheet, 50) == [[0, 1, 2], [0, 3]]
    assert panels(sheet, 10) == [[0, 1], [0, 2], [0, 3]]


def test_json_is_standard() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        emit_json({"value": float("nan")})


def test_json_keeps_every_character(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"unit": "h/e, ξ"})
    assert json.loads(capsys.readouterr().out) == {"unit": "h/e, ξ"}


@pytest.mark.parametrize(("term", "answer"), [("xterm", True), ("dumb", False), ("", False)])
def test_a_dumb_terminal_gets_plain_lines(term: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    assert is_terminal(stream) is answer


def test_rate_counts_only_this_run() -> None:
    # Seen to fail when realizations of an earlier run were counted into the rate.
    clock = Clock()
    pace = Pace(total=1000, done=800, clock=clock)
    assert pace.describe() == "no block finished yet"
    clock.now, pace.done = 10.0, 900
    assert pace.rate == 10.0
    assert pace.describe() == "10/s, 10 s left"


def test_plain_progress_lines_become_rarer(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = PlainProgress(clock)
    progress.started(100_000, 0)
    for second in range(1, 100_001):
        clock.now = float(second)
        progress.advanced(second, 0)
    progress.finished(0)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "  0 %  10 of 100,000 realizations, 1/s, 1 d 3 h left"
    assert lines[-1].startswith("100 %")
    assert 100 < len(lines) < 300


def test_failed_samples_are_said_at_once_they_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = PlainProgress(clock)
    progress.started(10, 0)
    clock.now = 20.0
    progress.advanced(5, 3)
    assert "3 samples failed" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    # Seen to fail with the handler of BrokenPipeError taken out of cli/render.py.
    program = "from mesogpu.cli.render import emit\nfor _ in range(20000): emit('x' * 80)"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    os.read(process.stdout.fileno(), 10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0
