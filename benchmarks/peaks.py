"""What this core reaches in the same run: OpenBLAS's dgemm, and fused multiply-adds without any memory traffic."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measuring import timed
from mesogpu.backends.native.compiler import FLAGS, TARGET_FLAGS, find_compiler
from mesogpu.errors import BackendUnavailable

SIZES = (512, 1024, 1536)
ROUNDS = 20_000_000


def dgemm_peak(repeats: int = 5) -> float:
    """Largest rate of NumPy's float64 matrix product over a few sizes, flop/s."""
    generator = np.random.default_rng(0)
    rates = []
    for size in SIZES:
        a, b, c = (generator.standard_normal((size, size)) for _ in range(3))
        rates.append(2.0 * size**3 / timed(partial(np.matmul, a, b, out=c), repeats).minimum)
    return max(rates)


def fused_peak(repeats: int = 5) -> float | None:
    """Rate of independent fused multiply-adds, compiled as the kernels are, flop/s; None without a compiler."""
    try:
        compiler = find_compiler()
    except BackendUnavailable:
        return None
    flags = FLAGS + TARGET_FLAGS.get(platform.machine(), ())
    source = Path(__file__).with_name("fused.cpp")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "fused.so"
        subprocess.run([compiler.path, *flags, str(source), "-o", str(target)], check=True, timeout=300)
        library = ctypes.CDLL(str(target))
    library.fused_chains.restype = ctypes.c_double
    arguments = (ctypes.c_long(ROUNDS), ctypes.c_double(0.999999), ctypes.c_double(1e-6))
    timing = timed(lambda: library.fused_chains(*arguments), repeats)
    operations: int = library.fused_operations()
    return operations * ROUNDS / timing.minimum


class Peaks:
    """Peaks of a run: measured before and after its timings, the larger counts, so that a slow moment flatters nothing.

    dgemm, fused : flop/s; fused is None without a compiler
    """

    def __init__(self) -> None:
        self.dgemm, self.fused = dgemm_peak(), fused_peak()

    def measure_again(self) -> None:
        """To be called after the timings."""
        self.dgemm = max(self.dgemm, dgemm_peak())
        if self.fused is not None:
            self.fused = max(self.fused, fused_peak() or 0.0)

    def as_json(self) -> dict[str, float | None]:
        """GFLOP/s."""
        return {"dgemm": self.dgemm / 1e9, "fused_multiply_add": None if self.fused is None else self.fused / 1e9}
