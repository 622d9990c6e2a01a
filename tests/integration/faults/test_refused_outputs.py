"""Outputs that a run may not touch: it says why, returns the right status, and leaves every byte as it was."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from faults.experiments import TEXTS, digest, run_words
from faults.launching import Seed

NOBODY = 65534

Make = Callable[[Path], None]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, ordinary: Seed) -> Path:
    """A folder with a whole file of ours."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "run.yaml").write_text(TEXTS["transmission"])
    (folder / "place").mkdir()
    run = ordinary.start(folder, *run_words("run.yaml", "place/out.h5", "numpy", 1, 16))
    assert run.wait() == 0, run.said
    return folder / "place"


def foreign_hdf5(out: Path) -> None:
    with h5py.File(out, "w") as file:
        file["x"] = range(10)


def a_thesis(out: Path) -> None:
    out.write_text("my thesis")


def a_directory(out: Path) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("my thesis")


def a_pipe(out: Path) -> None:
    os.mkfifo(out)


def nothing_in_a_read_only_place(out: Path) -> None:
    out.parent.chmod(0o555)


def ours(_: Path) -> None:
    """As it is."""


def ours_in_a_read_only_place(out: Path) -> None:
    Path(f"{out}.lock").unlink()
    out.parent.chmod(0o555)


def of_another_user(out: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for path in out.parent.iterdir():
        os.chown(path, NOBODY, NOBODY)
    out.parent.chmod(0o777)


def of_another_user_without_their_lock(out: Path) -> None:
    of_another_user(out)
    Path(f"{out}.lock").unlink()


def secrets_of_another_user(out: Path) -> None:
    of_another_user(out)
    out.chmod(0o600)


FOREIGN = [
    (foreign_hdf5, 2, "an HDF5 file that mesogpu did not write"),
    (a_thesis, 2, "is not an HDF5 file"),
    (a_directory, 2, "is a directory"),
    (a_pipe, 2, "is not an ordinary file"),
    (nothing_in_a_read_only_place, 5, "not allowed here"),
]

RESULTS = [
    (ours, ["--set", "energy=0.3"], 2, "holds another experiment"),
    *(
        (make, ["--set", f"realizations={realizations}"], 5, "not allowed here")
        for make in (
            ours_in_a_read_only_place,
            of_another_user,
            of_another_user_without_their_lock,
            secrets_of_another_user,
        )
        for realizations in (16, 32)
    ),
]


@pytest.mark.parametrize(("make", "code", "message"), FOREIGN, ids=[case[0].__name__ for case in FOREIGN])
def test_what_is_not_ours_is_left_alone(tmp_path: Path, ordinary: Seed, make: Make, code: int, message: str) -> None:
    """Planted fault: anything unreadable replaced by a new file."""
    place = tmp_path / "place"
    place.mkdir()
    make(place / "out.h5")
    left_alone(place, ordinary, [], code, message)


@pytest.mark.parametrize(
    ("make", "words", "code", "message"), RESULTS, ids=[f"{case[0].__name__}, {case[1][1]}" for case in RESULTS]
)
def test_results_that_may_not_be_written_are_left_alone(
    tmp_path: Path, ordinary: Seed, results: Path, make: Make, words: list[str], code: int, message: str
) -> None:
    """Planted fault: a file of another user replaced by a larger one of one's own."""
    place = tmp_path / "place"
    shutil.copytree(results, place)
    make(place / "out.h5")
    left_alone(place, ordinary, words, code, message)


def left_alone(place: Path, seed: Seed, words: list[str], code: int, message: str) -> None:
    """A run is refused, with a message that says why."""
    (place.parent / "run.yaml").write_text(TEXTS["transmission"])
    before = everything(place)
    try:
        run = seed.start(place.parent, *run_words("run.yaml", "place/out.h5", "numpy", 1, 16), *words)
        assert run.wait() == code, run.said
        assert message in run.said
        assert "out.h5" in run.said
        assert "Traceback" not in run.said
        assert everything(place) == before
    finally:
        place.chmod(0o755)


def everything(place: Path) -> dict[str, tuple[int, int, str]]:
    """(mode, owner, digest) of all that lies there; an empty lock file beside harms nobody."""
    found = {}
    for path in place.rglob("*"):
        status = path.stat()
        content = digest(path) if stat.S_ISREG(status.st_mode) else ""
        if path.name != "out.h5.lock":
            found[path.name] = (status.st_mode, status.st_uid, content)
    return found
