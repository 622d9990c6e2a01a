"""Whole runs killed at random moments: nothing acknowledged is lost or computed again, and the same bytes come out."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from faults import counts
from faults.experiments import TEXTS, Undisturbed, digest, run_words
from faults.launching import BLOCK, Block, Run, Seed
from mesogpu.backends.select import select_backend
from mesogpu.errors import BackendUnavailable

SIZES = {"transmission": (296, 104), "lyapunov": (40, 16)}
"""Realizations that a run begins with, and by how many it grows."""

GROW_AFTER = 3
"""Kills."""

PATIENCE = 60.0
"""s until a run has to be where it is to be killed."""


class Series:
    """One results file, its run killed again and again.

    kills : how often, by what was killed and what the run was doing
    size  : realizations that it asks for
    """

    def __init__(self, folder: Path, seed: Seed, method: str, backend: str, number: int) -> None:
        self.kills: Counter[str] = Counter()
        self.size, self._step = SIZES[method]
        self._folder, self._seed, self._backend = folder, seed, backend
        self._rng = random.Random(number)
        self._acknowledged: set[Block] = set()
        self._grows = False
        self._out = folder / "out.h5"
        (folder / "run.yaml").write_text(TEXTS[method])

    def attempt(self, workers: int) -> bool:
        """Start the run and kill it, or one of its workers and then it; returns whether it has ended before that."""
        known = {path.name for path in self._folder.iterdir()}
        run = self._start(workers)
        doing, reached = self._moment(known)
        deadline = time.monotonic() + PATIENCE
        while run.ended() is None and not reached(run) and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(self._rng.random() * 0.04)
        if (members := run.workers()) and self._rng.random() < 0.5:
            with suppress(ProcessLookupError):  # it may just have ended
                os.kill(self._rng.choice(members), signal.SIGKILL)
                self.kills[f"worker, {doing}"] += 1
            time.sleep(self._rng.random() * 0.5)
        if run.ended() is None:
            run.kill()
        self._take_stock(run)
        killed = run.wait() == -signal.SIGKILL
        assert killed or run.wait() == 0, run.said
        self.kills[f"all, {doing}"] += killed
        return not killed

    def grow(self) -> None:
        """Ask for more realizations from now on."""
        self._grows = self._out.exists()
        self.size += self._step
        # A short last block is computed anew when it gets more rows.
        self._acknowledged = {block for block in self._acknowledged if block[2] == BLOCK}

    def complete(self, workers: int) -> str:
        """The SHA-256 of the file, completed by one more run that nothing disturbs."""
        run = self._start(workers)
        assert run.wait() == 0, run.said
        self._take_stock(run)
        beside = {path.name for path in self._folder.glob("out.h5*")}
        assert beside == {"out.h5", "out.h5.lock", "out.h5.manifest.json", "out.h5.log.jsonl"}
        return digest(self._out)

    def _start(self, workers: int) -> Run:
        return self._seed.start(self._folder, *run_words("run.yaml", "out.h5", self._backend, workers, self.size))

    def _moment(self, known: set[str]) -> tuple[str, Callable[[Run], bool]]:
        """What the run is doing when it is killed, and how that is seen."""
        doing = self._rng.choice(("committing", "anything"))
        if (self._grows or not self._out.exists()) and self._rng.random() < 0.7:
            doing = "growing" if self._grows else "creating"
            glob = self._rng.choice(("out.h5.tmp*", "out.h5.tmp*", "records/*.said"))
            return doing, lambda _: any(path.name not in known for path in self._folder.glob(glob))
        if doing == "committing":
            wanted = self._rng.randint(1, 4)
            return doing, lambda run: len(run.told.acknowledged) >= wanted
        end = time.monotonic() + self._rng.random() * 0.5
        return "anything", lambda _: time.monotonic() > end

    def _take_stock(self, run: Run) -> None:
        """Nothing acknowledged is missing, nothing was computed twice, and no verification finds any damage."""
        told = run.told
        if told.opened:
            self._grows = False
            assert set(told.found) >= self._acknowledged
        if self._out.exists():
            verification = self._seed.start(self._folder, "verify", "out.h5")
            assert verification.wait() in (0, 1), verification.said
        assert not self._acknowledged & set(told.acknowledged)
        assert len(told.acknowledged) == len(set(told.acknowledged))
        self._acknowledged |= {*told.found, *told.acknowledged}


def killed_again_and_again(
    folder: Path, seed: Seed, undisturbed: Undisturbed, experiment: tuple[str, str], number: int, kills: int
) -> Counter[str]:
    """A run that is killed this often and grows now and then; what was killed when."""
    method, backend = experiment
    folder.mkdir()
    series, rng = Series(folder, seed, method, backend, number), random.Random(number)
    grown = 0
    while series.kills.total() < kills:
        ended = series.attempt(workers=rng.choice((1, 1, 1, 1, 2, 3)))
        if ended or series.kills.total() // GROW_AFTER > grown:
            grown = series.kills.total() // GROW_AFTER
            series.grow()
    assert series.complete(workers=rng.choice((1, 2, 3))) == undisturbed.digest(method, backend, series.size)
    return series.kills


# Seen to fail with a resume that takes every touched block for done, and with one that takes none.
def test_ten_kills_leave_the_same_bytes_to_an_ordinary_user(
    tmp_path: Path, ordinary: Seed, undisturbed: Undisturbed
) -> None:
    kills: Counter[str] = Counter()
    for number, (method, engine) in enumerate((("transmission", "numpy"), ("lyapunov", backends()[-1]))):
        kills += killed_again_and_again(tmp_path / method, ordinary, undisturbed, (method, engine), number, 5)
    assert kills.total() >= 10


@pytest.mark.faults
@pytest.mark.parametrize("privileges", ["ordinary user", "as started"])
def test_two_hundred_kills_leave_the_same_bytes(tmp_path: Path, undisturbed: Undisturbed, privileges: str) -> None:
    kills: Counter[str] = Counter()
    runs = 12
    with Seed(ordinary=privileges == "ordinary user") as seed:
        for number in range(runs):
            method, backend = ("transmission", "lyapunov")[number % 2], backends()[number // 2 % len(backends())]
            kills += killed_again_and_again(
                tmp_path / str(number), seed, undisturbed, (method, backend), 100 + number, 10
            )
    counts.info("%s: %d kills over %d runs: %s", privileges, kills.total(), runs, dict(sorted(kills.items())))
    assert kills.total() >= 100


def backends() -> list[str]:
    """Engines that this machine has."""
    try:
        return ["numpy", select_backend("native").name]
    except BackendUnavailable:
        return ["numpy"]
