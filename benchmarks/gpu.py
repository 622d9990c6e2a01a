"""Acceptance of a kernel backend on this machine, in one command of a few minutes.

    python -m benchmarks.gpu [--quick] [--json OUT] [--backend cuda|native] [--against native|numpy]

Needs NumPy, SciPy and CuPy; a C++ compiler makes the comparison larger. In order: parity with another engine on random
conductors, at the standard sizes and of bars, equal bytes for any split, the certificate on planted bad samples; speed
at the standard sizes and of bars, in percent of what the device reaches in this run: cuBLAS's dgemm, which may use
tensor cores, and bare fused multiply-adds. Exit status: 0 passed, 1 a check failed, 5 no such device.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks import bars, device
from benchmarks.acceptance import certificate, equal_bytes, parity_at_standard_sizes, parity_of_bars, random_parity
from benchmarks.cases import BARS, MODELS, QUICK, STANDARD, BarCase, Case
from benchmarks.kernels import Effort, add_percentages, measure, print_percentages
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import on_one_core
from benchmarks.options import options
from mesogpu.backends.base import Backend
from mesogpu.backends.kernel_backend import KernelBackend
from mesogpu.backends.select import select_backend
from mesogpu.errors import BackendUnavailable, EnvironmentFault

BARS_A_LAUNCH = {"cuda": 1024, "native": bars.GROUP}
"""Enough to fill a large GPU; of wide bars as many batches as that takes."""

UNAVAILABLE = EnvironmentFault.exit_code
EFFORT = {
    # Enough realizations from the start to fill a large GPU: fewer would time one block's latency.
    "cuda": Effort(0.4, 3, first=2**11, most=2**20, clock=time.perf_counter),
    "native": Effort(0.2, 3, most=2**12, clock=time.perf_counter),
}


def main() -> int:
    """Run every check, print each as it comes, and say how it went."""
    asked = options(__doc__, _own_options)
    if asked.backend != "cuda":
        on_one_core()
    start = time.perf_counter()
    try:
        backend, other = select_backend(asked.backend), _other(asked.backend, asked.against)
    except BackendUnavailable as reason:
        print(f"benchmarks.gpu: {reason}", file=sys.stderr)
        return UNAVAILABLE
    if not isinstance(backend, KernelBackend):
        raise TypeError(f"--backend {asked.backend} is no kernel backend")
    machine = provenance(device=device.description(asked.backend))
    print(", ".join(f"{name} {value}" for name, value in machine["device"].items()))
    print(f"against {other.name}, commit {machine['commit']}")
    cases = QUICK if asked.quick else (*STANDARD, *MODELS)
    followed = BARS[:1] if asked.quick else (*BARS[:5], BarCase(8, 5.952, model="su2"))
    checks = []
    for check in (
        partial(random_parity, backend, other, points=8 if asked.quick else 120),
        partial(parity_at_standard_sizes, backend, other, cases),
        partial(parity_of_bars, backend, other, followed),
        partial(equal_bytes, backend),
        partial(certificate, backend, other, 256 if asked.quick else 4096),
    ):
        checks.append(check())
        print(f"[{time.perf_counter() - start:5.0f} s] {sentence(checks[-1])}", flush=True)
    peaks, rows, long = speed(backend, cases, [case for case in followed if case.model == "cubic"], quick=asked.quick)
    seconds = time.perf_counter() - start
    passed = all(check["passed"] for check in checks)
    print(f"{'passed' if passed else 'FAILED'} after {seconds:.0f} s")
    document = {"benchmark": "gpu", "backend": backend.name, "against": other.name, "machine": machine}
    write_json(
        {**document, "passed": passed, "seconds": seconds, "checks": checks, "peaks_gflops": peaks}
        | {"rows": rows, "bars": long},
        asked.json,
    )
    return 0 if passed else 1


def speed(
    backend: KernelBackend, cases: Sequence[Case], followed: Sequence[BarCase], *, quick: bool
) -> tuple[dict[str, float], Any, Any]:
    """Peaks in GFLOP/s, a row for each case and for each bar; wall time: a device computes while this process waits."""
    peaks = device.peak_rates(backend.name)
    rows, effort = [], EFFORT[backend.name]
    if quick:
        effort = replace(effort, seconds=0.02)
    print(f"{'size':>20} {'q':>3} {'realizations/s':>15} {'GFLOP/s':>8} {'with T_n':>12}")
    for case in cases:
        row = measure(backend, case, effort)
        rows.append(row)
        rates = [1e6 / row[variant]["minimum"] for variant in ("traces", "eigenvalues")]
        print(
            f"{case.name:>20} {row['interval']:3d} {rates[0]:15.4g} {row['traces']['gflops']:8.1f} {rates[1]:12.4g}",
            flush=True,
        )
    print(f"{'bars':>20} {'q':>3} {'slices/s':>15} {'GFLOP/s':>8}")
    long = []
    for bar in followed:
        row = bars.rate(backend, bar, BARS_A_LAUNCH[backend.name], effort.seconds, effort.clock)
        long.append(row)
        print(f"{bar.name:>20} {row['interval']:3d} {row['slices_per_second']:15.4g} {row['gflops']:8.1f}", flush=True)
    again = device.peak_rates(backend.name)
    peaks = {name: max(rate, again[name]) / 1e9 for name, rate in peaks.items()}
    add_percentages(rows, peaks)
    print_percentages(rows, peaks)
    bars.add_percentages(long, peaks)
    bars.print_percentages(long, peaks)
    return peaks, rows, long


def sentence(check: dict[str, Any]) -> str:
    """A check in one line."""
    numbers = ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"
        for name, value in check.items()
        if name not in ("name", "passed")
    )
    return f"{'passed' if check['passed'] else 'FAILED'} {check['name']}: {numbers}"


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=("cuda", "native"), default="cuda", help="what is tested (default cuda)")
    parser.add_argument(
        "--against", choices=("native", "numpy"), help="what it is compared with (default: native where it compiles)"
    )


def _other(tested: str, asked: str | None) -> Backend:
    if asked is not None:
        return select_backend(asked)
    try:
        return select_backend("numpy" if tested == "native" else "native")
    except BackendUnavailable:
        return select_backend("numpy")


if __name__ == "__main__":
    sys.exit(main())
