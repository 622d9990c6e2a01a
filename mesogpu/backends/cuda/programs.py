"""Kernels compiled for the GPU of this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mesogpu.backends.cuda.device import cuda_errors, open_device
from mesogpu.backends.cuda.options import Program, compile_options
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled entries and the registers that each takes, by name."""

    entries: Mapping[str, Any]
    registers: Mapping[str, int]


@cache
def kernels_of(program: Program) -> Kernels:
    """The entries for this device, compiled where CuPy's cache does not have them.

    raises : BackendUnavailable where there is no NVRTC or it fails
    """
    device = open_device()
    cupy = device.cupy
    source = (kernel_folder() / program.source).read_text(encoding="utf-8")
    module = cupy.RawModule(code=source, options=compile_options(), backend="nvrtc")
    try:
        with cuda_errors(f"GPU {device.name}", BackendUnavailable):
            entries = {name: module.get_function(name) for name in program.entries}
            registers = {name: int(entry.num_regs) for name, entry in entries.items()}
    except cupy.cuda.compiler.CompileException as error:
        raise BackendUnavailable(
            f"kernel {program.source}: does not compile for sm_{device.architecture}: {str(error).strip()[:2000]}"
        ) from error
    except (ImportError, OSError, RuntimeError) as error:  # the library is looked for at the first compilation
        raise BackendUnavailable(
            f"kernel {program.source}: NVRTC does not run here: {str(error).strip()[:500]}; "
            f"pip install 'nvidia-cuda-nvrtc=={device.driver.split('.')[0]}.*'"
        ) from error
    return Kernels(entries, registers)
