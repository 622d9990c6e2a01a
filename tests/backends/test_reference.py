"""The oracle against Kwant, closed forms, and itself in other guises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from strips import block, strip

from mesogpu.backends.reference import backend as reference
from mesogpu.backends.reference import direct
from mesogpu.backends.reference.backend import ReferenceBackend
from mesogpu.backends.reference.recursion import scatter
from mesogpu.physics.disorder import Uniform
from mesogpu.physics.systems import System
from mesogpu.plan import Status

CASES = json.loads((Path(__file__).parents[1] / "data" / "kwant_square_cases.json").read_text())["cases"]


def only(system: System, lengths: tuple[int, ...], first: int = 0, count: int = 16):
    (result,) = ReferenceBackend().run([block(system, lengths, first, count)])
    return result


def eigenvalues(system: System, potential: np.ndarray) -> np.ndarray:
    (scattering,) = scatter(system, potential[None], (len(potential),))
    return reference._observables(scattering, True)["transmission_eigenvalues"][0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"kwant-{case['seed']}")
def test_every_transmission_eigenvalue_is_kwants(case):
    # Seen to fail with V^dagger in the place of V in the recursion, and with lead 1 attached one slice late.
    potential = np.array(case["onsite"])
    parameters = case["params"]
    system = strip(
        potential.shape[1],
        energy=case["E"],
        periodic=parameters.get("periodic_y", False),
        flux=parameters.get("flux", 0.0),
        lead_flux=parameters.get("leads_field", True),
    )
    computed = eigenvalues(system, potential)
    assert len(computed) == case["n_modes"][0]
    np.testing.assert_allclose(computed, case["eigenvalues"], rtol=0, atol=1e-9)
    amplitudes, exponent = direct.transmission_amplitudes(system, potential)
    squared = np.linalg.svd(np.ldexp(amplitudes.view(np.float64), exponent).view(np.complex128), compute_uv=False) ** 2
    np.testing.assert_allclose(squared, case["eigenvalues"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("width", [1, 2, 5, 12])
@pytest.mark.parametrize("flux", [0.0, 0.013])
def test_a_clean_strip_transmits_every_channel(width, flux):
    # Seen to fail with the lead's coupling scaled by the velocity instead of its root.
    system = strip(width, laws=(), flux=flux)
    result = only(system, (1, 7, 40), count=2)
    np.testing.assert_allclose(result.arrays["conductance"], system.channels(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(result.arrays["shot_noise"], 0.0, atol=1e-10)


def test_the_number_of_channels_is_the_number_of_open_modes():
    for width in (1, 7, 30):
        transverse = -2.0 * np.cos(np.pi * np.arange(1, width + 1) / (width + 1))
        for energy in (-3.3, -0.7, 0.8, 2.9):
            assert strip(width, energy=energy).channels() == np.sum(np.abs(energy - transverse) < 2.0)


def test_each_length_of_one_pass_is_the_sample_cut_there():
    # Seen to fail with lead 1 attached one slice late.
    system = strip(flux=0.02)
    together = only(system, (3, 10, 25))
    for position, length in enumerate((3, 10, 25)):
        alone = only(system, (length,))
        np.testing.assert_allclose(
            together.arrays["log_conductance"][position], alone.arrays["log_conductance"][0], rtol=1e-12, atol=1e-12
        )


def test_the_split_into_batches_changes_no_byte(monkeypatch):
    # Seen to fail with the power of two taken from the batch's maximum instead of each sample's own.
    system = strip(9, flux=0.01)
    whole = only(system, (5, 31), count=64)
    monkeypatch.setattr(reference, "CACHE_BYTES", 1)
    one_by_one = only(system, (5, 31), count=64)
    part = only(system, (5, 31), first=24, count=8)
    for name, array in whole.arrays.items():
        assert array.tobytes() == one_by_one.arrays[name].tobytes()
        assert array[:, 24:32].tobytes() == part.arrays[name].tobytes()


@pytest.mark.parametrize("flux", [0.0, 0.03])
def test_recursion_and_direct_solution_agree_where_transmission_is_exponentially_small(flux):
    # Seen to fail with the exponent doubled once too often.
    result = only(strip(4, flux=flux, laws=(Uniform(12.0),)), (10, 60, 300), count=8)
    assert result.arrays["log_conductance"].min() < -300
    assert np.all(result.audit < 1e-8)
    assert np.all(result.arrays["status"] <= Status.ORACLE)


def test_an_exponentially_small_transmission_keeps_its_logarithm():
    result = only(strip(1, laws=(Uniform(20.0),)), (1000,), count=4)
    logarithms = result.arrays["log_conductance"][0]
    assert np.all((logarithms < -2500) & np.isfinite(logarithms))
    assert np.all(result.arrays["conductance"] == 0.0)
    assert np.all(result.arrays["status"] == Status.CERTIFIED)


def test_a_chain_agrees_with_fifty_digit_transfer_matrices():
    # Seen to fail with lead 1's self-energy left out of the last slice.
    mpmath = pytest.importorskip("mpmath")
    system = strip(1, laws=(Uniform(3.0),), energy=0.3)
    lengths = (50, 200, 1000)
    result = only(system, lengths, count=2)
    potential = system.onsite(seed=7, realizations=[0, 1], slices=range(lengths[-1]), point=0)[..., 0]
    with mpmath.workdps(50):
        energy = mpmath.mpf(0.3)
        momentum = mpmath.acos(-energy / 2)
        for realization in range(2):
            # From the far side, psi = e^{ikx}: step towards lead 0 and read off the incoming amplitude there.
            for position, length in enumerate(lengths):
                ahead, here = mpmath.expj(momentum), mpmath.mpc(1)
                for x in range(length - 1, -1, -1):
                    ahead, here = here, (float(potential[realization, x]) - energy) * here - ahead
                forward = mpmath.expj(momentum)
                incoming = (ahead * forward - here) / (forward - 1 / forward)
                exact = -2 * mpmath.log(abs(incoming))
                assert result.arrays["log_conductance"][position, realization] == pytest.approx(float(exact), abs=1e-9)


@pytest.mark.parametrize("flux", [0.0, 0.021])
@pytest.mark.parametrize("lead_flux", [True, False])
def test_unitarity_holds_for_any_disorder(flux, lead_flux):
    for width in (0.0, 1.0, 8.0, 1e6):
        system = strip(7, flux=flux, lead_flux=lead_flux, laws=(Uniform(width),))
        potential = system.onsite(seed=3, realizations=range(10), slices=range(30), point=0)
        for scattering in scatter(system, potential, (1, 12, 30)):
            assert np.max(reference._observables(scattering, False)["defect"]) < 1e-10


def test_reversing_the_field_changes_no_transmission_eigenvalue():
    forward, backward = only(strip(flux=0.04), (20,)), only(strip(flux=-0.04), (20,))
    np.testing.assert_allclose(
        forward.arrays["transmission_eigenvalues"], backward.arrays["transmission_eigenvalues"], rtol=0, atol=1e-10
    )


def test_turning_a_threaded_cylinder_changes_nothing():
    # A turn moves the gauge's origin. Seen to fail with the phase growing as y (y + 1) / 2.
    system = strip(6, periodic=True, flux=1.0 / 6.0)
    potential = system.onsite(seed=9, realizations=[0], slices=range(14), point=0)[0]
    for turn in (1, 4):
        np.testing.assert_allclose(
            eigenvalues(system, np.roll(potential, turn, axis=1)), eigenvalues(system, potential), rtol=0, atol=1e-10
        )


@pytest.mark.parametrize("lead_flux", [True, False])
def test_a_mirror_image_in_the_opposite_field_transmits_the_same(lead_flux):
    # Seen to fail with the phase growing as y (y + 1) / 2.
    system = strip(6, flux=0.043, lead_flux=lead_flux)
    potential = system.onsite(seed=9, realizations=[0], slices=range(14), point=0)[0]
    mirrored = eigenvalues(replace(system, flux=-0.043), potential[:, ::-1])
    np.testing.assert_allclose(mirrored, eigenvalues(system, potential), rtol=0, atol=1e-10)


def test_energies_scale_with_the_hopping():
    scaled = strip(hopping=2.5, energy=1.25, laws=(Uniform(5.0),))
    np.testing.assert_allclose(
        only(scaled, (15,)).arrays["conductance"], only(strip(), (15,)).arrays["conductance"], rtol=1e-11
    )


def test_a_lead_potential_shifts_the_energy_of_the_leads():
    system = strip(laws=(), energy=0.0, lead_potential=-3.0)
    assert system.channels() == strip(energy=3.0).channels()
    system = strip(flux=0.01, laws=(), energy=0.1, lead_potential=0.7)
    assert system.channels() == strip(energy=-0.6, flux=0.01).channels()


def test_without_an_open_channel_nothing_is_transmitted_and_the_status_says_why():
    result = only(strip(energy=4.5), (3, 9), count=3)
    assert np.all(result.arrays["conductance"] == 0.0)
    assert np.all(result.arrays["log_conductance"] == -np.inf)
    assert np.all(result.arrays["status"] == Status.NO_CHANNEL)
    assert result.arrays["transmission_eigenvalues"].shape == (2, 3, 0)


def test_eigenvalues_descend_and_sum_to_conductance_and_noise():
    arrays = only(strip(8), (4, 30)).arrays
    transmissions = arrays["transmission_eigenvalues"]
    assert np.all(np.diff(transmissions, axis=-1) <= 0)
    np.testing.assert_allclose(transmissions.sum(-1), arrays["conductance"], rtol=1e-12)
    np.testing.assert_allclose((transmissions * (1 - transmissions)).sum(-1), arrays["shot_noise"], atol=1e-12)


def test_dense_and_band_solutions_are_the_same_system(monkeypatch):
    # Seen to fail with the two off-diagonal bands exchanged.
    system = strip(5, periodic=True, laws=(Uniform(4.0),), flux=0.2, lead_flux=False)
    assert system.channels() > 0
    potential = system.onsite(seed=1, realizations=[0], slices=range(12), point=0)[0]
    dense, exponent = direct.transmission_amplitudes(system, potential)
    monkeypatch.setattr(direct, "DENSE_SITES", 0)
    banded, _ = direct.transmission_amplitudes(system, potential)
    np.testing.assert_allclose(banded * 2.0**exponent, dense * 2.0**exponent, rtol=0, atol=1e-13)


def test_an_ill_conditioned_recursion_gives_way_to_the_direct_solution():
    # Realization 135 is nearly a closed sample, where the recursion alone is off by 1e-9 to 1e-8.
    system = strip(16, laws=(Uniform(8.0),))
    result = only(system, (200,), first=135, count=1)
    potential = system.onsite(seed=7, realizations=[135], slices=range(200), point=0)
    amplitudes, exponent = direct.transmission_amplitudes(system, potential[0])
    exact = np.log(np.sum(np.abs(amplitudes) ** 2)) + 2 * exponent * np.log(2.0)
    assert result.arrays["status"][0, 0] == Status.ORACLE
    assert abs(result.arrays["log_conductance"][0, 0] - exact) < 1e-11
    (scattering,) = scatter(system, potential, (200,))
    recursion = reference._observables(scattering, False)["log_conductance"][0]
    assert abs(recursion - exact) > 1e-10


def test_the_direct_solution_agrees_with_the_recursion_down_to_its_range():
    # Samples on either side of the end of the double range. Seen to fail with every slice scaled by a power of its own.
    result = only(strip(3, laws=(Uniform(12.0),)), (100, 500, 1000), count=24)
    logarithms = result.arrays["log_conductance"]
    assert logarithms[1].max() < -500
    assert logarithms[2].min() < -1300
    assert np.all(result.audit < np.maximum(1e-8, 1e-11 * np.abs(logarithms).max(axis=1)))
    for row in range(24):
        potential = strip(3, laws=(Uniform(12.0),)).onsite(seed=7, realizations=[row], slices=range(1000), point=0)[0]
        for position, length in enumerate((100, 500, 1000)):
            amplitudes, exponent = direct.transmission_amplitudes(strip(3), potential[:length])
            exact = np.log(np.sum(np.abs(amplitudes) ** 2)) + 2 * exponent * np.log(2.0)
            assert logarithms[position, row] == pytest.approx(exact, rel=1e-11, abs=1e-8)


def test_beyond_the_reach_of_the_direct_solution_the_audit_is_silent():
    result = only(strip(2, laws=(Uniform(30.0),)), (1300,), count=4)
    assert result.arrays["log_conductance"].max() < -3500
    assert np.all(np.isnan(result.audit))
    assert np.all(result.arrays["status"] == Status.CERTIFIED)
