"""Closed forms of weak localization in a magnetic field: wires, and films with spin-orbit coupling."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from mesogpu.physics.closed_forms import field_dephasing_length

_SERIES = 1e-2
_DIGAMMA_SERIES = 300.0


def wire_correction(
    length: float, flux: ArrayLike, *, width: float, dephasing_length: float = math.inf
) -> NDArray[np.float64]:
    """Weak-localization correction of a diffusive wire of any length, in a field.

    dg = -[x coth(1/x) - x^2], x = L_c/L, 1/L_c^2 = 1/L_phi^2 + 1/L_B^2, L_B = sqrt(3) l_m^2/W; -1/3 for L_c >> L

    length           : L, slices
    flux             : (...) flux quanta h/e per plaquette
    width            : W, sites
    dephasing_length : L_phi, slices; infinite in a coherent wire
    returns          : (...) float64, e^2/h per spin
    source           : the Cooperon of a wire between two reservoirs; Altshuler & Aronov, JETP Lett. 33, 499 (1981)
    """
    rates = np.vectorize(lambda phi: field_dephasing_length(float(phi), width=width) ** -2.0, otypes=[float])(flux)
    # y = L/L_c; the series avoids the cancellation of 1/y^2.
    y = length * np.sqrt(rates + dephasing_length**-2.0)
    small = np.minimum(y, _SERIES)
    large = np.maximum(y, _SERIES)
    series = -1.0 / 3.0 + small**2 / 45.0 - 2.0 * small**4 / 945.0
    return np.asarray(np.where(y < _SERIES, series, -(1.0 / (large * np.tanh(large)) - 1.0 / large**2)))


def hikami_larkin_nagaoka(
    flux: ArrayLike,
    *,
    elastic_length: float,
    dephasing_length: float,
    spin_orbit_length: float = math.inf,
    magnetic_length: float = math.inf,
) -> NDArray[np.float64]:
    """Change of a film's conductivity by a perpendicular field, with all spin-orbit and magnetic scattering.

    ds = -(1/pi) [f(B_1/B) - (3/2) f(B_2/B) + (1/2) f(B_3/B)], f(b) = psi(1/2 + b) - ln b,
    B_1 = B_e + B_so + B_s, B_2 = B_i + (4/3) B_so + (2/3) B_s, B_3 = B_i + 2 B_s,
    B_x = hbar/(4 e L_x^2), L_x^2 = D tau_x

    flux              : (...) flux quanta h/e per plaquette; B_x = 1/(8 pi L_x^2) in this unit
    elastic_length    : sites; l/sqrt(2) of a mean free path l in two dimensions
    dephasing_length  : L_i or L_phi, sites; spin_orbit_length and magnetic_length likewise
    returns           : (...) float64, e^2/h, the sum over both spins; even in the field and 0 without one
    source            : Hikami, Larkin & Nagaoka, Prog. Theor. Phys. 63, 707 (1980); Bergmann, Phys. Rep. 107, 1 (1984)
    """
    elastic, dephasing, spin_orbit, magnetic = (
        1.0 / (8.0 * math.pi * value**2)
        for value in (elastic_length, dephasing_length, spin_orbit_length, magnetic_length)
    )
    field = np.abs(np.asarray(flux, dtype=np.float64))
    first = _excess(elastic + spin_orbit + magnetic, field)
    triplet = _excess(dephasing + 4.0 / 3.0 * spin_orbit + 2.0 / 3.0 * magnetic, field)
    singlet = _excess(dephasing + 2.0 * magnetic, field)
    return np.asarray(-(first - 1.5 * triplet + 0.5 * singlet) / math.pi)


def _excess(scale: float, field: NDArray[np.float64]) -> NDArray[np.float64]:
    """f(b) = psi(1/2 + b) - ln b at b = scale/field; 1/(24 b^2) - 7/(960 b^4) where b is large."""
    inverse = field / scale
    large = 1.0 / np.maximum(inverse, 1.0 / _DIGAMMA_SERIES)
    series = inverse**2 / 24.0 - 7.0 / 960.0 * inverse**4
    return np.where(inverse < 1.0 / _DIGAMMA_SERIES, series, digamma(0.5 + large) - np.log(large))
