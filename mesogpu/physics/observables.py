"""Landauer observables of one sample from its transmission eigenvalues."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.errors import PhysicsError

BOUND = 1e-9
"""How far rounding may push a transmission eigenvalue out of [0, 1]."""


def conductance(transmissions: ArrayLike) -> NDArray[np.float64]:
    """Dimensionless conductance of each realization.

    g = sum_n T_n

    transmissions : (..., channels) float64, T_n in [0, 1], NaN-padded
    returns       : (...) float64, e^2/h (per spin in a spinless model); 0 without channels
    raises        : PhysicsError if a T_n leaves [0, 1] by more than 1e-9
    source        : Landauer, IBM J. Res. Dev. 1, 223 (1957); Fisher & Lee, PRB 23, 6851 (1981)
    """
    return np.asarray(np.nansum(_checked(transmissions), axis=-1))


def shot_noise(transmissions: ArrayLike) -> NDArray[np.float64]:
    """Zero-temperature shot-noise power of each realization, in units of 2 e V times the conductance unit.

    P = sum_n T_n (1 - T_n)

    transmissions : (..., channels) float64, T_n in [0, 1], NaN-padded
    returns       : (...) float64, dimensionless (per spin in a spinless model)
    raises        : PhysicsError if a T_n leaves [0, 1] by more than 1e-9
    source        : Buettiker, PRL 65, 2901 (1990)
    """
    checked = _checked(transmissions)
    return np.asarray(np.nansum(checked * (1.0 - checked), axis=-1))


def fano_factor(transmissions: ArrayLike) -> NDArray[np.float64]:
    """Zero-temperature Fano factor of each realization.

    F = sum_n T_n (1 - T_n) / sum_n T_n; tends to 1/3 in a long diffusive wire.

    transmissions : (..., channels) float64, T_n in [0, 1], NaN-padded
    returns       : (...) float64, dimensionless; NaN where nothing is transmitted
    raises        : PhysicsError if a T_n leaves [0, 1] by more than 1e-9
    source        : Beenakker & Buettiker, PRB 46, 1889 (1992)
    """
    transmitted = conductance(transmissions)
    noise = shot_noise(transmissions)
    return np.divide(noise, transmitted, out=np.full_like(noise, np.nan), where=transmitted > 0.0)


def _checked(transmissions: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(transmissions, dtype=np.float64)
    outside = (values < -BOUND) | (values > 1.0 + BOUND)
    if outside.any():
        first = tuple(int(index) for index in np.argwhere(outside)[0])
        raise PhysicsError(
            f"transmission eigenvalue {float(values[first])!r} at index {first}: outside [0, 1] by more than "
            f"{BOUND:.0e}; the sample is not unitary and must be computed again"
        )
    return values
