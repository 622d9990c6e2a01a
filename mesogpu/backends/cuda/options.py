"""How the kernels are compiled for CUDA, in one place for the launches and for the check without a GPU."""

from __future__ import annotations

from mesogpu.backends.sources import kernel_folder, source_digest

ENTRIES = ("transmission_shared", "transmission_split", "transmission_global")
"""Entries of kernels/transmission.cu: the whole workspace in shared memory, its near part alone, none of it."""

MOST_THREADS = 256
"""Threads a block that the kernels are compiled for: MOST_THREADS of kernels/transmission.cu."""


def compile_options() -> tuple[str, ...]:
    """Options of NVRTC, beside the architecture.

    The digest is there for CuPy, whose cache of compiled kernels does not see that an included file has changed. CuPy
    adds -ftz=true, which is about single precision alone. No --use_fast_math; fused multiply-adds are on.
    """
    return ("-std=c++17", f"-I{kernel_folder()}", f"-DMESOGPU_SOURCE_DIGEST={source_digest()[:16]}")
