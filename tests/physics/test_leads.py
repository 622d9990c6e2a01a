"""Modes of the leads of every lattice: how many there are, what they carry, what they do to a sample."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from mesogpu.errors import PhysicsError
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.leads import CleanLead, Waves, attach_lead
from mesogpu.physics.modes import _Cell, lead_modes
from mesogpu.physics.spin import SpinOrbit


def clean_lead(kind: str = "square", width: int = 7, depth: int = 1, **changes: object) -> CleanLead:
    """A lead without field or spin; `periodic` is the lattice's."""
    lattice = Lattice(kind, width, depth, changes.pop("periodic", (False, False)))
    return replace(CleanLead(lattice, 1, 1.0, 0.0, 0.0, None, 0.45), **changes)


RASHBA = {"spins": 2, "spin_orbit": SpinOrbit("rashba", 0.3)}
ANDO = {"spins": 2, "spin_orbit": SpinOrbit("ando", 0.6)}
RING = (True, False)

LEADS = [
    clean_lead("chain", 1),
    clean_lead("chain", 1, **ANDO),
    clean_lead(),
    clean_lead(hopping=1.7, potential=0.3),
    clean_lead(flux=0.01),
    clean_lead(flux=0.23),
    clean_lead(width=6, periodic=RING),
    clean_lead(width=6, periodic=RING, flux=1 / 6, energy=0.55),
    clean_lead(**RASHBA),
    clean_lead(flux=0.04, **ANDO),
    clean_lead("cubic", 3, 4),
    clean_lead("cubic", 4, 3, periodic=(True, True)),
    clean_lead("cubic", 3, 3, flux=0.07, **RASHBA),
    clean_lead("zigzag", 6),
    clean_lead("zigzag", 7, energy=1.3, potential=0.2),
    clean_lead("zigzag", 6, periodic=RING, energy=0.9),
    clean_lead("zigzag", 6, flux=0.02, **RASHBA),
    clean_lead("armchair", 8),
    clean_lead("armchair", 7, energy=1.3, hopping=0.8),
    clean_lead("armchair", 6, periodic=RING, flux=1 / 6, energy=0.55),
    clean_lead("armchair", 6, flux=0.02, energy=1.2, **ANDO),
]
each_lead = pytest.mark.parametrize("lead", LEADS, ids=range(len(LEADS)))


def dense(lead: CleanLead, x: int) -> tuple[np.ndarray, np.ndarray]:
    """E - h of slice x, and <x+1|H|x>, as matrices."""
    slices = lead.slices(x, 1)
    blocks = slices.inter_slice(0)[0]
    sites, spins, _ = blocks.shape
    hopping = np.zeros((sites, spins, sites, spins), dtype=complex)
    hopping[np.arange(sites), :, np.arange(sites), :] = blocks
    inside = slices.intra_slice(0)[0]
    return lead.energy * np.eye(len(inside)) - inside, hopping.reshape(inside.shape)


def broadening(self_energy: np.ndarray) -> np.ndarray:
    return 1j * (self_energy - self_energy.conj().T)


def channels(lead: CleanLead) -> int:
    return lead_modes(lead, 0).channels


@each_lead
def test_propagating_modes_carry_unit_current_and_the_others_none(lead):
    # Seen to fail with velocities in the place of their roots, and with left and right movers exchanged.
    for x in (0, 1):
        modes = lead_modes(lead, x)
        for waves, sign in ((modes.right, 1.0), (modes.left, -1.0)):
            amplitude = waves.ahead.conj().T @ modes.hopping @ waves.here
            expected = np.zeros(len(amplitude))
            expected[: modes.channels] = sign
            current = -1j * (amplitude - amplitude.conj().T)
            np.testing.assert_allclose(current, np.diag(expected), rtol=0, atol=1e-9)


@each_lead
def test_the_coupling_is_the_root_of_the_broadening(lead):
    for x in (0, 1):
        modes = lead_modes(lead, x)
        for side in (0, 1):
            attached = attach_lead(modes, side)
            expected = broadening(attached.self_energy)
            assert attached.channels == modes.channels
            np.testing.assert_allclose(attached.coupling @ attached.coupling.conj().T, expected, rtol=0, atol=1e-9)
            assert np.linalg.eigvalsh(expected).min() > -1e-9


