"""Laws of chaotic cavities against random matrices and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import unitary_group

from mesogpu.errors import PhysicsError
from mesogpu.physics.cavities import (
    cavity_conductance,
    cavity_density,
    cavity_fano_factor,
    cavity_variance,
    single_channel_density,
)

DRAWS = 20_000


def transmissions(first, second, beta):
    """Eigenvalues of t t^dagger of Haar-random unitary matrices U, of U U^T for beta = 1."""
    matrices = unitary_group.rvs(first + second, size=DRAWS, random_state=np.random.default_rng(1))
    if beta == 1:
        matrices = matrices @ matrices.transpose(0, 2, 1)
    return np.linalg.svd(matrices[:, first:, :first], compute_uv=False) ** 2


@pytest.mark.parametrize("beta", [1, 2])
@pytest.mark.parametrize("leads", [(1, 1), (2, 2), (2, 4)])
def test_random_matrices_follow_the_laws(leads, beta):
    # Fault seen to fail it: N - 1 + 2/beta for N - 1 + 4/beta in the variance.
    t = transmissions(*leads, beta)
    g, noise = t.sum(1), (t * (1 - t)).sum(1)
    assert g.mean() == pytest.approx(cavity_conductance(*leads, beta=beta), abs=4 * g.std() / DRAWS**0.5)
    spread = np.std((g - g.mean()) ** 2) / DRAWS**0.5
    assert g.var() == pytest.approx(cavity_variance(*leads, beta=beta), abs=4 * spread)
    fano = cavity_fano_factor(*leads, beta=beta)
    assert (noise - fano * g).mean() == pytest.approx(0.0, abs=4 * np.std(noise - fano * g) / DRAWS**0.5)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_one_channel_is_its_own_density_and_many_are_universal(beta):
    def moment(power):
        # T = u^2 takes the square root out of beta = 1.
        return quad(lambda u: 2 * u ** (2 * power + 1) * single_channel_density(u * u, beta=beta), 1e-12, 1)[0]

    assert moment(0) == pytest.approx(1.0, abs=1e-9)
    assert moment(1) == pytest.approx(cavity_conductance(1, 1, beta=beta))
    assert moment(2) - moment(1) ** 2 == pytest.approx(cavity_variance(1, 1, beta=beta))
    assert 1 - moment(2) / moment(1) == pytest.approx(cavity_fano_factor(1, 1, beta=beta))
    assert cavity_variance(10**6, 10**6, beta=beta) == pytest.approx(1 / (8 * beta), rel=1e-5)
    assert cavity_fano_factor(10**6, 10**6, beta=beta) == pytest.approx(0.25, rel=1e-5)


def test_the_bimodal_density_has_the_mean_and_noise_of_a_cavity():
    def moment(power):
        return quad(lambda a: cavity_density(np.sin(a) ** 2) * np.sin(a) ** (2 * power) * np.sin(2 * a), 0, np.pi / 2)[
            0
        ]

    assert [moment(0), moment(1), moment(1) - moment(2)] == pytest.approx([1.0, 0.5, 0.125])


def test_a_cavity_without_channels_is_refused():
    with pytest.raises(PhysicsError, match="one or more"):
        cavity_variance(0, 2, beta=1)
    with pytest.raises(PhysicsError, match="beta = 3"):
        cavity_conductance(1, 2, beta=3)
