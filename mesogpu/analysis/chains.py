"""Closed forms for the Lyapunov exponent of a chain, where they hold; chosen by the model alone."""

from __future__ import annotations

from typing import Any, Final

from mesogpu.analysis.symmetry import is_silent
from mesogpu.analysis.theory import expectation
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, Uniform
from mesogpu.physics.one_dimension import (
    band_centre_exponent,
    band_edge_exponent,
    lloyd_exponent,
    weak_disorder_exponent,
)
from mesogpu.physics.systems import System

WEAK: Final = 0.5**2 / 12.0
"""Largest variance of weak disorder, units of t^2: that of a box W = 0.5 t."""

ROUNDING: Final = 1.0 + 1e-9

BULK_ERROR: Final = 0.01
"""Relative error of the weak-disorder forms inside the band at that variance, to which it is proportional.

An independent iteration of one chain found, over theory: box 1.001(1) at E = 0, 1.002(1) at 0.5, 1.005(1) at 1; normal
law 0.998(1), 1.000(1), 1.000(1); two values 1.002(1), 1.005(1), 1.006(1).
"""

SMALLEST_ERROR: Final = 0.002
"""What remains of it at any variance: next to the band centre the plain form is 0.15 (sigma^2 / E)^2 too large."""

EDGE_ERROR: Final = 0.02
"""Relative error of the band-edge form at that variance; it falls with the cube root of the variance.

Found likewise: box 0.993(1), normal law 1.009(1), two values 0.979(1); at a hundredth of the variance 0.996(1),
0.999(1), 0.995(1).
"""

CENTRE_VARIANCES: Final = 10.0
"""Distance from the band centre, in variances (t = 1), from which the plain form holds."""

LARGEST_ENERGY: Final = 1.0
"""|E|/t up to which the plain form is claimed."""

LLOYD_SOURCE = "Lloyd's chain (Ishii 1973, Thouless 1972; exact)"
BULK_SOURCE = "weak disorder in a chain (Thouless 1979; model error 1 % or less)"
CENTRE_SOURCE = "weak disorder at the band centre of a chain (Kappus & Wegner 1981; model error 1 % or less)"
EDGE_SOURCE = "weak disorder at the band edge of a chain (Derrida & Gardner 1984; model error 2 % or less)"


def chain_theory(system: System) -> dict[str, dict[str, Any]]:
    """Theory beside the smallest exponent of one point: value, model error and source; empty where none holds.

    Covered are chains without spin with one uncorrelated law on the sites: Cauchy's at any strength; else symmetric
    ones of variance `WEAK` or less, at E = 0, at 10 sigma^2 <= |E| <= 1 and at |E| = 2 (t = 1).
    """
    laws = [each for each in system.laws if not is_silent(each)]
    if system.lattice.sites != 1 or system.spins != 1 or len(laws) != 1 or laws[0].on != "sites":
        return {}
    energy, only = abs(system.energy / system.hopping), laws[0]
    if isinstance(only, Cauchy):
        width = only.half_width / abs(system.hopping)
        return {"lyapunov_exponent": expectation(lloyd_exponent(energy, width), 0.0, LLOYD_SOURCE)}
    variance = only.variance / system.hopping**2
    found = _weak(energy, variance) if _is_symmetric(only) and variance <= WEAK * ROUNDING else None
    return {} if found is None else {"lyapunov_exponent": found}


def _is_symmetric(only: Law) -> bool:
    """Whether a law is one of those that the model errors were found for."""
    if isinstance(only, Gaussian):
        return only.correlation_length == 0.0
    if isinstance(only, Binary):
        return only.fraction == 0.5 and only.values[0] == -only.values[1]
    return isinstance(only, Uniform)


def _weak(energy: float, variance: float) -> dict[str, Any] | None:
    """The form for weak disorder at this energy, if there is one."""
    strength = variance / WEAK
    bulk_error = max(SMALLEST_ERROR, BULK_ERROR * strength)
    if energy == 0.0:
        value, error, source = band_centre_exponent(variance), bulk_error, CENTRE_SOURCE
    elif CENTRE_VARIANCES * variance <= energy <= LARGEST_ENERGY:
        value, error, source = weak_disorder_exponent(energy, variance), bulk_error, BULK_SOURCE
    elif energy == 2.0:
        value, error, source = band_edge_exponent(variance), EDGE_ERROR * strength ** (1.0 / 3.0), EDGE_SOURCE
    else:
        return None
    return expectation(value, error * value, source)
