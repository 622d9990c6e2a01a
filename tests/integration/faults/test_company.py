"""Others at the same output while a run is going on: none disturbs it, and its bytes are those of a run left alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.experiments import TEXTS, Undisturbed, digest, run_words
from faults.launching import Run, Seed

METHOD, ENGINE, REALIZATIONS = "transmission", "numpy", 104
SLOWLY = 0.1
"""s after each commit."""

Company = Callable[[Seed, Path], None]


@pytest.fixture
def run(tmp_path: Path, ordinary: Seed) -> Run:
    """A run that is under way, and takes a second or two."""
    (tmp_path / "run.yaml").write_text(TEXTS[METHOD])
    words = run_words("run.yaml", "out.h5", ENGINE, 1, REALIZATIONS)
    started = ordinary.start(tmp_path, *words, pause=SLOWLY)
    while not started.told.acknowledged and started.ended() is None:
        time.sleep(0.01)
    return started


def ends_as_if_alone(run: Run, out: Path, undisturbed: Undisturbed) -> None:
    assert run.wait() == 0, run.said
    assert digest(out) == undisturbed.digest(METHOD, ENGINE, REALIZATIONS)


def test_a_second_run_is_refused_and_the_first_goes_on(
    tmp_path: Path, ordinary: Seed, undisturbed: Undisturbed, run: Run
) -> None:
    """Planted fault: no lock."""
    for words in (
        run_words("run.yaml", "out.h5", ENGINE, 1, REALIZATIONS),
        run_words("run.yaml", "out.h5", ENGINE, 1, 2 * REALIZATIONS),
    ):
        second = ordinary.start(tmp_path, *words)
        assert second.wait() == 5, second.said
        assert f"being written by pid {run.pid} on" in second.said
        assert "Traceback" not in second.said
    assert run.ended() is None
    ends_as_if_alone(run, tmp_path / "out.h5", undisturbed)


def test_readers_do_not_disturb_a_run(tmp_path: Path, ordinary: Seed, undisturbed: Undisturbed, run: Run) -> None:
    """Plots and statuses, one after the other. Planted fault: readers that open for writing."""
    done = [0]
    while run.ended() is None:
        status = ordinary.start(tmp_path, "status", "out.h5", "--json")
        code = status.wait()
        now = json.loads(status.said)
        done.append(now["done"])
        assert code == (0 if now["done"] == now["total"] else 1)
        assert now["failed"] == 0
        plot = ordinary.start(tmp_path, "plot", "out.h5", "-o", "early.png")
        assert plot.wait() == 0, plot.said
    assert done == sorted(done)
    assert len(set(done)) > 2
    ends_as_if_alone(run, tmp_path / "out.h5", undisturbed)
