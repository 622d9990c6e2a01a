"""Spins are uniform on the sphere, SU(2) bonds uniform on the group, and quaternions stand for their matrices."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from mesogpu.physics.disorder import MagneticImpurity
from mesogpu.physics.philox import philox4x32
from mesogpu.physics.spin import SpinOrbit, X, Y, field_matrices, matrices, unit_vectors

COUNT = 100_000
WORDS = philox4x32((np.arange(COUNT), 3, 1, 4), (5, 9))
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
ROTATIONS = SpinOrbit("su2", 1.0).drawn_bonds(WORDS)


def worst_distance(values: np.ndarray, exact: float) -> float:
    """Largest |mean - exact| in standard errors, over all but the first axis."""
    return float(np.max(np.abs(values.mean(axis=0) - exact) / (values.std(axis=0) / math.sqrt(len(values)))))


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The quaternion of the product of two matrices q0 + i q.sigma."""
    scalar = a[..., :1] * b[..., :1] - np.sum(a[..., 1:] * b[..., 1:], axis=-1, keepdims=True)
    vector = a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:] - np.cross(a[..., 1:], b[..., 1:])
    return np.concatenate([scalar, vector], axis=-1)


def test_a_quaternion_is_the_matrix_of_its_pauli_sum():
    # Seen to fail with the sign of sigma_y.
    for k, q in enumerate(np.eye(4)):
        expected = np.eye(2) if k == 0 else 1j * PAULI[k - 1]
        np.testing.assert_array_equal(matrices(q), expected)
    a, b = ROTATIONS[:50], ROTATIONS[50:100]
    np.testing.assert_allclose(matrices(a) @ matrices(b), matrices(product(a, b)), atol=1e-15)


def test_a_field_is_its_zeeman_energy():
    fields = np.random.default_rng(1).normal(size=(20, 3))
    np.testing.assert_allclose(field_matrices(fields), np.einsum("nk,kab->nab", fields, PAULI), atol=1e-15)


def test_random_rotations_are_unitary_with_determinant_one():
    rotations = matrices(ROTATIONS[:1000])
    squared = rotations @ np.conj(np.swapaxes(rotations, -1, -2))
    assert np.abs(squared - np.eye(2)).max() < 1e-15
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-15)


@pytest.mark.parametrize(("power", "exact"), [(1, 0.0), (2, 1 / 4), (3, 0.0), (4, 1 / 8), (6, 5 / 64)])
def test_components_of_random_rotations_have_the_moments_of_the_sphere(power, exact):
    # Four standard errors. Seen to fail with sqrt(u) replaced by u, and with the half turn 2 pi u replaced by pi u.
    assert worst_distance(ROTATIONS**power, exact) < 4.0


def test_products_of_components_of_random_rotations_have_the_moments_of_the_sphere():
    pairs = list(itertools.combinations(range(4), 2))
    first, second = (ROTATIONS[:, [pair[k] for pair in pairs]] for k in (0, 1))
    assert worst_distance(first * second, 0.0) < 4.0
    assert worst_distance(first**2 * second**2, 1 / 24) < 4.0


def test_random_rotations_are_invariant_under_any_rotation():
    # Haar's measure: g U has the law of U. Each component's is the semicircle's, 2/pi sqrt(1 - q^2).
    turned = product(np.array([0.1, 0.5, -0.7, math.sqrt(1 - 0.75)]), ROTATIONS)
    for component in (*ROTATIONS.T, *turned.T):
        assert scipy.stats.kstest(component, scipy.stats.semicircular.cdf).pvalue > 1e-4


def test_evangelou_and_ziman_bonds_fill_a_cube():
    # Seen to fail with V in [-1, 1]^3.
    quaternions = SpinOrbit("evangelou-ziman", 0.6).drawn_bonds(WORDS)
    assert np.all(quaternions[:, 0] == 1.0)
    vectors = quaternions[:, 1:] / 0.6
    assert np.abs(vectors).max() < 0.5
    for power, exact in ((1, 0.0), (2, 1 / 12), (4, 1 / 80)):
        assert worst_distance(vectors**power, exact) < 4.0
    correlations = np.corrcoef(vectors.T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 4.0 / math.sqrt(COUNT)


@pytest.mark.parametrize(("power", "exact"), [(1, 0.0), (2, 1 / 3), (3, 0.0), (4, 1 / 5)])
def test_spins_are_uniform_on_the_sphere(power, exact):
    # Seen to fail with a uniform polar angle in place of a uniform height.
    directions = unit_vectors(WORDS).reshape(-1, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, atol=1e-15)
    assert worst_distance(directions**power, exact) < 4.0
    assert worst_distance(directions**2 * np.roll(directions, 1, axis=1) ** 2, 1 / 15) < 4.0


def test_both_spins_of_a_cell_are_independent():
    first, second = np.moveaxis(unit_vectors(WORDS), 1, 0)
    assert worst_distance(first[:, :, None] * second[:, None, :], 0.0) < 4.0


def test_an_exchange_energy_scales_the_spins():
    np.testing.assert_allclose(MagneticImpurity(0.7).drawn(WORDS[:30]), 0.7 * unit_vectors(WORDS[:30]), atol=1e-16)


@pytest.mark.parametrize("hopping", [1.0, 2.0])
def test_uniform_couplings_are_those_of_the_conventions(hopping):
    # Seen to fail with the sign along y, and with Rashba's strength not divided by the hopping.
    strength = 0.3
    rashba, ando = SpinOrbit("rashba", strength), SpinOrbit("ando", strength)
    plain, turning = hopping * math.cos(strength), hopping * math.sin(strength)
    for coupling, diagonal, spin in ((rashba, hopping, strength), (ando, plain, turning)):
        along, across = (-hopping * matrices(coupling.uniform_bond(k, hopping)) for k in (X, Y))
        np.testing.assert_allclose(along, -diagonal * np.eye(2) - 1j * spin * PAULI[1], atol=1e-15)
        np.testing.assert_allclose(across, -diagonal * np.eye(2) + 1j * spin * PAULI[0], atol=1e-15)


def test_only_random_couplings_are_random():
    kinds = ("rashba", "ando", "su2", "evangelou-ziman")
    assert [SpinOrbit(kind, 1.0).random for kind in kinds] == [False, False, True, True]
