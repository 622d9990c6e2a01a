"""Which GPUs this process may use, found without CUDA: no context is opened, and NumPy is all that must be there.

CUDA_VISIBLE_DEVICES decides where it is set. Otherwise `nvidia-smi -L` lists them, which every driver brings along;
where it is missing, as in some containers, the driver's own list in /proc does. Both give UUIDs: unlike an index, which
CUDA counts by speed and nvidia-smi by slot, a UUID means the same GPU to both, and it can name a part of one (MIG).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mesogpu.execute.cores import default_workers

VISIBLE = "CUDA_VISIBLE_DEVICES"

_DRIVER_LIST = Path("/proc/driver/nvidia/gpus")
_LISTING_SECONDS = 30.0
_PART = re.compile(r"\(UUID: (MIG-[^)]+)\)")
_WHOLE = re.compile(r"\(UUID: (GPU-[^)]+)\)")
_NAMED = re.compile(r"(GPU|MIG)-\S+")


def visible_devices(
    environment: Mapping[str, str] = os.environ, driver_lists: Callable[[], Sequence[str]] | None = None
) -> tuple[str, ...]:
    """The GPUs of this process, each as CUDA_VISIBLE_DEVICES would name it alone; empty where there is none.

    As CUDA reads that variable: indices or UUIDs, up to the first entry that is neither; each once.

    environment  : where CUDA_VISIBLE_DEVICES may be set
    driver_lists : UUIDs of all GPUs, called only where it is not set; the driver of this machine if None
    """
    asked = environment.get(VISIBLE)
    if asked is None:
        return tuple((driver_lists or driver_devices)())
    devices: dict[str, None] = {}
    for entry in map(str.strip, asked.split(",")):
        if not (entry.isdecimal() or _NAMED.fullmatch(entry)):
            break
        devices[entry] = None
    return tuple(devices)


def usual_workers(backend: str) -> int:
    """Workers of a run that asks for no number: one for each GPU of this process, or for each core it may use."""
    return max(1, len(visible_devices())) if backend == "cuda" else default_workers()


def spread(devices: Sequence[str], workers: int) -> tuple[str | None, ...]:
    """The GPU of each worker: the first ones, one each; round robin where there are fewer; None where there is none."""
    return tuple(devices[k % len(devices)] if devices else None for k in range(workers))


def driver_devices() -> tuple[str, ...]:
    """UUIDs of all GPUs that the driver has, of MIG's parts where a GPU is in parts; empty without a driver."""
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=_LISTING_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return _listed_in_proc(_DRIVER_LIST)
    return parse_listing(listing.stdout)


def parse_listing(text: str) -> tuple[str, ...]:
    """UUIDs in what `nvidia-smi -L` prints; a GPU in MIG mode is represented by its parts, which CUDA uses instead."""
    gpus: list[list[str]] = []
    for line in text.splitlines():
        if whole := _WHOLE.search(line):
            gpus.append([whole[1]])
        elif (part := _PART.search(line)) and gpus:
            gpus[-1].append(part[1])
    return tuple(device for whole, *parts in gpus for device in (parts or [whole]))


def _listed_in_proc(folder: Path) -> tuple[str, ...]:
    devices = []
    for information in sorted(folder.glob("*/information")):
        uuid = re.search(r"GPU UUID:\s*(GPU-\S+)", information.read_text(encoding="utf-8", errors="replace"))
        if uuid:
            devices.append(uuid[1])
    return tuple(devices)
