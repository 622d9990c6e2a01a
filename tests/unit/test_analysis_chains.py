"""Closed forms of chains stand beside the chains they hold for and no others, and hold there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mesogpu.analysis.chains import WEAK, chain_theory
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, MagneticImpurity, Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.one_dimension import band_centre_exponent, band_edge_exponent, lloyd_exponent
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System

SIGMA = WEAK**0.5


def chain(*laws, energy=0.5, hopping=1.0, **changes):
    system = System(
        lattice=Lattice("chain", 1),
        hopping=hopping,
        flux=0.0,
        energy=energy,
        lead_potential=0.0,
        lead_flux=True,
        laws=laws,
    )
    return replace(system, **changes)


def theory(*laws, **arguments):
    return chain_theory(chain(*laws, **arguments)).get("lyapunov_exponent")


@pytest.mark.parametrize("energy", [0.0, 0.3, -1.7, 2.0, 5.0])
def test_lloyds_form_stands_at_any_strength_and_energy(energy):
    for width in (0.01, 1.0, 20.0):
        found = theory(Cauchy(width), energy=energy)
        assert found["value"] == pytest.approx(lloyd_exponent(energy, width))
        assert found["model_error"] == 0.0
        assert "exact" in found["source"]


@pytest.mark.parametrize(
    ("energy", "expected", "source"),
    [
        (0.5, 0.25 / 90.0, "Thouless"),
        (-1.0, 0.25 / 72.0, "Thouless"),
        (0.0, 0.25 / 105.0449, "Kappus"),
        (2.0, band_edge_exponent(0.25 / 12.0), "Derrida"),
        (-2.0, band_edge_exponent(0.25 / 12.0), "Derrida"),
    ],
)
def test_weak_disorder_has_the_form_of_its_energy(energy, expected, source):
    # Fault seen to fail it: plain perturbation theory at the band centre.
    found = theory(Uniform(0.5), energy=energy)
    assert found["value"] == pytest.approx(expected, rel=1e-5)
    assert found["model_error"] == pytest.approx((0.02 if abs(energy) == 2.0 else 0.01) * found["value"])
    assert source in found["source"]


def test_model_errors_fall_with_the_disorder():
    assert theory(Uniform(0.3))["model_error"] == pytest.approx(0.0036 * theory(Uniform(0.3))["value"])
    assert theory(Uniform(0.01))["model_error"] == pytest.approx(0.002 * theory(Uniform(0.01))["value"])
    edge = theory(Gaussian(SIGMA / 8.0), energy=2.0)
    assert edge["model_error"] == pytest.approx(0.005 * edge["value"])


@pytest.mark.parametrize("laws", [(Gaussian(SIGMA),), (Binary((-SIGMA, SIGMA), 0.5),), (Uniform(0.5), Uniform(0.0))])
def test_symmetric_laws_of_one_variance_have_one_exponent(laws):
    assert theory(*laws)["value"] == pytest.approx(theory(Uniform(0.5))["value"])


def test_energies_and_disorder_count_in_units_of_the_hopping():
    # Fault seen to fail it: the variance not divided by t^2.
    for law, larger in ((Uniform(0.4), Uniform(1.0)), (Cauchy(0.4), Cauchy(1.0))):
        assert theory(larger, energy=1.25, hopping=2.5)["value"] == pytest.approx(theory(law, energy=0.5)["value"])


NOTHING = {
    "strong": chain(Uniform(0.51)),
    "between centre and bulk": chain(Uniform(0.5), energy=0.2),
    "towards the edge": chain(Uniform(0.5), energy=1.1),
    "outside the band": chain(Uniform(0.1), energy=2.1),
    "two laws": chain(Uniform(0.1), Gaussian(0.1)),
    "two Cauchy laws": chain(Cauchy(0.1), Uniform(0.1)),
    "skewed": chain(Binary((-0.01, 0.03), 0.25)),
    "of non-zero mean": chain(Binary((0.0, 0.1), 0.5)),
    "correlated": chain(Gaussian(0.1, 2.0)),
    "on bonds": chain(Uniform(0.1, on="bonds")),
    "Cauchy on bonds": chain(Cauchy(0.1, on="bonds")),
    "clean": chain(Uniform(0.0)),
    "empty": chain(),
    "spins": chain(MagneticImpurity(0.1)),
    "spinful": chain(Uniform(0.1), spin_orbit=SpinOrbit("su2", 1.0)),
    "field on spins": chain(Uniform(0.1), zeeman=(0.0, 0.0, 0.1)),
    "strip": chain(Uniform(0.1), lattice=Lattice("square", 2)),
}


@pytest.mark.parametrize("case", NOTHING, ids=lambda name: name.replace(" ", "-"))
def test_nothing_is_claimed_for(case):
    assert chain_theory(NOTHING[case]) == {}


def test_a_square_strip_of_one_site_is_a_chain():
    strip = chain(Cauchy(1.0), lattice=Lattice("square", 1))
    assert chain_theory(strip) == chain_theory(chain(Cauchy(1.0)))


def iterated_exponent(energy, draw, *, steps, warmup, chains=20_000, seed=1):
    """Exponent and standard error from the ratio of neighbouring amplitudes: r -> E - V - 1/r, gamma = <ln |r|>."""
    generator = np.random.default_rng(seed)
    ratio, total = generator.standard_cauchy(chains), np.zeros(chains)
    for step in range(warmup + steps):
        ratio = energy - draw(generator, chains) - 1.0 / ratio
        if step >= warmup:
            total += np.log(np.abs(ratio))
    return total.mean() / steps, total.std(ddof=1) / steps / chains**0.5


@pytest.mark.parametrize(("energy", "steps"), [(0.0, 4000), (0.5, 4000), (2.0, 1000)])
def test_the_forms_hold_within_their_model_errors(energy, steps):
    # Faults seen to fail it: half the variance; the plain form at the band centre.
    found = theory(Uniform(0.5), energy=energy)
    value, error = iterated_exponent(
        energy, lambda generator, n: 0.5 * (generator.random(n) - 0.5), steps=steps, warmup=steps // 2
    )
    assert error < 0.006 * value
    assert abs(value - found["value"]) < 3.0 * np.hypot(error, found["model_error"])


def test_lloyds_form_is_exact():
    found = theory(Cauchy(1.0))
    value, error = iterated_exponent(0.5, lambda generator, n: generator.standard_cauchy(n), steps=400, warmup=50)
    assert error < 1e-3 * value
    assert abs(value - found["value"]) < 3.0 * error


def test_the_centre_and_the_bulk_differ_by_more_than_their_errors():
    bulk = WEAK / 8.0
    assert abs(bulk - band_centre_exponent(WEAK)) > 6.0 * theory(Uniform(0.5), energy=0.0)["model_error"]
