"""The device that a backend computes on: what it is, and how fast it can be."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import Any

import numpy as np

from benchmarks.measuring import timed
from benchmarks.peaks import dgemm_peak, fused_peak
from mesogpu.backends.machine import cpu_model

SIZE = 8192
"""Of the square matrices that a GPU multiplies."""

CHAINS, ROUNDS, THREADS, BLOCKS = 8, 20_000, 256, 8
"""Fused multiply-adds: independent ones a thread, how often, threads a block, blocks a multiprocessor."""

FUSED = """
extern "C" __global__ void fused(double* out, int rounds, double factor, double term) {
  double chain[8], sum = 0.0;
  for (int k = 0; k < 8; k++) chain[k] = 0.001 * (k + threadIdx.x);
  for (int round = 0; round < rounds; round++)
#pragma unroll
    for (int k = 0; k < 8; k++) chain[k] = fma(chain[k], factor, term);
  for (int k = 0; k < 8; k++) sum += chain[k];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
"""


def description(backend: str) -> dict[str, Any]:
    """Name, memory, architecture, driver and library versions, as JSON."""
    if backend != "cuda":
        return {"name": cpu_model()}
    import cupy

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {
        "name": properties["name"].decode(),
        "compute_capability": f"{properties['major']}.{properties['minor']}",
        "multiprocessors": properties["multiProcessorCount"],
        "memory_gib": round(properties["totalGlobalMem"] / 2**30, 1),
        "shared_memory_per_block_kib": properties.get("sharedMemPerBlockOptin", 0) // 1024,
        "driver": _driver(),
        "cuda_driver_api": runtime.driverGetVersion(),
        "cuda_runtime": runtime.runtimeGetVersion(),
        "cupy": cupy.__version__,
    }


def peak_rates(backend: str) -> dict[str, float]:
    """What the device reaches in float64, flop/s: its library's matrix product, and bare fused multiply-adds."""
    if backend == "cuda":
        return {"dgemm": _cublas_rate(), "fused_multiply_add": _gpu_fused_rate()}
    fused = fused_peak()
    return {"dgemm": dgemm_peak()} | ({"fused_multiply_add": fused} if fused else {})


def _cublas_rate() -> float:
    import cupy

    generator = cupy.random.default_rng(0)
    a, b = generator.standard_normal((SIZE, SIZE)), generator.standard_normal((SIZE, SIZE))
    product = cupy.empty_like(a)

    def work() -> None:
        cupy.matmul(a, b, out=product)
        cupy.cuda.Device().synchronize()

    return 2.0 * SIZE**3 / timed(work, 5, time.perf_counter).minimum


def _gpu_fused_rate() -> float:
    import cupy

    processors = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["multiProcessorCount"]
    kernel, blocks = cupy.RawKernel(FUSED, "fused", backend="nvrtc"), processors * BLOCKS
    out = cupy.empty(blocks * THREADS)
    arguments = (out, np.int32(ROUNDS), np.float64(0.999999), np.float64(1e-6))

    def work() -> None:
        kernel((blocks,), (THREADS,), arguments)
        cupy.cuda.Device().synchronize()

    return 2.0 * CHAINS * ROUNDS * blocks * THREADS / timed(work, 5, time.perf_counter).minimum


def _driver() -> str:
    """The driver's version as its own tool says it; "unknown" without that tool."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "unknown"
    command = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return run.stdout.strip().splitlines()[0] if run.returncode == 0 and run.stdout.strip() else "unknown"
