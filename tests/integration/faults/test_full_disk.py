"""Disks that fill or fail at any moment: a clear error, exit status 5, the file intact, the same bytes afterwards."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import store_cases as cases

from faults import counts
from faults.calls import fail_from
from faults.experiments import TEXTS, Undisturbed, digest, run_words
from faults.launching import Run, Seed
from faults.lives import open_writer
from mesogpu.errors import EnvironmentFault
from mesogpu.store import provenance

SMALL, LARGE = 24, 40
"""Realizations a point of a file that grows."""

PAGE, SPACE = 4096, 2 * 2**20
METHOD, ENGINE, REALIZATIONS = "transmission", "numpy", 104

SAID = {errno.ENOSPC: "the disk or the quota is full", errno.EIO: "the device reports a failure"}


@pytest.fixture
def one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout may gain a commit while files are compared byte for byte; and looking it up takes time."""
    monkeypatch.setattr(provenance, "git_sha", lambda: "0" * 40)
    monkeypatch.setattr(provenance, "packages", dict)


def create_and_grow(path: Path, acknowledged: set[tuple[int, int]]) -> None:
    """Create a file, commit, let it grow, commit; notes what is acknowledged for good as it goes."""
    for size in (SMALL, LARGE):
        plan = cases.plan(realizations=size)
        with open_writer(path, plan) as writer:
            assert all(writer.done[block] for block in acknowledged)
            missing = [block for block in cases.every_block(plan) if not writer.done[block]]
            for first in range(0, len(missing), 2):
                group = missing[first : first + 2]
                writer.commit([cases.compute(plan, *block) for block in group])
                # The short last block of the small file is computed anew in the large one.
                acknowledged |= {block for block in group if plan.block(*block).count == cases.BLOCK}


def fails(path: Path, nth: int, name: str, code: int, undisturbed: str) -> bool:
    """Whether the nth call is made, and so fails; then all is as it should be, at once and when the disk recovers."""
    acknowledged: set[tuple[int, int]] = set()
    with pytest.MonkeyPatch.context() as patch:
        failures = fail_from(nth, name, code, patch.setattr)
        try:
            create_and_grow(path, acknowledged)
        except EnvironmentFault as fault:
            said = str(fault)
        else:
            assert not failures
            return False
    assert SAID[code] in said
    assert "run the same command again" in said
    create_and_grow_again(path, acknowledged)
    assert digest(path) == undisturbed
    beside = {entry.name for entry in path.parent.glob(f"{path.name}*")}
    assert beside == {path.name, f"{path.name}.lock", f"{path.name}.manifest.json"}
    return True


def create_and_grow_again(path: Path, acknowledged: set[tuple[int, int]]) -> None:
    """The same once more, at once at the size that the file may have by now."""
    plan = cases.plan(realizations=LARGE)
    with open_writer(path, plan) as writer:
        assert all(writer.done[block] for block in acknowledged)
        writer.commit([cases.compute(plan, *block) for block in cases.every_block(plan) if not writer.done[block]])


def fail_at_every(step: int, folder: Path, name: str, code: int) -> int:
    """Let every step-th call fail, each in a life of its own; how many there were."""
    cases.write(folder / "direct.h5", cases.plan(realizations=LARGE))
    undisturbed, nth = digest(folder / "direct.h5"), 1
    while fails(folder / f"{nth}.h5", nth, name, code, undisturbed):
        nth += step
    assert digest(folder / f"{nth}.h5") == undisturbed
    return nth // step


CALLS = [("pwrite", errno.ENOSPC, 12), ("fdatasync", errno.EIO, 2), ("fsync", errno.EIO, 3)]


@pytest.mark.usefixtures("one_commit")
@pytest.mark.parametrize(("name", "code", "step"), CALLS)
def test_a_disk_that_fails_at_some_call_loses_nothing(tmp_path: Path, name: str, code: int, step: int) -> None:
    """Planted faults: a block called done before it is synchronized; the half-built file left behind."""
    assert fail_at_every(step, tmp_path, name, code) > 2


@pytest.mark.faults
@pytest.mark.usefixtures("one_commit")
@pytest.mark.parametrize(("name", "code"), [(name, code) for name, code, _ in CALLS] + [("fdatasync", errno.ENOSPC)])
def test_a_disk_that_fails_at_any_call_loses_nothing(tmp_path: Path, name: str, code: int) -> None:
    """Planted faults: those above."""
    counts.info(
        "%s, %s: each of %d calls failed once", name, errno.errorcode[code], fail_at_every(1, tmp_path, name, code)
    )


