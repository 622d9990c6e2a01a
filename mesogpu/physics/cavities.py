"""Closed forms of a chaotic cavity between two ballistic leads: a random S-matrix of Dyson's circular ensembles.

N_1 and N_2 channels in the leads, N = N_1 + N_2. At beta = 4 channels count Kramers pairs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.errors import PhysicsError


def cavity_conductance(first: int, second: int, *, beta: int) -> float:
    """Mean conductance of a chaotic cavity, e^2/h per spin (beta = 4: per Kramers pair).

    <g> = N_1 N_2 / (N - 1 + 2/beta)

    raises : PhysicsError for no channels, or another symmetry class than 1, 2, 4
    source : Baranger & Mello, PRL 73, 142 (1994); Jalabert, Pichard & Beenakker, Europhys. Lett. 27, 255 (1994)
    """
    _check(first, second, beta)
    return first * second / (first + second - 1.0 + 2.0 / beta)


def cavity_variance(first: int, second: int, *, beta: int) -> float:
    """Variance of the conductance of a chaotic cavity; 1/(8 beta) for many channels, as many in either lead.

    var g = 2 N_1 N_2 (N_1 - 1 + 2/beta)(N_2 - 1 + 2/beta)
            / [beta (N - 2 + 2/beta)(N - 1 + 2/beta)^2 (N - 1 + 4/beta)]

    raises : as `cavity_conductance`
    source : Baranger & Mello, PRL 73, 142 (1994); Savin & Sommers, PRB 73, 081307 (2006)
    """
    _check(first, second, beta)
    total, b = first + second, 2.0 / beta
    above = b * first * second * (first - 1.0 + b) * (second - 1.0 + b)
    return above / ((total - 2.0 + b) * (total - 1.0 + b) ** 2 * (total - 1.0 + 2.0 * b))


def cavity_fano_factor(first: int, second: int, *, beta: int) -> float:
    """Fano factor of a chaotic cavity, as the ratio of ensemble means; N_1 N_2/N^2 for many channels.

    F = (N_1 - 1 + 2/beta)(N_2 - 1 + 2/beta) / [(N - 2 + 2/beta)(N - 1 + 4/beta)]

    raises : as `cavity_conductance`
    source : Savin & Sommers, PRB 73, 081307 (2006)
    """
    _check(first, second, beta)
    total, b = first + second, 2.0 / beta
    return (first - 1.0 + b) * (second - 1.0 + b) / ((total - 2.0 + b) * (total - 1.0 + 2.0 * b))


def cavity_density(transmission: ArrayLike) -> NDArray[np.float64]:
    """Probability density of a transmission eigenvalue of a cavity with many channels, as many in either lead.

    1/(pi sqrt(T (1 - T)))

    transmission : (...) in (0, 1)
    source       : Baranger & Mello, PRL 73, 142 (1994)
    """
    t = np.asarray(transmission, dtype=np.float64)
    return np.asarray(1.0 / (math.pi * np.sqrt(t * (1.0 - t))))


def single_channel_density(transmission: ArrayLike, *, beta: int) -> NDArray[np.float64]:
    """Probability density of the transmission of a cavity with one channel in either lead.

    (beta/2) T^(beta/2 - 1)

    transmission : (...) in (0, 1]
    source       : as `cavity_conductance`
    """
    _check(1, 1, beta)
    return np.asarray(0.5 * beta * np.asarray(transmission, dtype=np.float64) ** (0.5 * beta - 1.0))


def _check(first: int, second: int, beta: int) -> None:
    if first < 1 or second < 1:
        raise PhysicsError(f"cavity with {first!r} and {second!r} channels: each lead needs one or more")
    if beta not in (1, 2, 4):
        raise PhysicsError(f"symmetry class beta = {beta!r}: must be 1, 2 or 4")
