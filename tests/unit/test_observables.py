"""Landauer observables from transmission eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest

from mesogpu.errors import PhysicsError
from mesogpu.physics.observables import conductance, fano_factor, shot_noise

PADDED = np.array([[1.0, 0.5, 0.25], [0.5, np.nan, np.nan], [0.0, 0.0, np.nan], [np.nan] * 3])


def test_observables_sum_over_channels_and_ignore_padding():
    np.testing.assert_array_equal(conductance(PADDED), [1.75, 0.5, 0.0, 0.0])
    np.testing.assert_array_equal(shot_noise(PADDED), [0.4375, 0.25, 0.0, 0.0])


def test_fano_factor_is_not_a_number_where_nothing_is_transmitted():
    np.testing.assert_allclose(fano_factor(PADDED), [0.25, 0.5, np.nan, np.nan])


def test_fano_factor_is_one_third_for_the_diffusive_density():
    # T = 1/cosh^2(x), x uniform: Dorokhov's bimodal density.
    x = (np.arange(200_000) + 0.5) / 200_000 * 20.0
    assert fano_factor(1.0 / np.cosh(x) ** 2) == pytest.approx(1.0 / 3.0, abs=1e-6)


def test_shape_is_that_of_the_input_without_channels():
    assert conductance(np.zeros((2, 5, 4))).shape == (2, 5)
    assert shot_noise(np.zeros((0, 3))).shape == (0,)
    assert conductance(np.zeros((2, 0))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [-2e-9, 1.0 + 2e-9])
@pytest.mark.parametrize("observable", [conductance, shot_noise, fano_factor])
def test_transmissions_outside_their_range_are_refused_and_located(observable, value):
    # Fault seen to fail it: clipping instead of refusing.
    with pytest.raises(PhysicsError, match=r"index \(0, 1\)"):
        observable([[0.5, value]])


def test_rounding_is_accepted():
    assert conductance([1.0 + 1e-10, -1e-10]) == pytest.approx(1.0)
