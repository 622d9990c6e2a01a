"""`mesogpu doctor`: what this machine can do, what is missing, how to get it."""

from __future__ import annotations

import platform
import shutil
from dataclasses import asdict
from pathlib import Path

import click

from mesogpu.cli.identity import version_line
from mesogpu.cli.options import json_option, verbosity
from mesogpu.cli.quantities import human_bytes
from mesogpu.cli.render import Sheet, emit_json, emit_sheet


@click.command()
@json_option
@verbosity
def doctor(as_json: bool) -> None:
    """What this machine can do, what is missing, and how to get it.

    Compiles the kernels where that was not yet done.
    """
    from mesogpu.backends.select import select_backend
    from mesogpu.backends.survey import survey
    from mesogpu.execute import default_workers
    from mesogpu.plan.limits import available_memory
    from mesogpu.store import packages

    findings = survey()
    memory, disk = available_memory(), shutil.disk_usage(Path.cwd()).free
    if as_json:
        emit_json(
            {
                "version": version_line(),
                "python": platform.python_version(),
                "packages": packages(),
                "workers": default_workers(),
                "memory_available": memory,
                "disk_free_here": disk,
                "auto": select_backend("auto").name,
                "backends": [asdict(finding) for finding in findings],
            }
        )
        return
    rows = [
        ["version", version_line()],
        ["packages", ", ".join(f"{name} {number}" for name, number in packages().items())],
        ["cores for this process", str(default_workers())],
        ["memory available", "unknown" if memory is None else human_bytes(memory)],
        ["disk free here", human_bytes(disk)],
    ]
    rows += [[f"--backend {found.name}", f"{'works' if found.works else 'no'}: {found.detail}"] for found in findings]
    rows.append(["--backend auto", f"takes {select_backend('auto').name}"])
    emit_sheet(Sheet("This machine", ["", ""], rows, left=2, keys=1))
