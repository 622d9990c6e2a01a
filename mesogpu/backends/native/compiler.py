"""The host's C++ compiler: which one, with which flags, and a shared library out of one kernel source."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mesogpu.backends.native.cache import kernel_cache
from mesogpu.backends.sources import kernel_folder, source_digest
from mesogpu.errors import BackendUnavailable

COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")
"""No -ffast-math: a sum keeps its order, and NaN stays NaN. Contraction into fused multiply-adds is on."""

TARGET_FLAGS = {"x86_64": ("-march=native", "-mprefer-vector-width=512"), "aarch64": ("-mcpu=native",)}
SECONDS = 300


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler and what its flags mean on this processor.

    path    : the executable
    macros  : everything it predefines under our flags: version, target, instruction sets
    """

    path: str
    macros: str

    @property
    def identity(self) -> str:
        """Family and version, such as "g++ 12.2.0"."""
        version = re.search(r'^#define __VERSION__ "(.*)"$', self.macros, re.MULTILINE)
        family = "" if "#define __clang__ " in self.macros else "gcc "
        return f"{family}{version.group(1) if version else 'of unknown version'}"

    @property
    def instruction_set(self) -> str:
        """The vector instructions that the kernels are built for."""
        for macro, name in (("__AVX512F__", "avx512"), ("__AVX2__", "avx2"), ("__ARM_NEON", "neon")):
            if f"#define {macro} " in self.macros:
                return name
        return platform.machine()


@cache
def find_compiler() -> Compiler:
    """$CXX, or the first of c++, g++ and clang++ on the path.

    raises : BackendUnavailable where there is none, or it does not take our flags
    """
    asked = os.environ.get("CXX")
    for name in (asked,) if asked else COMPILERS:
        path = shutil.which(name)
        if path is None:
            continue
        probe = subprocess.run(
            [path, *_flags(), "-dM", "-E", "-x", "c++", os.devnull],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if probe.returncode == 0:
            return Compiler(path, probe.stdout)
        raise BackendUnavailable(f"compiler {path}: refuses our flags: {probe.stderr.strip()[:500]}")
    tried = asked or ", ".join(COMPILERS)
    raise BackendUnavailable(
        f"C++ compiler: none found ({tried}); install one (Debian, Ubuntu: apt install g++) or set CXX; without one, "
        "--backend numpy gives the same numbers some thirty times slower"
    )


def _flags() -> tuple[str, ...]:
    return FLAGS + TARGET_FLAGS.get(platform.machine(), ())


def compiled(source: str) -> Path:
    """The shared library of a kernel source, compiled if the cache does not have it.

    source : name of the file in kernels/
    raises : BackendUnavailable where it does not compile
    """
    compiler = find_compiler()
    library = kernel_cache() / f"{Path(source).stem}-{_key(compiler)}.so"
    if library.is_file():
        return library
    with (library.parent / "compile.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.is_file():
            _compile(compiler, kernel_folder() / source, library)
    return library


def compiled_already() -> list[Path]:
    """The shared libraries of today's kernels that the cache has."""
    return sorted(kernel_cache().glob(f"*-{_key(find_compiler())}.so"))


def _key(compiler: Compiler) -> str:
    """Of everything that decides a library but its own source file."""
    return hashlib.sha256("\0".join([source_digest(), compiler.macros, *_flags()]).encode()).hexdigest()[:32]


def _compile(compiler: Compiler, source: Path, library: Path) -> None:
    """Beside the final name and then renamed, so that no process ever loads half a library."""
    descriptor, aside = tempfile.mkstemp(dir=library.parent, suffix=".so")
    os.close(descriptor)
    try:
        command = [compiler.path, *_flags(), "-Wno-unknown-pragmas", "-x", "c++", str(source), "-o", aside]
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if run.returncode != 0:
            raise BackendUnavailable(f"kernel {source.name}: {compiler.path} failed: {run.stderr.strip()[:2000]}")
        Path(aside).replace(library)
    finally:
        Path(aside).unlink(missing_ok=True)
