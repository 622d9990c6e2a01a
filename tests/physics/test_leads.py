"""Lead modes: the two ways to find them agree, and a threshold is refused with a way out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mesogpu.errors import PhysicsError
from mesogpu.physics.leads import attach_leads, lead_modes


def leads(**changes: object):
    arguments: dict = {"width": 7, "periodic": False, "hopping": 1.0, "flux": 0.0, "potential": 0.0, "energy": 0.45}
    return attach_leads(lead_modes(**(arguments | changes)))


def broadening(self_energy: np.ndarray) -> np.ndarray:
    return 1j * (self_energy - self_energy.conj().T)


@pytest.mark.parametrize("periodic", [False, True])
def test_a_vanishing_field_gives_the_plain_leads(periodic):
    # Periodic sides have degenerate modes. Seen to fail with left and right movers exchanged in the field's leads.
    plain = leads(periodic=periodic)[0]
    for lead in leads(periodic=periodic, flux=1e-12):
        np.testing.assert_allclose(lead.self_energy, plain.self_energy, atol=1e-9)
        np.testing.assert_allclose(
            lead.coupling @ lead.coupling.conj().T, plain.coupling @ plain.coupling.conj().T, atol=1e-9
        )


@pytest.mark.parametrize("flux", [0.0, 0.01, 0.23])
@pytest.mark.parametrize("energy", [-3.1, 0.45, 1.7])
def test_the_coupling_is_the_root_of_the_broadening(flux, energy):
    for lead in leads(flux=flux, energy=energy):
        expected = broadening(lead.self_energy)
        np.testing.assert_allclose(lead.coupling @ lead.coupling.conj().T, expected, atol=1e-9)
        assert np.linalg.eigvalsh(expected).min() > -1e-9


@pytest.mark.parametrize("flux", [0.01, 0.23])
def test_the_self_energy_repeats_itself_slice_by_slice(flux):
    # Sigma_1 = V^dagger (E - h - Sigma_1)^-1 V: a lead is the lead behind its first slice.
    width, energy = 7, 0.45
    hopping = -np.exp(2j * np.pi * flux * np.arange(width))
    clean = energy * np.eye(width) + np.eye(width, k=1) + np.eye(width, k=-1)
    lead_0, lead_1 = leads(flux=flux)
    for lead, matrix in ((lead_1, np.diag(hopping)), (lead_0, np.diag(hopping.conj()))):
        repeated = matrix.conj().T @ np.linalg.inv(clean - lead.self_energy) @ matrix
        np.testing.assert_allclose(lead.self_energy, repeated, atol=1e-10)


@pytest.mark.parametrize(("width", "flux", "energy"), [(59, 0.0056, -3.19), (39, 0.0198, -2.58), (120, 0.003, 0.8)])
def test_wide_leads_in_a_field_are_resolved(width, flux, energy):
    # Seen to fail with eigenvectors for the decaying modes: their matrix has a condition number of 2e14.
    clean = energy * np.eye(width) + np.eye(width, k=1) + np.eye(width, k=-1)
    hopping = -np.exp(2j * np.pi * flux * np.arange(width))
    lead_0, lead_1 = leads(width=width, flux=flux, energy=energy)
    for lead, matrix in ((lead_1, np.diag(hopping)), (lead_0, np.diag(hopping.conj()))):
        repeated = matrix.conj().T @ np.linalg.inv(clean - lead.self_energy) @ matrix
        np.testing.assert_allclose(lead.self_energy, repeated, atol=1e-11)
        np.testing.assert_allclose(lead.coupling @ lead.coupling.conj().T, broadening(lead.self_energy), atol=1e-11)


@pytest.mark.parametrize(
    ("changes", "band_edge"),
    [({"width": 1}, 2.0), ({"width": 1}, -2.0), ({"width": 8, "periodic": True}, 0.0), ({"hopping": 1.5}, None)],
)
def test_a_band_edge_is_refused_and_the_offered_energy_works(changes, band_edge):
    # Seen to fail with the threshold ten times smaller.
    if band_edge is None:
        band_edge = 1.5 * (2.0 - 2.0 * np.cos(np.pi / 8))
    for distance in (0.0, 4e-10, -4e-10):
        with pytest.raises(PhysicsError, match="band edge") as refusal:
            leads(**changes, energy=band_edge + distance)
        offered = float(re.search(r"use (\S+) instead", str(refusal.value)).group(1))
        assert leads(**changes, energy=offered)[0].channels >= 0


def test_a_band_edge_in_a_field_is_refused():
    # The edge is found by bisection on the number of channels.
    below, above = 3.2, 4.0
    while above - below > 1e-12:
        middle = 0.5 * (below + above)
        try:
            open_channels = leads(flux=0.02, energy=middle)[0].channels
        except PhysicsError:
            break
        below, above = (middle, above) if open_channels else (below, middle)
    with pytest.raises(PhysicsError, match="band edge"):
        leads(flux=0.02, energy=0.5 * (below + above))
