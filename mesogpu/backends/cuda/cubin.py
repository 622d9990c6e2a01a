"""Kernels compiled to machine code for any architecture, with neither GPU nor driver: NVRTC alone."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mesogpu.backends.cuda.options import compile_options
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable, EnvironmentFault

LIBRARY = "libnvrtc.so.1[23]"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one entry of a kernel takes of a multiprocessor.

    registers     : 32-bit registers a thread
    stack         : bytes of stack a thread
    spilled       : bytes a thread that are stored to memory for want of registers, and loaded again
    static_shared : bytes of shared memory a block, beside what the launch asks for
    """

    name: str
    registers: int
    stack: int
    spilled: int
    static_shared: int


@dataclass(frozen=True, slots=True)
class Cubin:
    """Machine code of a source file.

    architecture : 90 for sm_90
    code         : the CUBIN
    entries      : its kernels, in the order of their names
    log          : all that the compiler said
    """

    architecture: int
    code: bytes
    entries: tuple[Entry, ...]
    log: str


def compile_cubin(source: str, architecture: int) -> Cubin:
    """Machine code of a kernel source, and what it takes.

    source       : name of the file in kernels/
    architecture : 90 for sm_90
    raises       : EnvironmentFault where there is no NVRTC, BackendUnavailable where the source does not compile
    """
    library = _nvrtc()
    program = ctypes.c_void_p()
    path = kernel_folder() / source
    _check(library.nvrtcCreateProgram(ctypes.byref(program), path.read_bytes(), source.encode(), 0, None, None))
    try:
        options = (*compile_options(), f"--gpu-architecture=sm_{architecture}", "--ptxas-options=-v")
        encoded = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = library.nvrtcCompileProgram(program, len(options), encoded)
        log = _text(library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog, program).decode(errors="replace")
        if status != 0:
            raise BackendUnavailable(f"kernel {source}: does not compile for sm_{architecture}: {log[:2000]}")
        code = _text(library.nvrtcGetCUBINSize, library.nvrtcGetCUBIN, program)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))
    return Cubin(architecture, code, tuple(sorted(_entries(log), key=lambda entry: entry.name)), log)


def nvrtc_version() -> str:
    """Version of the NVRTC library that `compile_cubin` uses, such as "13.0"."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(_nvrtc().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return f"{major.value}.{minor.value}"


@cache
def _nvrtc() -> ctypes.CDLL:
    """The library of the installed wheel, else of a CUDA toolkit on the loader's path."""
    wheel = importlib.util.find_spec("nvidia")
    for folder in wheel.submodule_search_locations or () if wheel else ():
        for path in sorted(Path(folder).glob(f"*/lib/{LIBRARY}")):
            return ctypes.CDLL(str(path))
    for name in ("libnvrtc.so.13", "libnvrtc.so.12"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise EnvironmentFault("NVRTC, the CUDA compiler library: not found; pip install nvidia-cuda-nvrtc")


def _check(status: int) -> None:
    if status != 0:
        raise EnvironmentFault(f"NVRTC: error {status}; reinstall nvidia-cuda-nvrtc")


def _text(size_of: ctypes._NamedFuncPointer, content_of: ctypes._NamedFuncPointer, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    _check(size_of(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(content_of(program, buffer))
    return buffer.raw


def _entries(log: str) -> list[Entry]:
    """The assembler's report on each entry; a number that it leaves out is 0."""
    entries = []
    for name, report in re.findall(r"Compiling entry function '(\w+)'(.*?)Compile time", log, re.DOTALL):

        def number(pattern: str, report: str = report) -> int:
            found = re.search(pattern, report)
            return int(found.group(1)) if found else 0

        entries.append(
            Entry(
                name=name,
                registers=number(r"Used (\d+) registers"),
                stack=number(r"(\d+) bytes stack frame"),
                spilled=number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads"),
                static_shared=number(r"(\d+) bytes smem"),
            )
        )
    return entries
