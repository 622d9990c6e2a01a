"""Power cuts at random moments of creation, growth, recovery and commits: nothing lost or wrong, the same bytes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import store_cases as cases

from faults import counts
from faults.lives import STAGES, Lives, Outcome, every_step, trial
from mesogpu.errors import MesogpuError
from mesogpu.plan import Plan
from mesogpu.store import Verification, creation, provenance, raw, scan, writer
from mesogpu.store.raw import BlockFile
from mesogpu.store.writer import Writer

DEFAULT, LONG = range(16), range(1000, 1400)

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout may gain a commit while files are compared byte for byte; and looking it up takes time."""
    monkeypatch.setattr(provenance, "git_sha", lambda: "0" * 40)
    monkeypatch.setattr(provenance, "packages", dict)


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    """SHA-256 of the largest file, of a run that nothing disturbed."""
    return direct(tmp_path, STAGES[-1])


def direct(folder: Path, plan: Plan) -> str:
    path = folder / "direct.h5"
    cases.write(path, plan)
    return cases.digest(path)


def live_through(folder: Path, seeds: range, undisturbed: str) -> Counter[tuple[str, str]]:
    """How often each stage was cut, by what; every trial has to end well."""
    cuts: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        outcome, these = trial(folder / f"trial-{seed}", random.Random(seed))
        assert outcome == Outcome(final=undisturbed), seed
        cuts.update(these)
    return cuts


def memory_becomes_durable(folder: Path, undisturbed: str, seeds: range) -> None:
    """A writer killed before its last synchronization, another that takes up the file, and a power cut."""
    for seed in seeds:
        lives = Lives(folder / f"memory-{seed}", random.Random(seed))
        log = lives.live(STAGES[-1], commits=1)
        lives.end(log, max(k for k, (_, op) in enumerate(log) if type(op).__name__ == "Sync"), "kill")
        log = lives.live(STAGES[-1], commits=0)
        lives.end(log, len(log), "power")
        assert lives.complete(STAGES[-1]) == Outcome(final=undisturbed)


def test_power_cuts_lose_nothing(tmp_path: Path, undisturbed: str) -> None:
    """Planted faults: those of the tests below."""
    cuts = live_through(tmp_path, DEFAULT, undisturbed)
    assert {(stage, "power") for stage in ("creation", "growth", "recovery", "commit")} <= cuts.keys()


@pytest.mark.faults
def test_four_hundred_trials_lose_nothing(tmp_path: Path, undisturbed: str) -> None:
    """Planted faults: those of the tests below."""
    cuts = live_through(tmp_path, LONG, undisturbed)
    counts.info("%d trials, cuts by stage and kind: %s", len(LONG), dict(cuts))


@pytest.mark.faults
@pytest.mark.parametrize(("before", "plan"), [(None, STAGES[0]), STAGES[:2]], ids=["creation", "growth"])
def test_every_step_may_be_the_last(tmp_path: Path, before: Plan | None, plan: Plan) -> None:
    """Eight power cuts around each durable step of creation, growth and commit. Planted faults: those below."""
    good = Outcome(final=direct(tmp_path, plan))
    outcomes = list(every_step(tmp_path, random.Random(5), before, plan, draws=8))
    counts.info("%s: %d power cuts", "growth" if before else "creation", len(outcomes))
    assert all(outcome == good for outcome in outcomes)


def test_what_a_killed_writer_left_in_memory_is_durable_before_it_is_called_done(
    tmp_path: Path, undisturbed: str
) -> None:
    """Planted fault: below."""
    memory_becomes_durable(tmp_path, undisturbed, range(4))


def no_synchronization(patch: pytest.MonkeyPatch) -> None:
    """Acknowledged before anything is on the disk."""
    patch.setattr(writer, "synchronize", lambda _: None)


def no_directory_synchronization(patch: pytest.MonkeyPatch) -> None:
    """The new file's name is not durable."""
    patch.setattr(creation, "synchronize_directory", lambda _: None)


def entries_before_data(patch: pytest.MonkeyPatch) -> None:
    """One synchronization for both, as they come; readers then trust an entry whose data did not reach the disk."""
    marked: list[int] = []
    mark, commit = BlockFile.mark, Writer.commit

    def marking(*arguments: object) -> None:
        marked.append(1)
        mark(*arguments)  # type: ignore[arg-type]

    def committing(*arguments: object) -> None:
        marked.clear()
        commit(*arguments)  # type: ignore[arg-type]

    patch.setattr(BlockFile, "mark", marking)
    patch.setattr(Writer, "commit", committing)
    patch.setattr(writer, "synchronize", lambda descriptor: raw.synchronize(descriptor) if marked else None)


def entries_never_checked(patch: pytest.MonkeyPatch) -> None:
    """The same where no reader looks, and resuming takes an entry's word for its data."""
    entries_before_data(patch)
    patch.setattr("faults.lives._read_wrong", lambda _: set())
    patch.setattr("faults.lives.verify", lambda _: Verification((), "", (), 0, 0))
    recover = Writer._recover

    def trusting(self: Writer) -> None:
        entries = self._blocks.entries()
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(scan, "checksum", lambda point, block, _: entries[point, block]["crc32c"])
            recover(self)

    patch.setattr(Writer, "_recover", trusting)


@pytest.mark.parametrize(
    "plant",
    [
        no_synchronization,
        no_directory_synchronization,
        entries_before_data,
        pytest.param(entries_never_checked, marks=pytest.mark.faults),
    ],
)
def test_random_power_cuts_notice_a_planted_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: str, plant: Plant
) -> None:
    """Each of these would have failed the tests above."""
    plant(monkeypatch)
    with pytest.raises((AssertionError, MesogpuError)):
        live_through(tmp_path, LONG, undisturbed)
    counts.info("%s: noticed in trial %d", plant.__name__, len(list(tmp_path.glob("trial-*"))))


@pytest.mark.faults
def test_a_file_named_before_its_manifest_is_there_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the directory synchronized only after the new file has its name."""
    synchronize = creation.synchronize_directory
    late = monkeypatch.setattr
    late(creation, "synchronize_directory", lambda path: None if list(path.glob("*.tmp*")) else synchronize(path))
    good = Outcome(final=direct(tmp_path, STAGES[0]))
    cuts = every_step(tmp_path, random.Random(5), None, STAGES[0], draws=8)
    with pytest.raises(MesogpuError, match="is missing"):
        assert all(outcome == good for outcome in cuts)


def test_memory_called_done_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: str) -> None:
    """Planted: no synchronization when a file is taken up."""
    recover = Writer._recover

    def careless(self: Writer) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(writer, "synchronize", lambda _: None)
            recover(self)

    monkeypatch.setattr(Writer, "_recover", careless)
    with pytest.raises(AssertionError, match="lost"):
        memory_becomes_durable(tmp_path, undisturbed, range(20))
