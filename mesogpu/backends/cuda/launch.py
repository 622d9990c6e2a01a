"""The transmission kernel on a GPU, as a function of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.cuda.device import Device, cuda_errors, open_device
from mesogpu.backends.cuda.occupancy import Placement, place
from mesogpu.backends.cuda.options import ENTRIES, compile_options
from mesogpu.backends.kernel_backend import KernelOutput
from mesogpu.backends.sources import kernel_folder
from mesogpu.backends.strip import FIELDS, Strip, make_strip, point_arrays, unpack
from mesogpu.errors import BackendUnavailable, EnvironmentFault
from mesogpu.plan.points import Point

SOURCE = "transmission.cu"
DOUBLE = 8

WORKSPACE_SHARE = 0.5
RESULTS_SHARE = 0.25
"""Of the free device memory, at most so much for workspaces and for the results of one launch."""

KEPT_POINTS = 16

WHOLE_CARVEOUT = 100
"""Percent of a multiprocessor's fast memory that serve as shared memory rather than as cache."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled entries and the registers that each takes, by name."""

    entries: Mapping[str, Any]
    registers: Mapping[str, int]


@cache
def transmission_kernels() -> Kernels:
    """The entries for this device, compiled where CuPy's cache does not have them.

    raises : BackendUnavailable where there is no NVRTC or it fails
    """
    device = open_device()
    cupy = device.cupy
    source = (kernel_folder() / SOURCE).read_text(encoding="utf-8")
    module = cupy.RawModule(code=source, options=compile_options(), backend="nvrtc")
    try:
        with cuda_errors(f"GPU {device.name}", BackendUnavailable):
            entries = {name: module.get_function(name) for name in ENTRIES}
            registers = {name: int(entry.num_regs) for name, entry in entries.items()}
    except cupy.cuda.compiler.CompileException as error:
        raise BackendUnavailable(
            f"kernel {SOURCE}: does not compile for sm_{device.architecture}: {str(error).strip()[:2000]}"
        ) from error
    except (ImportError, OSError, RuntimeError) as error:  # the library is looked for at the first compilation
        raise BackendUnavailable(
            f"kernel {SOURCE}: NVRTC does not run here: {str(error).strip()[:500]}; "
            f"pip install 'nvidia-cuda-nvrtc=={device.driver.split('.')[0]}.*'"
        ) from error
    return Kernels(entries, registers)


def transmit(point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
    """The kernel on a list of realizations of a point: one launch, or as few as the results' memory allows.

    raises : EnvironmentFault where memory is short or a launch fails
    """
    device = open_device()
    with cuda_errors(f"GPU {device.name}, width {point.system.width}"):
        arrays = _uploaded(point)
        channels = len(arrays["outgoing"])
        strip = make_strip(point, interval, channels, {name: array.data.ptr for name, array in arrays.items()})
        most = _realizations_a_launch(device, strip, point.eigenvalues)
        parts = [
            _launch(device, strip, point.eigenvalues, realizations[first : first + most])
            for first in range(0, len(realizations), most)
        ]
    fields = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts]) if point.eigenvalues else None
    return unpack(fields, values, strip, 1, len(realizations))


def placement_of(point: Point, interval: int) -> Placement:
    """How a launch for a point is laid out on this device."""
    channels = len(point_arrays(point)["outgoing"])
    return place(point.system.width, channels, interval, open_device().limits, transmission_kernels().registers)


@lru_cache(maxsize=KEPT_POINTS)
def _uploaded(point: Point) -> dict[str, Any]:
    """A point's constants in device memory."""
    cupy = open_device().cupy
    return {name: cupy.asarray(array) for name, array in point_arrays(point).items()}


def _realizations_a_launch(device: Device, strip: Strip, eigenvalues: bool) -> int:
    each = DOUBLE * strip.recorded * (FIELDS + strip.channels * eigenvalues)
    free = device.free_bytes()
    most: int = int(RESULTS_SHARE * free) // each
    if most == 0:
        raise EnvironmentFault(
            f"GPU {device.name}: the results of one realization take {each} bytes, of {free} that are free; "
            "record fewer lengths, or end other programs on this GPU"
        )
    return most


def _launch(
    device: Device, strip: Strip, eigenvalues: bool, realizations: NDArray[np.uint32]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """One launch; blocks stay and take one realization after the other, so that few workspaces serve them all."""
    cupy, kernels = device.cupy, transmission_kernels()
    layout = place(strip.width, strip.channels, strip.interval, device.limits, kernels.registers)
    blocks = min(len(realizations), layout.blocks * device.multiprocessors)
    if layout.global_bytes:
        free = device.free_bytes()
        blocks = min(blocks, int(WORKSPACE_SHARE * free) // layout.global_bytes)
        if blocks == 0:
            raise EnvironmentFault(
                f"GPU {device.name}: the workspace of a strip {strip.width} wide takes {layout.global_bytes} bytes, "
                f"more than {WORKSPACE_SHARE:.0%} of the {free} that are free; end other programs on this GPU, "
                "or use --backend native"
            )
    entry = kernels.entries[layout.entry]
    if layout.shared:
        entry.max_dynamic_shared_size_bytes = layout.shared
        entry.preferred_shared_memory_carveout = WHOLE_CARVEOUT
    workspace = cupy.empty(blocks * layout.global_bytes // DOUBLE) if layout.global_bytes else None
    fields = cupy.empty(len(realizations) * strip.recorded * FIELDS)
    values = cupy.empty(len(realizations) * strip.recorded * strip.channels) if eigenvalues else None
    drawn = cupy.asarray(realizations)
    by_value = np.frombuffer(bytes(strip), dtype=np.dtype((np.void, len(bytes(strip)))))
    arguments = (by_value, np.int64(len(realizations)), drawn, workspace, fields, values)
    entry((blocks,), (layout.threads,), arguments, shared_mem=layout.shared)
    return cupy.asnumpy(fields), None if values is None else cupy.asnumpy(values)
