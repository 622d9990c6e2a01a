"""Every way to fail has its exit code and its message."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mesogpu import errors
from mesogpu.cli.faults import guarded


def raising(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("wire.yaml:3:1: seed: missing"), 2),
        (errors.PhysicsError("band edge"), 2),
        (errors.PlanError("too large"), 5),
        (errors.StoreError("another experiment"), 2),
        (errors.DamagedFileError("bad block"), 3),
        (errors.EnvironmentFault("no lock"), 5),
        (errors.BackendUnavailable("no GPU"), 5),
        (errors.WorkersLost("they die"), 5),
        (errors.Interrupted("stopped"), 130),
        (click.UsageError("no such option"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 5),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out.h5"), 5),
        (PermissionError(errno.EACCES, "Permission denied", "out.h5"), 5),
    ],
)
def test_refusal_has_its_exit_code_and_no_traceback(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(raising(error)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip()
    assert "Traceback" not in captured.err


def test_config_problems_stand_as_they_are_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(errors.ConfigError("a.yaml:1:1: one", "a.yaml:2:1: two")))
    assert capsys.readouterr().err.splitlines() == [
        "a.yaml:1:1: one",
        "a.yaml:2:1: two",
        "mesogpu: error: 2 problems, nothing was computed",
    ]


def test_other_refusals_name_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(errors.PlanError("disk: too small")))
    assert capsys.readouterr().err == "mesogpu: error: disk: too small\n"


def test_a_full_disk_is_named_with_its_path_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(OSError(errno.ENOSPC, "No space left on device", "/data/wire.h5")))
    assert capsys.readouterr().err == (
        "mesogpu: error: /data/wire.h5: No space left on device; free some space there, or write elsewhere with -o\n"
    )


def test_a_bug_is_logged_where_the_message_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert guarded(raising(ZeroDivisionError("planted"))) == 70
    (log,) = (tmp_path / "mesogpu").iterdir()
    message = capsys.readouterr().err
    assert str(log) in message
    assert "Traceback" not in message
    assert "Traceback" in log.read_text()
    assert "ZeroDivisionError: planted" in log.read_text()
    assert (tmp_path / "mesogpu").stat().st_mode & 0o777 == 0o700


def test_a_bug_is_logged_privately_without_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guarded(raising(ZeroDivisionError("planted"))) == 70
    (folder,) = tmp_path.glob("mesogpu-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert str(folder) in capsys.readouterr().err


def test_a_file_missing_from_the_package_is_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Seen to fail when every OSError was taken for the user's.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    missing = Path(errors.__file__).with_name("missing.npz")
    assert guarded(raising(FileNotFoundError(errno.ENOENT, "No such file", str(missing)))) == 70
    assert guarded(raising(OSError("no number"))) == 70


def test_a_status_is_passed_on() -> None:
    assert guarded(lambda: 1) == 1
    assert guarded(lambda: None) == 0
