"""The functions that host, CUDA and NumPy share, against many digits."""

from __future__ import annotations

import numpy as np
import pytest

from mesogpu.physics.elementary import cosine_and_sine_of_turns, natural_logarithm

mpmath = pytest.importorskip("mpmath")
GENERATOR = np.random.default_rng(8)
ARGUMENTS = np.concatenate(
    [
        GENERATOR.random(1500),
        1.0 - GENERATOR.random(300) * 1e-9,
        10.0 ** -GENERATOR.uniform(1.0, 16.0, 300),
        [0.25, 0.5, 0.75],
    ]
)


def units_in_the_last_place(values: np.ndarray, function) -> float:
    with mpmath.workdps(40):
        exact = np.array([float(function(mpmath.mpf(float(a)))) for a in ARGUMENTS])
    return float(np.max(np.abs(values - exact) / np.maximum(np.spacing(np.abs(exact)), 1e-33)))


def test_logarithms_are_within_two_units_in_the_last_place():
    # Seen to fail with one term of the series fewer.
    assert units_in_the_last_place(natural_logarithm(ARGUMENTS), mpmath.log) <= 2.0


def test_cosines_and_sines_are_within_two_units_in_the_last_place():
    # Seen to fail with the quarters miscounted from three quarters of a turn on.
    cosine, sine = cosine_and_sine_of_turns(ARGUMENTS)
    assert units_in_the_last_place(cosine, lambda a: mpmath.cospi(2 * a)) <= 2.0
    assert units_in_the_last_place(sine, lambda a: mpmath.sinpi(2 * a)) <= 2.0
