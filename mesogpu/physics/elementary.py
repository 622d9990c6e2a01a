"""Logarithm, sine and cosine as the kernels compute them, operation for operation, so that all potentials agree.

Libraries differ in the last bits of these; plain sums and products, in a fixed order, do not. Each is within 2 units in
the last place of the exact value; kernels/elementary.cuh is the twin.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LOGARITHM_TERMS = 12
SINE_TERMS = 10

Floats = NDArray[np.float64]


def natural_logarithm(a: Floats) -> Floats:
    """ln a for positive normal numbers: 2 artanh((m - 1) / (m + 1)) + e ln 2, a = 2^e m, m in [sqrt(1/2), sqrt 2)."""
    mantissa, exponent = np.frexp(a)
    low = mantissa < math.sqrt(0.5)
    mantissa = np.where(low, 2.0 * mantissa, mantissa)
    exponent = np.where(low, exponent - 1, exponent).astype(np.float64)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.full_like(square, 1.0 / (2 * LOGARITHM_TERMS - 1))
    for k in range(LOGARITHM_TERMS - 2, 0, -1):
        series = series * square + 1.0 / (2 * k + 1)
    return np.asarray(exponent * math.log(2.0) + (2.0 * ratio + 2.0 * ratio * (square * series)))


def cosine_and_sine_of_turns(a: Floats) -> tuple[Floats, Floats]:
    """cos(2 pi a) and sin(2 pi a), by their series within an eighth of a turn of the nearest quarter."""
    quarter = np.floor(4.0 * a + 0.5)
    angle = (a - 0.25 * quarter) * (2.0 * math.pi)
    square = angle * angle
    sine = np.full_like(square, 1.0)
    cosine = np.full_like(square, 1.0)
    for k in range(SINE_TERMS, 0, -1):
        sine = 1.0 - sine * (square * (1.0 / ((2 * k) * (2 * k + 1))))
        cosine = 1.0 - cosine * (square * (1.0 / ((2 * k - 1) * (2 * k))))
    sine = sine * angle
    odd = quarter - 2.0 * np.floor(0.5 * quarter) != 0.0
    half = np.floor(0.5 * quarter)
    back = half - 2.0 * np.floor(0.5 * half) != 0.0
    along, across = np.where(odd, -sine, cosine), np.where(odd, cosine, sine)
    return np.where(back, -along, along), np.where(back, -across, across)
