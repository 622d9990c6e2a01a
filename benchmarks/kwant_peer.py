"""Kwant's side of `peers.py`: runs in an environment of its own, which needs Kwant and NumPy alone.

    python kwant_peer.py CASE.npz RESULT.json

CASE.npz : potential (R, L, M) float64, units of t; energy, flux, repeats
Used with care, so that the ratio is fair: one finalized system, modes of the leads computed once, amplitudes from lead
0 to lead 1 alone, no check of hermiticity. Timed twice: with MUMPS as Kwant sets it up, and with the options that were
fastest for such strips (`TUNED`). The caller keeps it to one core and one thread.
"""

from __future__ import annotations

import cmath
import json
import math
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import kwant
import numpy as np

TUNED = {"ordering": "metis", "nrhs": 20}
"""Of all orderings, and 1, 6, 20 and 64 right-hand sides at a time, on 64 x 64."""


def main() -> None:
    """Time one case and write what came out."""
    with np.load(sys.argv[1]) as case:
        potential, energy, flux = case["potential"], float(case["energy"]), float(case["flux"])
        repeats = int(case["repeats"])
    # Nested lists: Kwant asks for one site at a time, and a list answers fastest.
    samples = potential.tolist()
    start = time.process_time()
    system = strip(potential.shape[1], potential.shape[2], flux).precalculate(energy, what="modes")
    built = time.process_time() - start
    document: dict[str, Any] = {"kwant": kwant.__version__, "numpy": np.__version__, "build_seconds": built}
    solver = kwant.solvers.default.smatrix.__self__
    document["solver"] = type(solver).__module__
    document["default"] = timed(system, energy, samples, repeats)
    if hasattr(solver, "reset_options") and document["solver"].endswith("mumps"):
        solver.options(**TUNED)
        document["tuned"] = {**timed(system, energy, samples, repeats), "options": TUNED}
    Path(sys.argv[2]).write_text(json.dumps(document), encoding="utf-8")


def strip(length: int, width: int, flux: float) -> Any:
    """A square-lattice strip between clean leads, hopping -exp(2 pi i flux y) along it, the leads' as well."""
    lattice = kwant.lattice.square(norbs=1)

    def onsite(site: Any, potential: list[list[float]]) -> float:
        x, y = site.tag
        return potential[x][y]

    def along(ahead: Any, behind: Any) -> complex:
        del ahead
        return -cmath.exp(2j * math.pi * flux * behind.tag[1])

    hopping_along = along if flux else -1.0
    system = kwant.Builder()
    system[(lattice(x, y) for x in range(length) for y in range(width))] = onsite
    leads = [kwant.Builder(kwant.TranslationalSymmetry((side, 0))) for side in (-1, 1)]
    for lead in leads:
        lead[(lattice(0, y) for y in range(width))] = 0.0
    for part in (system, *leads):
        part[kwant.builder.HoppingKind((1, 0), lattice)] = hopping_along
        part[kwant.builder.HoppingKind((0, 1), lattice)] = -1.0
    for lead in leads:
        system.attach_lead(lead)
    return system.finalized()


def timed(system: Any, energy: float, samples: list[Any], repeats: int) -> dict[str, Any]:
    """Processor seconds of a realization, and ln g of every sample."""

    def log_conductance(potential: Any) -> float:
        scattering = kwant.smatrix(
            system, energy, params={"potential": potential}, in_leads=[0], out_leads=[1], check_hermiticity=False
        )
        return math.log(float(np.sum(np.abs(scattering.data) ** 2)))

    logarithms = [log_conductance(potential) for potential in samples]
    seconds = []
    for k in range(repeats):
        start = time.process_time()
        log_conductance(samples[k % len(samples)])
        seconds.append(time.process_time() - start)
    return {
        "minimum": 1e6 * min(seconds),
        "median": 1e6 * statistics.median(seconds),
        "repeats": repeats,
        "log_conductance": logarithms,
    }


if __name__ == "__main__":
    main()
