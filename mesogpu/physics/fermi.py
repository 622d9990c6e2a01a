"""The Fermi wave number of the clean lattice."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import quad

from mesogpu.physics.lattices import Lattice


def fermi_wave_number(lattice: Lattice, energy: float) -> float | None:
    """k_F of the circle (sphere, pair of points) that holds as many states as there are beyond the energy.

    Counted from the nearer band edge, so that it is that of holes above the band centre; n states a site and spin:
    k_F = pi n (chain), sqrt(4 pi n) (square), (6 pi^2 n)^(1/3) (cubic)

    energy  : E, units of t
    returns : 1/site; None outside the band, and for other lattices
    """
    depth = -abs(energy)
    if lattice.kind == "chain" or (lattice.kind == "square" and lattice.width == 1):
        return math.pi * _chain_filling(depth) or None
    if lattice.kind == "square":
        return math.sqrt(4.0 * math.pi * _square_filling(depth)) or None
    if lattice.kind == "cubic":
        filling = quad(lambda k: _square_filling(depth + 2.0 * math.cos(k)), 0.0, math.pi, epsabs=1e-6)[0] / math.pi
        return float((6.0 * math.pi**2 * filling) ** (1.0 / 3.0)) or None
    return None


def _chain_filling(energy: float) -> float:
    """States of a chain below the energy, a site: -2 cos k < E."""
    return math.acos(min(1.0, max(-1.0, -0.5 * energy))) / math.pi


def _square_filling(energy: float) -> float:
    """States of the square lattice below the energy, a site."""
    if abs(energy) >= 4.0:
        return 0.0 if energy < 0.0 else 1.0
    # The chains below the energy begin, or fill up, where 2 cos k = E +- 2.
    knots = sorted(math.acos(c) for c in (-0.5 * energy - 1.0, -0.5 * energy + 1.0) if -1.0 < c < 1.0)
    total = quad(lambda k: _chain_filling(energy + 2.0 * math.cos(k)), 0.0, math.pi, points=knots or None)[0]
    return float(np.clip(total / math.pi, 0.0, 1.0))
