"""The race check as a program: built once, run on cases, with any barrier left out."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mesogpu.backends.conductor import (
    FIELDS,
    KernelOutput,
    conductor_arrays,
    given_energies,
    make_conductor,
    unpack,
)
from mesogpu.backends.kernel_inputs import frame_arrays, make_frame_inputs, slots_of
from mesogpu.backends.sources import kernel_folder
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
        """The transmission kernel's output, None where a race was found; and ThreadSanitizer's report.

        without : file:line of a barrier to leave out
        """
        arrays = conductor_arrays(point), frame_arrays(point)
        conductor = make_conductor(point, slots_of(point.system, interval), dict.fromkeys(arrays[0]))
        inputs = make_frame_inputs(interval, dict.fromkeys(arrays[1]))
        given = given_energies(point, realizations)
        case = case_bytes((conductor, inputs), arrays, realizations, given, eigenvalues=point.eigenvalues)
        found, report = self.execute(case, entry, threads, blocks, without)
        if found is None:
            return None, report
        border = len(realizations) * conductor.recorded * FIELDS
        values = found[border:] if point.eigenvalues else None
        return unpack(found[:border], values, conductor, 1, len(realizations)), report

    def execute(
        self, case: bytes, entry: str, threads: int, blocks: int, without: str
    ) -> tuple[np.ndarray | None, str]:
        """All numbers that the program wrote, None where a race was found; and ThreadSanitizer's report."""
        done = subprocess.run(
            [*self.prefix, str(self.path), entry, str(threads), str(blocks), *([without] if without else [])],
            input=case,
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
        return np.frombuffer(done.stdout), report


def case_bytes(
    structures: tuple[ctypes.Structure, ctypes.Structure],
    arrays: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]],
    realizations: np.ndarray,
    given: np.ndarray | None,
    *,
    eigenvalues: bool,
) -> bytes:
    """What a program reads, see kernels/thread_block.hpp; arrays: those that each structure points to."""
    parts = [*map(bytes, structures), _integers(sum(map(len, arrays)))]
    for number, (structure, members) in enumerate(zip(structures, arrays, strict=True)):
        for name, array in members.items():
            parts += [_integers(number, getattr(type(structure), name).offset, array.nbytes), array.tobytes()]
    parts += [_integers(len(realizations)), realizations.astype(np.uint32).tobytes(), _integers(given is not None)]
    parts += [b"" if given is None else given.tobytes(), _integers(eigenvalues)]
    return b"".join(parts)


def _integers(*values: int) -> bytes:
    return np.array(values, dtype=np.int64).tobytes()


def build(folder: Path, source: str = "race_check.cpp") -> RaceProgram:
    """Compile a race check into a folder.

    source : name of the file in kernels/
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
            text = (kernel_folder() / source).read_text(encoding="utf-8")
            return RaceProgram(_compile(compiler, folder, "race_check", text), prefix)
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


def barriers(source: str) -> list[str]:
    """file:line of every __syncthreads() in a kernel source and the headers that it includes."""
    found, left = {source}, [source]
    while left:
        text = (kernel_folder() / left.pop()).read_text(encoding="utf-8")
        new = set(re.findall(r'^#include "(\w+\.cuh)"', text, re.MULTILINE)) - found
        found |= new
        left += new
    return [
        f"{name}:{number}"
        for name in sorted(found)
        for number, line in enumerate((kernel_folder() / name).read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*__syncthreads\(\);", line)
    ]
