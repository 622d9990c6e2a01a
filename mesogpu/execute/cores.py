"""How many cores this process may use, which is seldom how many the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PROCESS_CGROUPS = Path("/proc/self/cgroup")
_CGROUP_MOUNT = Path("/sys/fs/cgroup")


def default_workers() -> int:
    """Number of cores that this process may use: the least of all limits in force, at least 1.

    Limits: CPU affinity, the CPU quota of every enclosing control group, SLURM_CPUS_PER_TASK.
    """
    limits = [_affinity()]
    quota = cpu_quota(_PROCESS_CGROUPS, _CGROUP_MOUNT)
    if quota is not None:
        limits.append(int(quota))
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if slurm.isdecimal():
        limits.append(int(slurm))
    return max(1, min(limits))


def cpu_quota(process_cgroups: Path, mount: Path) -> float | None:
    """CPU time per wall time that control groups (version 1 or 2) grant this process; None where they set no limit.

    process_cgroups : the process's list of groups, as /proc/self/cgroup
    mount           : where the group file systems are, as /sys/fs/cgroup
    """
    try:
        lines = process_cgroups.read_text().splitlines()
    except OSError:
        return None
    quotas: list[float] = []
    for line in lines:
        hierarchy, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if hierarchy == "0" and not controllers:
            directories = (mount, mount / "unified")
            quotas += (quota for path in _enclosing(directories, group) for quota in _version_2(path))
        elif "cpu" in controllers.split(","):
            directories = (mount / controllers, mount / "cpu")
            quotas += (quota for path in _enclosing(directories, group) for quota in _version_1(path))
    return min(quotas, default=None)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.sysconf("SC_NPROCESSORS_ONLN")  # macOS has neither affinity nor control groups


def _enclosing(roots: tuple[Path, ...], group: str) -> Iterator[Path]:
    """The group and all that enclose it; in a container only some of these directories exist, the root always does."""
    parts = [part for part in group.split("/") if part not in ("", "..")]
    for root in roots:
        for depth in range(len(parts) + 1):
            yield root.joinpath(*parts[:depth])


def _version_2(path: Path) -> Iterator[float]:
    words = _words(path / "cpu.max")
    if len(words) == 2 and words[0].isdecimal() and words[1].isdecimal() and int(words[1]):
        yield int(words[0]) / int(words[1])


def _version_1(path: Path) -> Iterator[float]:
    quota, period = _words(path / "cpu.cfs_quota_us"), _words(path / "cpu.cfs_period_us")
    if quota and period and quota[0].isdecimal() and period[0].isdecimal() and int(period[0]):  # a quota of -1 is none
        yield int(quota[0]) / int(period[0])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
