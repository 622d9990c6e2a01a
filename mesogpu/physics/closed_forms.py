"""Closed forms for disordered conductors: what theory says a measured statistic should be.

Throughout s = L/l, l the DMPK mean free path with <g> = N/(1+s) to leading order. At beta = 4 the channels N count
Kramers pairs and g is the conductance per pair: half the stored spin trace.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from mesogpu.errors import PhysicsError
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.slices import clean_slices

QUASI_1D_VARIANCE = 2.0 / 15.0
"""Var g of a long diffusive wire at beta = 1; divide by beta for the other classes."""

DIFFUSIVE_CURRENT_CUMULANTS = {2: 1.0 / 3.0, 3: 1.0 / 15.0, 4: -1.0 / 105.0}
"""Cumulants of the current through a long diffusive wire at zero temperature, over its mean, from Dorokhov's density
1/(T sqrt(1-T)): Levitov, Lee & Yakovets, J. Math. Phys. 37, 4845 (1996)."""

LOCALIZED_END = 3.0
"""The one-l curve is inverted up to s = 3 N, where it still falls; beyond, its last term turns it upwards."""

_CURVATURE = {1: 1.0 / 45.0, 2: -1.0 / 45.0, 4: 1.0 / 180.0}
_THETA_TERMS = 6


def mean_conductance(
    length: ArrayLike, *, channels: float, mean_free_path: float, beta: int
) -> NDArray[np.float64] | np.float64:
    """Mean conductance of a wire from ballistic to the onset of localization: the one-l curve.

    <g> = N/(1+s) - (2-beta)/(3 beta) (s/(1+s))^3 + c_beta (s/N) (s/(1+s))^3, c = 1/45, -1/45, 1/180 for beta = 1, 2, 4

    length         : (...) slices
    channels       : N; Kramers pairs at beta = 4
    mean_free_path : l, slices
    returns        : (...) float64, e^2/h per spin (beta = 4: per Kramers pair)
    raises         : PhysicsError for a symmetry class other than 1, 2, 4
    source         : Mello & Stone, PRB 44, 3559 (1991); Mirlin, Mueller-Groeling & Zirnbauer, Ann. Phys. 236 (1994) 325
    """
    _check_class(beta)
    s = np.asarray(length, dtype=np.float64) / mean_free_path
    diffusive = (s / (1.0 + s)) ** 3
    localization = (2.0 - beta) / (3.0 * beta)
    return channels / (1.0 + s) - localization * diffusive + _CURVATURE[beta] * s / channels * diffusive


def mean_free_path(conductance: float, *, length: float, channels: float, beta: int) -> float:
    """Mean free path at which the one-l curve has this mean conductance at this length.

    conductance : <g>, e^2/h per spin (beta = 4: per Kramers pair)
    returns     : l, slices
    raises      : PhysicsError outside the curve's falling part, 0 < s <= 3 N
    """

    def excess(log_s: float) -> float:
        curve = mean_conductance(math.exp(log_s), channels=channels, mean_free_path=1.0, beta=beta)
        return float(curve) - conductance

    start, end = math.log(1e-9), math.log(LOCALIZED_END * channels)
    if not excess(end) <= 0.0 <= excess(start):
        raise PhysicsError(
            f"mean conductance {conductance!r} at length {length!r}: outside the one-l curve of {channels!r} channels, "
            f"which falls from {channels!r} to {excess(end) + conductance:.3g}; "
            "a mean free path can be read off only in between"
        )
    return float(length / math.exp(brentq(excess, start, end, xtol=1e-14, rtol=1e-14)))


def quasi_1d_variance(s: ArrayLike, *, beta: int) -> NDArray[np.float64] | np.float64:
    """Variance of the conductance of a wire much longer than wide, from ballistic to diffusive.

    var g = 2/(15 beta) [1 - (1+6s)/(1+s)^6]

    s       : (...) L/l
    returns : (...) float64, (e^2/h)^2 per spin (beta = 4: per Kramers pair)
    source  : Mello, PRL 60, 1089 (1988); Mello & Stone, PRB 44, 3559 (1991)
    """
    _check_class(beta)
    ratio = np.asarray(s, dtype=np.float64)
    return QUASI_1D_VARIANCE / beta * (1.0 - (1.0 + 6.0 * ratio) / (1.0 + ratio) ** 6)


def box_sum_variance(aspects: float | Sequence[float], *, periodic: bool = False, beta: int) -> float:
    """Variance of the conductance of a diffusive coherent box between wide leads (universal conductance fluctuations).

    var g = 12/(pi^4 beta) sum_{n_x >= 1} sum_{n_y, ...} [n_x^2 + (a_y n_y)^2 + ...]^-2, a = L/W

    Hard sides: n_y >= 0; periodic sides: n_y -> 2 n_y, over all integers. Nothing is truncated: lambda^-2 is the
    integral of t exp(-lambda t), in which each direction sums to a theta function.

    aspects : L/W, or (L/W_y, L/W_z) for a bar
    returns : (e^2/h)^2 per spin (beta = 4: per Kramers pair); 2/(15 beta) for L >> W
    raises  : PhysicsError for an aspect ratio that is not positive, or another symmetry class
    source  : Lee, Stone & Fukuyama, PRB 35, 1039 (1987)
    """
    _check_class(beta)
    ratios = tuple(float(ratio) for ratio in np.atleast_1d(aspects))
    if not all(ratio > 0.0 and math.isfinite(ratio) for ratio in ratios):
        raise PhysicsError(f"aspect ratio L/W = {aspects!r}: must be positive and finite")
    return 12.0 / (math.pi**4 * beta) * _box_integral(ratios, periodic)


def diffusive_fano_factor(s: float, *, conductance: float, beta: int) -> float:
    """Fano factor of a phase-coherent diffusive wire, as the ratio of ensemble means.

    F = (1/3) [1 - (1+s)^-3] + 4/(45 g) (beta = 1), + 0 (beta = 2), - 4/(45 g_spin_trace) (beta = 4)

    s           : L/l
    conductance : <g>, e^2/h per spin (beta = 4: per Kramers pair)
    source      : Beenakker & Buettiker, PRB 46, 1889 (1992); de Jong & Beenakker, PRB 46, 13400 (1992)
    """
    _check_class(beta)
    correction = {1: 4.0 / 45.0, 2: 0.0, 4: -2.0 / 45.0}[beta] / conductance
    return (1.0 - (1.0 + s) ** -3) / 3.0 + correction


@lru_cache(maxsize=1024)
def golden_rule_mean_free_path(
    width: int, *, energy: float, variance: float, periodic: bool = False, hopping: float = 1.0
) -> float:
    """Mean free path of a strip with weak uncorrelated onsite disorder, by the golden rule.

    1/l = (1/N) sum_mn sigma^2 sum_j chi_m(j)^2 chi_n(j)^2 / (v_m v_n), v = 2 t sin k, over the N open modes

    width    : M sites
    energy   : E, units of t
    variance : sigma^2 of an onsite energy, units of t^2 (W^2/12 for box disorder)
    returns  : l, slices; infinite without disorder
    raises   : PhysicsError where no mode is open
    source   : Fermi's golden rule summed over backward scattering, in the DMPK convention <g> = N/(1+L/l)
    """
    strip = clean_slices(Lattice("square", width, 1, (periodic, False)), hopping, 0.0, None, [0], 1)
    transverse, modes = np.linalg.eigh(strip.intra_slice(0)[0].real)
    squared_velocity = 4.0 * hopping**2 - (energy - transverse) ** 2
    is_open = squared_velocity > 0.0
    if not is_open.any():
        raise PhysicsError(
            f"energy: {energy!r}: no open mode in a strip {width} sites wide; use an energy inside the band, "
            f"nearer to 0 than {4.0 * hopping!r}"
        )
    density = modes[:, is_open] ** 2 @ (1.0 / np.sqrt(squared_velocity[is_open]))
    rate = variance * float(np.sum(density**2)) / int(is_open.sum())
    return 1.0 / rate if rate > 0.0 else math.inf


def localization_length(mean_free_path: float, *, channels: float, beta: int) -> float:
    """Localization length of the amplitude, <ln g> = -2 L / xi, of a weakly disordered wire.

    xi = (beta N + 2 - beta) l

    source : Beenakker, RMP 69, 731 (1997)
    """
    _check_class(beta)
    return (beta * channels + 2.0 - beta) * mean_free_path


def field_dephasing_length(flux: float, *, width: float) -> float:
    """Length over which a field destroys the interference of time-reversed paths in a diffusive wire.

    L_B = sqrt(3) l_m^2 / W, l_m^2 = 1/(2 pi flux)

    flux    : flux quanta h/e per plaquette
    width   : W, sites
    returns : slices; infinite without a field
    source  : Altshuler & Aronov, JETP Lett. 33, 499 (1981)
    """
    return math.inf if flux == 0.0 else math.sqrt(3.0) / (2.0 * math.pi * abs(flux) * width)


def symmetry_class(flux: float, *, width: float, length: float) -> int | None:
    """Dyson index of a spinless wire: 1 without field, 2 where it has fully broken time reversal, None in between.

    flux   : flux quanta h/e per plaquette; fully broken means L_B <= L/10
    width  : sites
    length : slices
    """
    if flux == 0.0:
        return 1
    return 2 if field_dephasing_length(flux, width=width) <= length / 10.0 else None


@lru_cache(maxsize=1024)
def _box_integral(ratios: tuple[float, ...], periodic: bool) -> float:
    """Sum of lambda^-2 over the modes of a box, as the integral of t exp(-lambda t) over log t."""

    def integrand(log_t: float) -> float:
        t = math.exp(log_t)
        product = t * t * (_theta(t) - 1.0) / 2.0
        for ratio in ratios:
            product *= _theta(4.0 * ratio**2 * t) if periodic else (_theta(ratio**2 * t) + 1.0) / 2.0
        return product

    # Beyond t = 50 exp(-t) is gone; the start lies where the power of t has sunk below rounding.
    start = -40.0 - 4.0 * max(0.0, math.log(max(ratios)))
    knots = sorted({start, *(min(0.0, -2.0 * math.log(ratio)) for ratio in ratios), 0.0, math.log(50.0)})
    return sum(
        quad(integrand, low, high, epsabs=1e-14, epsrel=1e-11, limit=400)[0] for low, high in itertools.pairwise(knots)
    )


def _theta(t: float) -> float:
    """Sum over all integers n of exp(-n^2 t), by whichever of the two Poisson-dual series converges at once."""
    if t >= math.pi:
        return 1.0 + 2.0 * sum(math.exp(-n * n * t) for n in range(1, _THETA_TERMS))
    dual = math.pi**2 / t
    return math.sqrt(math.pi / t) * (1.0 + 2.0 * sum(math.exp(-n * n * dual) for n in range(1, _THETA_TERMS)))


def _check_class(beta: int) -> None:
    if beta not in _CURVATURE:
        raise PhysicsError(f"symmetry class beta = {beta!r}: must be 1, 2 or 4")
