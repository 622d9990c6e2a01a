"""The race check as a program: built once, run on cases, with any barrier left out."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mesogpu.backends.kernel_backend import KernelOutput
from mesogpu.backends.sources import kernel_folder
from mesogpu.backends.strip import FIELDS, make_strip, point_arrays, unpack
from mesogpu.plan import Point

FLAGS = ("-std=c++17", "-O1", "-g", "-fsanitize=thread", "-Wno-unknown-pragmas", "-pthread")
RACE = 66
"""Exit status of a program in which ThreadSanitizer found a race."""

PROBE = "#include <thread>\nint main() { std::thread([] {}).join(); }\n"
SECONDS = 120


class NoThreadSanitizer(Exception):
    """This machine cannot build or run a program under ThreadSanitizer; says why."""


@dataclass(frozen=True)
class RaceProgram:
    """The compiled race check and what must stand before it on a command line."""

    path: Path
    prefix: tuple[str, ...]

    def run(
        self,
        point: Point,
        interval: int,
        realizations: np.ndarray,
        *,
        entry: str = "shared",
        threads: int = 5,
        blocks: int = 1,
        without: str = "",
    ) -> tuple[KernelOutput | None, str]:
        """The kernel's output, None where a race was found; and ThreadSanitizer's report.

        without : file:line of a barrier to leave out
        """
        arrays = point_arrays(point)
        strip = make_strip(point, interval, len(arrays["outgoing"]), dict.fromkeys(arrays))
        case = [
            bytes(strip),
            *(np.ascontiguousarray(array).tobytes() for array in arrays.values()),
            np.int64(len(realizations)).tobytes(),
            realizations.astype(np.uint32).tobytes(),
            np.int64(point.eigenvalues).tobytes(),
        ]
        done = subprocess.run(
            [*self.prefix, str(self.path), entry, str(threads), str(blocks), *([without] if without else [])],
            input=b"".join(case),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=os.environ | {"TSAN_OPTIONS": f"halt_on_error=1 exitcode={RACE}"},
        )
        report = done.stderr.decode(errors="replace")
        if done.returncode == RACE:
            return None, report
        if done.returncode != 0:
            raise RuntimeError(f"race check: exit status {done.returncode}: {report}")
        numbers = np.frombuffer(done.stdout)
        split = len(realizations) * strip.recorded * FIELDS
        values = numbers[split:] if point.eigenvalues else None
        return unpack(numbers[:split], values, strip, 1, len(realizations)), report


def build(folder: Path) -> RaceProgram:
    """Compile the race check into a folder.

    raises : NoThreadSanitizer where there is no compiler, it lacks ThreadSanitizer, or that does not run here
    """
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None:
        raise NoThreadSanitizer("no C++ compiler")
    probe = _compile(compiler, folder, "probe", PROBE)
    # Address layouts that are too random for its shadow memory stop older ThreadSanitizers at the start.
    fixed_layout = ("setarch", platform.machine(), "-R")
    for prefix in ((), fixed_layout) if shutil.which("setarch") else ((),):
        started = subprocess.run([*prefix, str(probe)], capture_output=True, timeout=SECONDS, check=False)
        if started.returncode == 0:
            source = (kernel_folder() / "race_check.cpp").read_text(encoding="utf-8")
            return RaceProgram(_compile(compiler, folder, "race_check", source), prefix)
    raise NoThreadSanitizer(f"a program under ThreadSanitizer does not run: {started.stderr.decode()[:300]}")


def _compile(compiler: str, folder: Path, name: str, source: str) -> Path:
    program = folder / name
    (folder / f"{name}.cpp").write_text(source, encoding="utf-8")
    command = [compiler, *FLAGS, "-I", str(kernel_folder()), str(folder / f"{name}.cpp"), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0 and name == "probe":
        raise NoThreadSanitizer(f"{compiler} has no ThreadSanitizer: {done.stderr.strip()[:300]}")
    assert done.returncode == 0, done.stderr
    return program


def barriers() -> list[str]:
    """file:line of every __syncthreads() in the kernel sources."""
    return [
        f"{path.name}:{number}"
        for path in sorted(kernel_folder().glob("*.cu*"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*__syncthreads\(\);", line)
    ]