@each_lead
def test_a_lead_is_the_lead_behind_its_first_slice(lead):
    # Sigma_x = V^dagger (E - h - Sigma_{x+1})^-1 V. Seen to fail with both links of a honeycomb taken for the same.
    for x in (0, 1):
        inside, after = dense(lead, x + 1)
        _, before = dense(lead, x)
        near, far = lead_modes(lead, x % lead.lattice.period), lead_modes(lead, (x + 1) % lead.lattice.period)
        behind, ahead = attach_lead(near, 0).self_energy, attach_lead(far, 1).self_energy
        to_the_left = before.conj().T @ np.linalg.solve(inside - ahead, before)
        to_the_right = after @ np.linalg.solve(inside - behind, after.conj().T)
        np.testing.assert_allclose(attach_lead(near, 1).self_energy, to_the_left, rtol=0, atol=1e-10)
        np.testing.assert_allclose(attach_lead(far, 0).self_energy, to_the_right, rtol=0, atol=1e-10)


def decimated(lead: CleanLead, side: int) -> np.ndarray:
    """Self-energy on slice 0 by doubling a lead with a little absorption; no mode is looked for.

    source : Lopez Sancho, Lopez Sancho, Rubio, J. Phys. F 15, 851 (1985)
    """
    period, size = lead.lattice.period, lead.lattice.sites * lead.spins
    first = 1 if side else -period
    surface = np.zeros((period, size, period, size), dtype=complex)
    onward = np.zeros_like(surface)
    for k in range(period):
        inside, after = dense(lead, first + k)
        surface[k, :, k, :] = inside + 1e-8j * np.eye(size)
        if k + 1 < period:
            surface[k + 1, :, k, :], surface[k, :, k + 1, :] = -after, -after.conj().T
        else:
            onward[0, :, k, :] = after
    surface, onward = (matrix.reshape(period * size, -1) for matrix in (surface, onward))
    outward, inward = (onward, onward.conj().T) if side else (onward.conj().T, onward)
    bulk = surface
    for _ in range(45):
        solved_in, solved_out = np.linalg.solve(bulk, inward), np.linalg.solve(bulk, outward)
        surface = surface - inward @ solved_out
        bulk = bulk - inward @ solved_out - outward @ solved_in
        inward, outward = inward @ solved_in, outward @ solved_out
    link = dense(lead, 0)[1].conj().T if side else dense(lead, -1)[1]
    near = slice(0, size) if side else slice((period - 1) * size, period * size)
    return link @ np.linalg.inv(surface)[near, near] @ link.conj().T


