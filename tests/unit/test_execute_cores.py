"""How many workers a run takes by default."""

import os

import pytest

from mesogpu.execute import cores, default_workers
from mesogpu.execute.cores import cpu_quota


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def system(tmp_path, monkeypatch):
    """No limits at all on 64 cores."""
    monkeypatch.setattr(cores, "_PROCESS_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_CGROUP_MOUNT", tmp_path / "mount")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1000)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    return tmp_path


@pytest.mark.usefixtures("system")
def test_affinity_counts_not_the_cores_of_the_machine():
    assert default_workers() == 64


def test_slurm_and_quota_and_affinity_bound_each_other(system, monkeypatch):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "12")
    assert default_workers() == 12
    write(system / "cgroup", "0::/job\n")
    write(system / "mount/job/cpu.max", "350000 100000\n")
    assert default_workers() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {5})
    assert default_workers() == 1


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("nonsense", ["", "many", "-3"])
def test_an_odd_slurm_variable_is_no_limit(monkeypatch, nonsense):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", nonsense)
    assert default_workers() == 64


def test_less_than_a_core_is_one_worker(system):
    write(system / "cgroup", "0::/\n")
    write(system / "mount/cpu.max", "50000 100000\n")
    assert default_workers() == 1


def test_the_tightest_enclosing_group_counts(tmp_path):
    write(tmp_path / "cgroup", "0::/a/b\n")
    write(tmp_path / "mount/a/cpu.max", "200000 100000\n")
    write(tmp_path / "mount/a/b/cpu.max", "max 100000\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "mount") == 2.0


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
def test_version_1_groups_count_too(tmp_path, folder):
    write(tmp_path / "cgroup", "5:memory:/x\n4:cpu,cpuacct:/job\n")
    write(tmp_path / "mount" / folder / "job/cpu.cfs_quota_us", "250000\n")
    write(tmp_path / "mount" / folder / "job/cpu.cfs_period_us", "100000\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "mount") == 2.5


def test_a_group_without_limit_or_a_system_without_groups_sets_none(tmp_path):
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "mount") is None
    write(tmp_path / "cgroup", "4:cpu:/job\n0::/\n")
    write(tmp_path / "mount/cpu/job/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "mount/cpu/job/cpu.cfs_period_us", "100000\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "mount") is None
