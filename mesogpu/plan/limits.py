"""What this machine can hold: refusals before any work, with what is needed, what there is, and the way out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mesogpu.errors import EnvironmentFault, PlanError
from mesogpu.plan.cost import block_memory
from mesogpu.plan.plan import Plan

PROCESS_BYTES = 250_000_000
"""Resident size of one Python process with its libraries, before it holds a block."""

DISK_RESERVE = 64_000_000
"""Bytes left free beside a results file, for its log, manifest and figure."""

MAX_FAILED_FRACTION = 0.01
"""A run whose share of failed realizations is larger does not count as done."""

_LENGTH_KEYS = {"transmission": "model.length", "lyapunov": "lyapunov.slices"}

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_CGROUP_FILE = Path("/proc/self/cgroup")


def run_memory(plan: Plan, workers: int) -> int:
    """Bytes that a run may hold at once.

    workers * (process + largest block) + driver; a single worker is the driver itself

    workers : processes that compute
    """
    block = max(block_memory(point, min(plan.block_size, plan.realizations)) for point in plan.points)
    processes = workers if workers == 1 else workers + 1
    return workers * block + processes * PROCESS_BYTES


def check_memory(plan: Plan, workers: int) -> None:
    """Refuse a plan whose blocks do not fit into memory.

    raises : PlanError with the bytes needed and available, and what would make it fit
    """
    available = available_memory()
    needed = run_memory(plan, workers)
    if available is None or needed <= available:
        return
    fitting = next((count for count in range(workers - 1, 0, -1) if run_memory(plan, count) <= available), 0)
    remedy = (
        f"use --workers {fitting}"
        if fitting
        else f"reduce model.width or {_LENGTH_KEYS[plan.experiment.method]}, or use a machine with more memory"
    )
    raise PlanError(
        f"memory: {workers} worker{'s' if workers > 1 else ''} need {_size(needed)}, "
        f"{_size(available)} are available; {remedy}"
    )


def check_disk(plan_bytes: int, path: Path) -> None:
    """Refuse a results file that does not fit on its disk.

    plan_bytes : size of the file to come
    path       : the file; one that is there with this size or more has its space already
    raises     : PlanError with the bytes needed and available; EnvironmentFault where the folder is missing
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise EnvironmentFault(f"{path}: the folder {folder} does not exist; make it, or write elsewhere with -o")
    if path.is_file() and path.stat().st_size >= plan_bytes:
        return
    needed = plan_bytes + DISK_RESERVE
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PlanError(
            f"disk: {path} needs {_size(needed)}, {_size(free)} are free in {folder}; "
            "write to another disk with -o, or ask for fewer realizations or observables"
        )


def available_memory() -> int | None:
    """Bytes that new processes can use: what the kernel offers, or less where a control group or batch job is limited.

    returns : None where the system does not say
    """
    limits = [limit for limit in (_kernel_available(), *_control_group_headrooms()) if limit is not None]
    return min(limits, default=None)


def _kernel_available() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):
            return None
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else None


def _control_group_headrooms() -> Iterator[int]:
    """What is left below the limit of each control group above this process, version 2 and 1."""
    try:
        lines = _CGROUP_FILE.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            root, limit, usage = _CGROUP_ROOT, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root, limit, usage = _CGROUP_ROOT / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        folder = root / group.lstrip("/")
        for level in (folder, *folder.parents):
            if level.is_relative_to(root):
                headroom = _headroom(level, limit, usage)
                if headroom is not None:
                    yield headroom


def _headroom(folder: Path, limit: str, usage: str) -> int | None:
    try:
        maximum = int((folder / limit).read_text(encoding="ascii"))
        used = int((folder / usage).read_text(encoding="ascii"))
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):  # no such level, or "max": unlimited
        return None
    # Cached file pages count as used, but the kernel gives them up before it refuses memory.
    return max(0, maximum - used + int(statistics.get("inactive_file", 0)))


def _size(count: float) -> str:
    for unit in ("MB", "GB"):
        count /= 1000.0 if unit == "GB" else 1e6
        if count < 999.5:
            return f"{count:.3g} {unit}"
    return f"{count / 1000.0:.3g} TB"