@each_lead
def test_self_energies_are_those_of_a_lead_that_absorbs_a_little(lead):
    # Retarded, and on the right side. Seen to fail with left and right movers exchanged.
    for side in (0, 1):
        exact = attach_lead(lead_modes(lead, 0 if side else -1 % lead.lattice.period), side).self_energy
        np.testing.assert_allclose(decimated(lead, side), exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("periodic", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("energy", [-4.2, -1.13, 0.3, 3.1])
def test_channels_of_a_bar_are_its_open_pairs_of_cosines(periodic, energy):
    # Seen to fail with the ring along y closed where that along z is meant.
    width, depth = 5, 4
    along_y, along_z = (
        -2.0 * np.cos(2.0 * np.pi * np.arange(n) / n if ring else np.pi * np.arange(1, n + 1) / (n + 1))
        for n, ring in zip((width, depth), periodic, strict=True)
    )
    expected = np.sum(np.abs(energy - along_y[:, None] - along_z) < 2.0)
    assert channels(clean_lead("cubic", width, depth, periodic=periodic, energy=energy)) == expected
    assert channels(clean_lead("square", width, energy=energy, periodic=(periodic[0], False))) == np.sum(
        np.abs(energy - along_y) < 2.0
    )


@pytest.mark.parametrize("width", [2, 5, 8, 30])
@pytest.mark.parametrize("energy", [-2.2, -0.31, 0.07, 0.83, 1.4])
def test_channels_of_an_armchair_ribbon_are_those_of_its_dispersion(width, energy):
    # E^2 = 1 + 4 c cos(k/2) + 4 c^2 with c = cos(p pi / (M + 1)), k in (0, pi). Source: Wakabayashi et al.,
    # Sci. Technol. Adv. Mater. 11, 054504 (2010). Seen to fail with x bonds everywhere.
    cosine = np.cos(np.pi * np.arange(1, width + 1) / (width + 1))
    ends = np.sort([np.abs(1.0 + 2.0 * cosine), np.sqrt(1.0 + 4.0 * cosine**2)], axis=0)
    expected = np.sum((ends[0] < abs(energy)) & (abs(energy) < ends[1]))
    assert channels(clean_lead("armchair", width, energy=energy)) == expected


@pytest.mark.parametrize("width", [2, 5, 8, 30])
@pytest.mark.parametrize("energy", [-2.2, -0.31, 0.07, 0.83, 1.4])
def test_channels_of_a_zigzag_ribbon_are_those_of_its_dispersion(width, energy):
    # At k the ribbon is a chain of 2 M sites with hoppings 2 cos(k/2), 1, 2 cos(k/2), ... Source: as above.
    # Seen to fail with x bonds that alternate as the y bonds do.
    momenta = np.linspace(1e-3, np.pi - 1e-3, 1001)
    hoppings = np.ones((len(momenta), 2 * width - 1))
    hoppings[:, ::2] = 2.0 * np.cos(momenta / 2.0)[:, None]
    hamiltonian = np.zeros((len(momenta), 2 * width, 2 * width))
    here = np.arange(2 * width - 1)
    hamiltonian[:, here, here + 1] = hamiltonian[:, here + 1, here] = -hoppings
    above = np.linalg.eigvalsh(hamiltonian) > energy
    assert channels(clean_lead("zigzag", width, energy=energy)) == np.sum(above[1:] != above[:-1])


@each_lead
def test_channels_are_the_bands_that_cross_the_energy(lead):
    # Bloch's Hamiltonian of a cell; half of the crossings move to the right. Seen to fail with the
    # modes of a lead in a field taken for those of its slices.
    period, size = lead.lattice.period, lead.lattice.sites * lead.spins
    phases = np.exp(-1j * np.linspace(0.0, 2.0 * np.pi, 601))[:, None, None]
    hamiltonian = np.zeros((len(phases), period, size, period, size), dtype=complex)
    for x in range(period):
        inside, hopping = dense(lead, x)
        factors = phases if x + 1 == period else np.ones_like(phases)
        hamiltonian[:, x, :, x, :] += lead.energy * np.eye(size) - inside
        hamiltonian[:, (x + 1) % period, :, x, :] += factors * hopping
        hamiltonian[:, x, :, (x + 1) % period, :] += (factors * hopping).conj().swapaxes(1, 2)
    above = np.linalg.eigvalsh(hamiltonian.reshape(len(phases), period * size, -1)) > lead.energy
    assert channels(lead) == np.sum(above[1:] != above[:-1]) // 2 > 0


@pytest.mark.parametrize("lead", [lead for lead in LEADS if lead.separates], ids=lambda lead: lead.lattice.kind)
def test_a_vanishing_field_gives_the_plain_leads(lead):
    # Periodic sides have degenerate modes. Seen to fail with left and right movers exchanged in the field's leads.
    plain, field = lead_modes(lead, 0), lead_modes(replace(lead, flux=1e-12), 0)
    for side in (0, 1):
        expected, found = attach_lead(plain, side), attach_lead(field, side)
        np.testing.assert_allclose(found.self_energy, expected.self_energy, rtol=0, atol=1e-9)
        np.testing.assert_allclose(
            found.coupling @ found.coupling.conj().T, expected.coupling @ expected.coupling.conj().T, atol=1e-9
        )


def test_a_uniform_rotation_of_the_spin_leaves_two_plain_chains():
    # In one dimension spin-orbit coupling is a gauge. Seen to fail with 1 for cos of the angle.
    for angle in (0.2, 1.1):
        chain = lead_modes(clean_lead("chain", 1, spins=2, spin_orbit=SpinOrbit("ando", angle)), 0)
        plain = attach_lead(lead_modes(clean_lead("chain", 1), 0), 0)
        np.testing.assert_allclose(attach_lead(chain, 0).self_energy, plain.self_energy * np.eye(2), atol=1e-10)


@pytest.mark.parametrize(("width", "flux", "energy"), [(59, 0.0056, -3.19), (39, 0.0198, -2.58), (120, 0.003, 0.8)])
def test_wide_leads_in_a_field_are_resolved(width, flux, energy):
    # Seen to fail with eigenvectors for the decaying modes: their matrix has a condition number of 2e14.
    lead = clean_lead(width=width, flux=flux, energy=energy)
    inside, hopping = dense(lead, 0)
    modes = lead_modes(lead, 0)
    for side, matrix in ((1, hopping), (0, hopping.conj().T)):
        attached = attach_lead(modes, side)
        repeated = matrix.conj().T @ np.linalg.solve(inside - attached.self_energy, matrix)
        np.testing.assert_allclose(attached.self_energy, repeated, atol=1e-11)
        expected = broadening(attached.self_energy)
        np.testing.assert_allclose(attached.coupling @ attached.coupling.conj().T, expected, atol=1e-11)


@pytest.mark.parametrize(
    ("changes", "band_edge"),
    [
        ({"width": 1}, 2.0),
        ({"width": 1}, -2.0),
        ({"width": 8, "periodic": RING}, 0.0),
        ({"hopping": 1.5}, 1.5 * (2.0 - 2.0 * np.cos(np.pi / 8))),
        ({"kind": "cubic", "width": 3, "depth": 2}, 2.0 + 2.0 * np.cos(np.pi / 4) - 1.0),
    ],
)
def test_a_band_edge_is_refused_and_the_offered_energy_works(changes, band_edge):
    # Seen to fail with the threshold ten times smaller.
    for distance in (0.0, 4e-10, -4e-10):
        with pytest.raises(PhysicsError, match="band edge") as refusal:
            lead_modes(clean_lead(**changes, energy=band_edge + distance), 0)
        offered = float(re.search(r"use (\S+) instead", str(refusal.value)).group(1))
        assert channels(clean_lead(**changes, energy=offered)) >= 0


@pytest.mark.parametrize(
    ("changes", "band_edge", "opened"),
    [
        ({"kind": "chain", "width": 1, **ANDO}, 2.0, 2),
        ({"kind": "armchair", "width": 5}, 1.0 + 2.0 * np.cos(np.pi / 6), 1),
        ({"kind": "armchair", "width": 4}, abs(1.0 + 2.0 * np.cos(4.0 * np.pi / 5)), -1),
    ],
)
def test_a_band_edge_with_spin_or_on_a_honeycomb_is_refused(changes, band_edge, opened):
    with pytest.raises(PhysicsError, match=r"band edge|cannot be resolved"):
        lead_modes(clean_lead(**changes, energy=float(band_edge)), 0)
    below, above = (channels(clean_lead(**changes, energy=float(band_edge + d))) for d in (-1e-6, 1e-6))
    assert below - above == opened


def test_a_band_edge_in_a_field_is_refused():
    # The edge is found by bisection on the number of channels.
    below, above = 3.2, 4.0
    while above - below > 1e-12:
        middle = 0.5 * (below + above)
        try:
            open_channels = channels(clean_lead(flux=0.02, energy=middle))
        except PhysicsError:
            break
        below, above = (middle, above) if open_channels else (below, middle)
    with pytest.raises(PhysicsError, match="band edge"):
        lead_modes(clean_lead(flux=0.02, energy=0.5 * (below + above)), 0)


@pytest.mark.parametrize("kind", ["square", "zigzag", "armchair"])
def test_one_wrong_mode_of_many_is_refused(kind):
    # The last check of a lead. Seen to fail with a bound of 1e-6.
    lead = clean_lead(kind, 6, flux=0.02, energy=0.7)
    modes, cell = lead_modes(lead, 0), _Cell.of(lead, 0)
    cell.check(modes)
    bent = np.where(np.arange(len(modes.ports)) == 0, 1.0 + 1e-7, 1.0)
    for wrong in (
        replace(modes, right=Waves(modes.right.here, modes.right.ahead * bent)),
        replace(modes, left=Waves(modes.left.here * bent, modes.left.ahead)),
    ):
        with pytest.raises(PhysicsError, match="cannot be resolved"):
            cell.check(wrong)


def test_the_flat_bands_of_a_zigzag_ribbon_are_refused():
    # At E = t all dimers between its chains have this energy at once.
    with pytest.raises(PhysicsError, match=r"use 1\.000001 instead"):
        lead_modes(clean_lead("zigzag", 6, energy=1.0), 0)
