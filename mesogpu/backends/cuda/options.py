"""How the kernels are compiled for CUDA, in one place for the launches and for the check without a GPU."""

from __future__ import annotations

from dataclasses import dataclass

from mesogpu.backends.sources import kernel_folder, source_digest


@dataclass(frozen=True, slots=True)
class Program:
    """A kernel.

    source  : name of the file in kernels/
    entries : by how much of the workspace is in shared memory: all, its near part alone (where there are three), none;
              those of wide frames by what their numbers are
    """

    source: str
    entries: tuple[str, ...]


TRANSMISSION = Program("transmission.cu", ("transmission_shared", "transmission_split", "transmission_global"))
GREENS_FUNCTION = Program(
    "greens_function.cu", ("greens_function_shared", "greens_function_split", "greens_function_global")
)
LYAPUNOV = Program("lyapunov.cu", ("lyapunov_shared", "lyapunov_global"))
WIDE = Program("wide.cu", ("wide_complex", "wide_real"))
PROGRAMS = (TRANSMISSION, GREENS_FUNCTION, LYAPUNOV)

MOST_THREADS = 256
"""Threads a block that the kernels are compiled for: their MOST_THREADS."""


def compile_options() -> tuple[str, ...]:
    """Options of NVRTC, beside the architecture.

    The digest is there for CuPy, whose cache of compiled kernels does not see that an included file has changed. CuPy
    adds -ftz=true, which is about single precision alone. No --use_fast_math; fused multiply-adds are on.
    """
    return ("-std=c++17", f"-I{kernel_folder()}", f"-DMESOGPU_SOURCE_DIGEST={source_digest()[:16]}")
