"""What the transmission kernel takes of each GPU architecture, without a GPU: registers, spills, memory, occupancy.

    python -m benchmarks.cubin [--quick] [--json OUT]

Registers and spills are the assembler's; shared memory and residence follow from them, the workspace's size and the
published limits of each architecture (CUDA C++ Programming Guide). Nothing here is a timing. --quick: sm_90 alone.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from benchmarks.cases import Case
from benchmarks.machine import provenance, write_json
from benchmarks.options import options
from mesogpu.backends.conductor import ARRAYS, make_conductor
from mesogpu.backends.cuda.cubin import compile_cubin, nvrtc_version
from mesogpu.backends.cuda.occupancy import PUBLISHED, place, transmission_workspace
from mesogpu.backends.cuda.options import TRANSMISSION
from mesogpu.backends.kernel_inputs import estimated_interval, slots_of
from mesogpu.errors import MesogpuError

WIDTHS = (10, 20, 32, 64, 128)


def main() -> int:
    """Compile, tabulate, write."""
    asked = options(__doc__)
    try:
        architectures = [examine(architecture) for architecture in ([90] if asked.quick else PUBLISHED)]
        nvrtc = nvrtc_version()
    except MesogpuError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for found in architectures:
        print_architecture(found)
    write_json({"provenance": provenance(nvrtc=nvrtc), "architectures": architectures}, asked.json)
    return 0


def examine(architecture: int) -> dict[str, Any]:
    """The entries of the transmission kernel on an architecture, and the layout at each standard width."""
    cubin = compile_cubin(TRANSMISSION.source, architecture)
    registers = {entry.name: entry.registers for entry in cubin.entries}
    layouts = []
    for width in WIDTHS:
        point = Case(width, width).point()
        interval = estimated_interval(point)
        conductor = make_conductor(point, slots_of(point.system, interval), dict.fromkeys(ARRAYS))
        layout = place(TRANSMISSION.entries, transmission_workspace(conductor), PUBLISHED[architecture], registers)
        layouts.append({"width": width, "channels": conductor.channels, "interval": interval, **asdict(layout)})
    return {
        "architecture": architecture,
        "cubin_bytes": len(cubin.code),
        "limits": asdict(PUBLISHED[architecture]),
        "entries": [asdict(entry) for entry in cubin.entries],
        "layouts": layouts,
    }


def print_architecture(found: dict[str, Any]) -> None:
    """Two tables: what the compiler says, what follows from it."""
    print(f"\nsm_{found['architecture']}")
    print(f"{'entry':>22} {'registers':>10} {'spilled B':>10} {'stack B':>8} {'static shared B':>16}")
    for entry in found["entries"]:
        print(
            f"{entry['name']:>22} {entry['registers']:>10} {entry['spilled']:>10} {entry['stack']:>8} "
            f"{entry['static_shared']:>16}"
        )
    print(
        f"{'width':>22} {'N':>4} {'q':>3} {'entry':>20} {'threads':>8} {'shared B':>9} {'device B/block':>15} "
        f"{'blocks/SM':>10} {'occupancy':>10}"
    )
    for row in found["layouts"]:
        print(
            f"{row['width']:>22} {row['channels']:>4} {row['interval']:>3} {row['entry']:>20} {row['threads']:>8} "
            f"{row['shared']:>9} {row['global_bytes']:>15} {row['blocks']:>10} {row['occupancy']:>9.1%}"
        )


if __name__ == "__main__":
    sys.exit(main())
