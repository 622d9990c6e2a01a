"""A plan that the machine cannot hold is refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesogpu.config.experiment import Experiment, Leads, Model
from mesogpu.errors import EnvironmentFault, PlanError
from mesogpu.physics.disorder import Uniform
from mesogpu.plan import limits, make_plan


def experiment(width: int, length: int, realizations: int = 64) -> Experiment:
    return Experiment(
        name="wire",
        seed=1,
        model=Model("square", width, (length,), False, "hard", 1.0),
        disorder=(Uniform(1.0),),
        energy=0.3,
        flux=0.0,
        leads=Leads(0.0, True, True),
        sweep=(),
        randomness="common",
        realizations=realizations,
        method="transmission",
        observables=(),
    )


def test_memory_grows_with_the_workers_and_the_blocks() -> None:
    small, large = make_plan(experiment(4, 8)), make_plan(experiment(64, 128))
    assert limits.run_memory(small, 1) < limits.run_memory(small, 2) < limits.run_memory(large, 2)


def test_too_little_memory_is_refused_with_the_workers_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(experiment(4, 8))
    monkeypatch.setattr(limits, "available_memory", lambda: limits.run_memory(plan, 3))
    limits.check_memory(plan, 3)
    with pytest.raises(PlanError, match="use --workers 3"):
        limits.check_memory(plan, 8)


def test_a_block_beyond_all_memory_names_the_sizes_to_reduce(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 10_000_000)
    with pytest.raises(PlanError, match=r"memory: 1 worker need.* model\.width"):
        limits.check_memory(make_plan(experiment(4, 8)), 1)


def test_a_system_that_says_nothing_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: None)
    limits.check_memory(make_plan(experiment(4, 8)), 1000)


def test_a_disk_too_small_is_refused(tmp_path: Path) -> None:
    limits.check_disk(1000, tmp_path / "wire.h5")
    with pytest.raises(PlanError, match=r"disk: .* needs 1e\+06 TB"):
        limits.check_disk(10**18, tmp_path / "wire.h5")


def test_a_file_that_is_there_needs_no_more_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "wire.h5"
    out.write_bytes(b"x" * 100)
    monkeypatch.setattr(limits, "DISK_RESERVE", 10**18)
    limits.check_disk(100, out)
    with pytest.raises(PlanError):
        limits.check_disk(101, out)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="missing does not exist"):
        limits.check_disk(1, tmp_path / "missing" / "wire.h5")


def test_the_tightest_control_group_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Seen to fail when only the innermost group was read.
    outer, inner = tmp_path / "job", tmp_path / "job" / "step"
    inner.mkdir(parents=True)
    for folder, maximum in ((outer, "1000"), (inner, "max")):
        (folder / "memory.max").write_text(maximum)
        (folder / "memory.current").write_text("900")
        (folder / "memory.stat").write_text("anon 700\ninactive_file 200\n")
    cgroup = tmp_path / "cgroup"
    cgroup.write_text("0::/job/step\n")
    monkeypatch.setattr(limits, "_CGROUP_ROOT", tmp_path)
    monkeypatch.setattr(limits, "_CGROUP_FILE", cgroup)
    assert limits.available_memory() == 300


def test_this_machine_has_memory() -> None:
    available = limits.available_memory()
    assert available is None or available > 10_000_000