class SmallDisk:
    """A file system of its own, of few pages, on which a run of `TEXTS[METHOD]` lives."""

    def __init__(self, folder: Path, records: Path, seed: Seed) -> None:
        self.folder, self._records, self._seed = folder, records, seed
        (folder / "run.yaml").write_text(TEXTS[METHOD])

    def run(self, free: int | None = None, realizations: int = REALIZATIONS, **options: Any) -> Run:
        """A run that has ended, having had so many free pages, or all of them."""
        ballast = self.folder / "ballast"
        words = run_words("run.yaml", "out.h5", ENGINE, 1, realizations)
        try:
            if free is not None:
                pages = os.statvfs(self.folder).f_bfree
                ballast.write_bytes(bytes((pages - free) * PAGE))
            run = self._seed.start(self.folder, *words, records=self._records, **options)
            run.wait()
        finally:
            ballast.unlink(missing_ok=True)
        return run

    def results(self) -> dict[str, str]:
        """Digests of results file and manifest, and whatever should not be there."""
        return {
            path.name: digest(path)
            for path in self.folder.glob("out*")
            if path.suffix not in (".lock", ".jsonl", ".png")
        }


@pytest.fixture
def small_disk(tmp_path: Path, ordinary: Seed) -> Iterator[SmallDisk]:
    """Mounted for one test."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SPACE}", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(place, tmp_path / "records", ordinary)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def refused(run: Run) -> None:
    """It said so, and how to go on."""
    assert run.wait() == 5, run.said
    assert "full" in run.said or "No space left" in run.said
    assert "free" in run.said or "has room" in run.said
    assert "Traceback" not in run.said


def test_a_full_disk_is_seen_before_any_work(small_disk: SmallDisk) -> None:
    """Planted fault: no look at the free space."""
    run = small_disk.run(free=10)
    assert run.wait() == 5, run.said
    assert "are free in" in run.said
    assert small_disk.results() == {}


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.faults)])
def test_a_disk_that_fills_meanwhile_leaves_a_whole_file_or_none(
    small_disk: SmallDisk, undisturbed: Undisturbed, step: int
) -> None:
    """Real pages run out, in HDF5's writes too, during creation, growth, log and figure, for an ordinary user.

    Planted faults: HDF5's own fill values with no look at what it says when it closes; the old file removed first.
    """
    attempts = 0
    for realizations in (REALIZATIONS // 2, REALIZATIONS):
        before, free = small_disk.results(), 0
        while (run := small_disk.run(free, realizations, blind=True)).wait() != 0:
            refused(run)
            after = small_disk.results()
            assert after == before or set(after) == {"out.h5", "out.h5.manifest.json"}
            attempts, free = attempts + 1, free + step
    counts.info("%d runs on full disks", attempts)
    assert attempts * step > 40
    assert digest(small_disk.folder / "out.h5") == undisturbed.digest(METHOD, ENGINE, REALIZATIONS)


# At the third commit or so.
FAILING = [
    ("fdatasync", 7, "EIO"),
    ("pwrite", 60, "ENOSPC"),
    pytest.param(("fdatasync", 6, "ENOSPC"), marks=pytest.mark.faults),
]


@pytest.mark.parametrize("failing", FAILING)
def test_a_commit_that_fails_is_never_called_done(
    tmp_path: Path, ordinary: Seed, undisturbed: Undisturbed, failing: tuple[str, int, str]
) -> None:
    """Planted fault: going on after an error of the disk."""
    (tmp_path / "run.yaml").write_text(TEXTS[METHOD])
    words = run_words("run.yaml", "out.h5", ENGINE, 1, REALIZATIONS)
    run = ordinary.start(tmp_path, *words, failing=failing)
    assert run.wait() == 5, run.said
    assert SAID[getattr(errno, failing[2])] in run.said
    assert "100 %" not in run.said
    assert "Traceback" not in run.said
    acknowledged = run.told.acknowledged
    assert 0 < len(acknowledged) < 10
    again = ordinary.start(tmp_path, *words)
    assert again.wait() == 0, again.said
    assert set(again.told.found) >= set(acknowledged)
    assert digest(tmp_path / "out.h5") == undisturbed.digest(METHOD, ENGINE, REALIZATIONS)
