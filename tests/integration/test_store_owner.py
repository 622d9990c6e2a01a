"""A file system without locks: refused by what to do, or guarded by an owner file where that is asked for."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import store_cases as cases
from test_store_commits import writer_process

from mesogpu.errors import EnvironmentFault
from mesogpu.store import Writer, owner

LOCKLESS = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


def open_writer(path: Path) -> Writer:
    return Writer(path, cases.plan(), config_text=cases.CONFIG, signature=cases.SIGNATURE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.h5"


@pytest.fixture
def lockless(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(monkeypatch, errno.ENOLCK)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOGPU_LOCK", "owner-file")


def refuse_locks(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    monkeypatch.setattr(fcntl, "flock", refuse)


def own(path: Path, **changes: object) -> Path:
    """An owner file as this process would write it, but for some changes."""
    file = owner.owner_path(path)
    file.write_text(json.dumps(owner._identity() | changes))
    return file


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("number", LOCKLESS)
def test_without_locks_a_run_is_refused_and_offered_the_owner_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Planted fault: an owner file taken without being asked for."""
    refuse_locks(monkeypatch, number)
    with pytest.raises(EnvironmentFault, match=r"no locks \(.*-o, or set .*MESOGPU_LOCK=owner-file.*out\.h5\.owner"):
        open_writer(path)
    assert [entry.name for entry in path.parent.iterdir()] == ["out.h5.lock"]


@pytest.mark.usefixtures("lockless", "asked")
def test_an_owner_file_guards_a_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted faults: the owner file left behind; not looked for by those who do not use one."""
    with open_writer(path) as writer:
        said = json.loads(owner.owner_path(path).read_text())
        assert said["pid"] == os.getpid()
        assert said["host"]
        assert said["start"]
        with pytest.raises(EnvironmentFault, match="already open for writing in this process"):
            open_writer(path)
        for mode in ("owner-file", ""):
            monkeypatch.setenv("MESOGPU_LOCK", mode)
            process = writer_process(path, 0, 1)
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 1
            assert f"being written by process {os.getpid()} on this host" in errors
        writer.commit([cases.compute(cases.plan(), 0, 0)])
    assert not owner.owner_path(path).exists()
    monkeypatch.undo()
    cases.write(path, cases.plan())
    cases.write(path.with_name("direct.h5"), cases.plan())
    assert cases.digest(path) == cases.digest(path.with_name("direct.h5"))


def test_an_owner_minds_a_lock_where_there_is_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: no lock tried beside the owner file."""
    with open_writer(path):
        monkeypatch.setenv("MESOGPU_LOCK", "owner-file")
        process = writer_process(path, 0, 1)
        _, errors = process.communicate(timeout=60)
        assert "being written by pid" in errors
    assert not owner.owner_path(path).exists()


@pytest.mark.usefixtures("lockless", "asked")
@pytest.mark.parametrize("change", ["dead", "number reused"])
def test_an_owner_that_died_here_is_replaced_with_a_note(
    path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    """Planted fault: a process of the same number taken for the owner."""
    changes = {"pid": ended_process()} if change == "dead" else {"start": "another boot 123"}
    own(path, **changes)
    with caplog.at_level(logging.WARNING, "mesogpu"), open_writer(path):
        assert json.loads(owner.owner_path(path).read_text())["pid"] == os.getpid()
    assert "is gone; its owner file was taken over" in caplog.text
    assert sorted(p.name for p in path.parent.iterdir()) == ["out.h5", "out.h5.lock", "out.h5.manifest.json"]


@pytest.mark.usefixtures("lockless", "asked")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": "elsewhere", "pid": 1}, r"owned by process 1 on elsewhere, .*rm .*out\.h5\.owner\)"),
        ({"namespace": "pid:[1]"}, r"another container, .*rm .*out\.h5\.owner\)"),
        ({"pid": None}, r"does not say who writes it.*rm .*out\.h5\.owner\)"),
        ({"pid": os.getppid(), "start": owner._start(os.getppid())}, "being written by process"),
    ],
)
def test_an_owner_whose_end_is_not_known_is_not_replaced(path: Path, changes: dict[str, object], message: str) -> None:
    """Planted fault: any owner of another host taken for dead."""
    file = own(path, **changes)
    before = file.read_bytes()
    with pytest.raises(EnvironmentFault, match=message):
        open_writer(path)
    assert file.read_bytes() == before
    assert not path.exists()


def test_an_owner_that_came_in_between_is_given_back(path: Path) -> None:
    """Planted fault: whatever stands at the name removed."""
    file = own(path)
    live = file.read_bytes()
    owner._put_aside(file, b"stale")
    assert file.read_bytes() == live
    owner._put_aside(file, live)
    assert list(path.parent.iterdir()) == []


@pytest.mark.usefixtures("lockless", "asked")
def test_an_owner_file_taken_away_stops_the_run(path: Path) -> None:
    """Planted fault: the lock file alone watched."""
    with open_writer(path) as writer:
        owner.owner_path(path).unlink()
        own(path, pid=1)
        with pytest.raises(EnvironmentFault, match=r"out\.h5\.owner: was removed or replaced.*nothing more is written"):
            writer.commit([cases.compute(cases.plan(), 0, 0)])
    assert owner.owner_path(path).exists(), "it is somebody else's now"


def test_a_mode_that_means_nothing_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: anything but "owner-file" taken for the default."""
    monkeypatch.setenv("MESOGPU_LOCK", "none")
    with pytest.raises(EnvironmentFault, match="MESOGPU_LOCK: 'none' means nothing; set it to owner-file"):
        open_writer(path)
