"""Inverse localization lengths of chains, in closed form: gamma = 1 / xi per slice, <ln g> = -2 gamma L."""

from __future__ import annotations

import math

from mesogpu.errors import PhysicsError


def lloyd_exponent(energy: float, half_width: float) -> float:
    """Lyapunov exponent of a chain with Cauchy disorder: exact at any strength.

    cosh gamma = [sqrt((2 + E)^2 + d^2) + sqrt((2 - E)^2 + d^2)] / 4

    energy     : E, in units of t
    half_width : d, in units of t
    source     : Ishii, Prog. Theor. Phys. Suppl. 53, 77 (1973); Thouless, J. Phys. C 5, 77 (1972)
    """
    return math.acosh(0.25 * (math.hypot(2.0 + energy, half_width) + math.hypot(2.0 - energy, half_width)))


def weak_disorder_exponent(energy: float, variance: float) -> float:
    """Lyapunov exponent of a chain with weak disorder inside the band, away from its centre and its edges.

    gamma = sigma^2 / (8 - 2 E^2), which is W^2 / (96 - 24 E^2) for the box law

    energy   : E, in units of t, 0 < |E| < 2
    variance : sigma^2 of the onsite energies, in units of t^2
    raises   : PhysicsError outside the band
    source   : Thouless, in Ill-Condensed Matter, North-Holland (1979)
    """
    if abs(energy) >= 2.0:
        raise PhysicsError(f"energy {energy!r}: outside the band of a chain, -2 < E < 2 in units of t")
    return variance / (8.0 - 2.0 * energy**2)


def band_centre_exponent(variance: float) -> float:
    """Lyapunov exponent of a chain with weak disorder at E = 0, where plain perturbation theory fails.

    gamma = sigma^2 [Gamma(3/4) / Gamma(1/4)]^2, which is W^2 / 105.045 for the box law

    source : Kappus and Wegner, Z. Phys. B 45, 15 (1981); Derrida and Gardner, J. Physique 45, 1283 (1984)
    """
    return variance * (math.gamma(0.75) / math.gamma(0.25)) ** 2


def band_edge_exponent(variance: float) -> float:
    """Lyapunov exponent of a chain with weak disorder at |E| = 2 t.

    gamma = 6^(1/3) sqrt(pi) / (2 Gamma(1/6)) sigma^(2/3)

    source : Derrida and Gardner, J. Physique 45, 1283 (1984)
    """
    return math.cbrt(6.0 * variance) * math.sqrt(math.pi) / (2.0 * math.gamma(1.0 / 6.0))
