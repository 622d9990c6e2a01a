"""Kwant's side of `peers.py`: runs in an environment of its own, which needs Kwant and NumPy alone.

    python kwant_peer.py CASE.npz RESULT.json

CASE.npz : potential (R, L, M) float64, units of t; energy, flux, model, depth, rashba, repeats
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

PAULI_X, PAULI_Y = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]])

TUNED = {"ordering": "metis", "nrhs": 20}
"""Of all orderings, and 1, 6, 20 and 64 right-hand sides at a time, on 64 x 64."""


def main() -> None:
    """Time one case and write what came out."""
    with np.load(sys.argv[1]) as case:
        potential, energy, repeats = case["potential"], float(case["energy"]), int(case["repeats"])
        depth, model = int(case["depth"]), str(case["model"])
        flux, rashba = float(case["flux"]), float(case["rashba"])
    # Nested lists: Kwant asks for one site at a time, and a list answers fastest.
    samples = potential.tolist()
    start = time.process_time()
    width = potential.shape[2] // depth
    system = conductor(potential.shape[1], width, depth, model, flux, rashba).precalculate(energy, what="modes")
    built = time.process_time() - start
    document: dict[str, Any] = {"kwant": kwant.__version__, "numpy": np.__version__, "build_seconds": built}
    solver = kwant.solvers.default.smatrix.__self__
    document["solver"] = type(solver).__module__
    document["default"] = timed(system, energy, samples, repeats)
    if hasattr(solver, "reset_options") and document["solver"].endswith("mumps"):
        solver.options(**TUNED)
        document["tuned"] = {**timed(system, energy, samples, repeats), "options": TUNED}
    Path(sys.argv[2]).write_text(json.dumps(document), encoding="utf-8")


def conductor(length: int, width: int, depth: int, model: str, flux: float, rashba: float) -> Any:
    """A conductor between clean leads, as CONVENTIONS.md has it; sites are (x, y, z), the flux couples to y.

    model  : "square", "cubic", "zigzag", "armchair" or "rashba"; lengths of the honeycombs are even
    rashba : strength of that coupling, in the leads too
    """
    spin = model == "rashba"
    lattice = kwant.lattice.cubic(norbs=2 if spin else 1)
    one: Any = np.eye(2) if spin else 1.0

    def onsite(site: Any, potential: list[list[float]]) -> Any:
        x, y, z = site.tag
        return potential[x][y * depth + z] * one if x >= 0 else 0.0 * one

    def along(ahead: Any, behind: Any) -> Any:
        del ahead
        return -cmath.exp(2j * math.pi * flux * behind.tag[1]) * one

    hopping_along = along if flux else -one - (1j * rashba * PAULI_Y if spin else 0.0)
    hopping_across = -one + (1j * rashba * PAULI_X if spin else 0.0)

    def bonds(cell: Any) -> Any:
        """Every bond whose lower end is among these sites."""
        for x, y, z in cell:
            even = (x + y) % 2 == 0
            if model != "armchair" or even:
                yield (x + 1, y, z), (x, y, z), hopping_along
            if y + 1 < width and (model != "zigzag" or even):
                yield (x, y + 1, z), (x, y, z), hopping_across
            if z + 1 < depth:
                yield (x, y, z + 1), (x, y, z), -one

    def sites(slices: range) -> list[tuple[int, int, int]]:
        return [(x, y, z) for x in slices for y in range(width) for z in range(depth)]

    # Kwant counts cells of a lead from slice 0 outwards: those of two slices need one clean slice before the sample.
    period = 2 if model in ("zigzag", "armchair") else 1
    region = sites(range(1 - period, length))
    system = kwant.Builder()
    system[(lattice(*site) for site in region)] = onsite
    for ahead, behind, value in bonds(region):
        if ahead[0] < length:
            system[lattice(*ahead), lattice(*behind)] = value
    for side, start in ((-period, 1 - 2 * period), (period, length)):
        lead = kwant.Builder(kwant.TranslationalSymmetry((side, 0, 0)))
        cell = sites(range(start, start + period))
        lead[(lattice(*site) for site in cell)] = 0.0 * one
        for ahead, behind, value in bonds(cell):
            lead[lattice(*ahead), lattice(*behind)] = value
        assert not system.attach_lead(lead)
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
