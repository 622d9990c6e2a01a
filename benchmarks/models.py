"""A conductor of each other kind on one core: time, share of the peak, and the NumPy oracle and Kwant beside.

    python -m benchmarks.models [--quick] [--json OUT] [--kwant-python PATH]

What `kernels.py` and `peers.py` do for square strips, in one run, at W = 2: Rashba coupling, a cubic bar, and the two
ribbons of a honeycomb, of which the armchair one is the Green's-function kernel's.
"""

from __future__ import annotations

from benchmarks.cases import MODELS, QUICK
from benchmarks.kernels import BRIEF, FULL, add_percentages, measure, print_percentages
from benchmarks.machine import provenance, write_json
from benchmarks.measuring import on_one_core
from benchmarks.options import options
from benchmarks.peaks import Peaks
from benchmarks.peers import HEADER, compare, line, own_options
from mesogpu.backends.native.backend import NativeBackend


def main() -> None:
    """Time every model and print the table."""
    asked = options(__doc__, own_options)
    on_one_core()
    backend, machine, peaks = NativeBackend(), provenance(), Peaks()
    print(f"{machine['cpu']}, one core, {machine.get('instruction_set')}, commit {machine['commit']}\n{HEADER}")
    rows = []
    for case in QUICK[2:] if asked.quick else MODELS:
        row = measure(backend, case, BRIEF if asked.quick else FULL)
        row |= compare(backend, case, asked.kwant_python, quick=asked.quick)
        rows.append(row)
        print(line(row), flush=True)
    peaks.measure_again()
    found = peaks.as_json()
    add_percentages(rows, found)
    print_percentages(rows, found)
    write_json({"benchmark": "models", "machine": machine, "peaks_gflops": found, "rows": rows}, asked.json)


if __name__ == "__main__":
    main()
