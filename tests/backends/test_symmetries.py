"""Exact statements about each sample of every model: unitarity, reciprocity, time reversal, Kramers pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES
from hypothesis import given, settings
from models import ando, block, evangelou_ziman, magnetic, rashba, su2, zeeman
from single_samples import EXACT, by_recursion, samples, slices_of, transmitted, with_system

from mesogpu.physics.disorder import Binary, Gaussian, Law, MagneticImpurity, Uniform
from mesogpu.physics.slices import Slices
from mesogpu.physics.systems import System
from mesogpu.plan import Block


def scattering_matrix(sample: Block) -> tuple[np.ndarray, np.ndarray]:
    """S = -1 + i W^dagger G W of all modes of lead 0, then lead 1, from the whole Hamiltonian; and W."""
    system, slices, length = sample.point.system, slices_of(sample), sample.point.lengths[0]
    orbitals, lead_0, lead_1 = system.orbitals, *system.leads(length)
    inverse = np.zeros((length, orbitals, length, orbitals), dtype=complex)
    for x in range(length):
        inverse[x, :, x, :] = system.energy * np.eye(orbitals) - slices.intra_slice(x)[0]
        if x + 1 < length:
            hopping = np.zeros((system.lattice.sites, system.spins, system.lattice.sites, system.spins), dtype=complex)
            for site, bond in enumerate(slices.inter_slice(x)[0]):
                hopping[site, :, site, :] = bond
            inverse[x + 1, :, x, :] = -hopping.reshape(orbitals, orbitals)
            inverse[x, :, x + 1, :] = inverse[x + 1, :, x, :].conj().T
    inverse[0, :, 0, :] -= lead_0.self_energy
    inverse[-1, :, -1, :] -= lead_1.self_energy
    coupling = np.zeros((length, orbitals, lead_0.channels + lead_1.channels), dtype=complex)
    coupling[0, :, : lead_0.channels] = lead_0.coupling
    coupling[-1, :, lead_0.channels :] = lead_1.coupling
    present = np.concatenate([slices.present(x)[0] for x in range(length)])
    matrix = inverse.reshape(length * orbitals, -1)[np.ix_(present, present)]
    coupling = coupling.reshape(length * orbitals, -1)
    there = coupling[present]
    # The modes are those of the whole lead, whatever is missing of the sample.
    return 1j * there.conj().T @ np.linalg.solve(matrix, there) - np.eye(coupling.shape[1]), coupling


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=150)
@given(sample=samples())
def test_what_comes_from_either_lead_is_all_scattered_and_transmitted_alike(engine, sample):
    # Seen to fail with a bond's matrix for its adjoint on the way back, with lead 0's modes at both ends, and with the
    # bonds ahead of a missing site kept.
    matrix, _ = scattering_matrix(sample)
    channels = len(matrix) // 2
    np.testing.assert_allclose(matrix.conj().T @ matrix, np.eye(len(matrix)), rtol=0, atol=EXACT)
    eigenvalues = transmitted(engine, sample)[0, 0]
    for there in (matrix[channels:, :channels], matrix[:channels, channels:]):
        np.testing.assert_allclose(np.linalg.svd(there, compute_uv=False) ** 2, eigenvalues, rtol=0, atol=EXACT)


def undirected(system: System) -> System:
    """Without what breaks time reversal."""
    laws = tuple(law for law in system.laws if law.on not in ("flux", "spins"))
    return replace(system, flux=0.0, zeeman=None, laws=laws)


@settings(max_examples=150)
@given(sample=samples())
def test_time_reversal_makes_the_scattering_matrix_symmetric_or_antisymmetric(sample):
    # K maps W to W Q; then S Q = (S Q)^T without spin, and -(S Q)^T with spin. Seen to fail with q_0 + q_3 for
    # q_0 + i q_3 in a quaternion's matrix.
    system = undirected(sample.point.system)
    sample = with_system(sample, system)
    assert system.preserves_time_reversal
    matrix, coupling = scattering_matrix(sample)
    reversed_coupling = coupling.conj()
    if system.spins == 2:
        reversed_coupling = np.kron(np.eye(len(coupling) // 2), [[0, -1j], [1j, 0]]) @ reversed_coupling
    # Lead by lead: on a single slice both may touch the same orbitals.
    half = len(matrix) // 2
    turns = np.zeros_like(matrix)
    for lead in (slice(0, half), slice(half, None)):
        turns[lead, lead] = np.linalg.lstsq(coupling[:, lead], reversed_coupling[:, lead], rcond=None)[0]
    adapted = matrix @ turns
    sign = -1 if system.spins == 2 else 1
    np.testing.assert_allclose(adapted, sign * adapted.T, rtol=0, atol=EXACT)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=100)
@given(sample=samples(models=("rashba", "ando", "su2", "evangelou-ziman")))
def test_transmission_eigenvalues_come_in_kramers_pairs(engine, sample):
    # Seen to fail with q_0 + q_3 for q_0 + i q_3 in a quaternion's matrix, and with a bond for its adjoint.
    eigenvalues = transmitted(engine, with_system(sample, undirected(sample.point.system)))[0, 0]
    np.testing.assert_allclose(eigenvalues[::2], eigenvalues[1::2], rtol=0, atol=EXACT)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "system",
    [
        zeeman(),
        magnetic(),
        su2(flux=0.02),
        su2(flux=0.02, lead_flux=False),
        evangelou_ziman(laws=(Uniform(0.5, on="flux"),)),
        rashba(flux=0.02),
        ando(laws=(MagneticImpurity(0.3),)),
    ],
)
def test_a_field_parts_the_kramers_pairs(engine, system):
    # Seen to fail without the phases of the bonds.
    eigenvalues = transmitted(engine, block(system, (12,), count=8))
    assert np.all(np.abs(eigenvalues[..., ::2] - eigenvalues[..., 1::2]).max(axis=-1) > 1e-4)


def reversed_in_time(system: System) -> System:
    """Every field the other way round."""

    def turned(law: Law) -> Law:
        if isinstance(law, MagneticImpurity):
            return replace(law, exchange=-law.exchange)
        if law.on != "flux":
            return law
        if isinstance(law, Binary):
            return replace(law, values=(-law.values[0], -law.values[1]))
        return replace(law, sigma=-law.sigma) if isinstance(law, Gaussian) else replace(law, width=-law.width)

    field = system.zeeman and (-system.zeeman[0], -system.zeeman[1], -system.zeeman[2])
    return replace(system, flux=-system.flux, zeeman=field, laws=tuple(turned(law) for law in system.laws))


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=120)
@given(sample=samples())
def test_all_fields_turned_round_transmit_the_same(engine, sample):
    # Seen to fail with V^dagger in the place of V in the recursion.
    turned = with_system(sample, reversed_in_time(sample.point.system))
    np.testing.assert_allclose(transmitted(engine, turned), transmitted(engine, sample), rtol=0, atol=EXACT)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_field_of_two_turned_round_is_another_sample(engine):
    # Seen to fail without the phases of the bonds.
    system = magnetic(flux=0.02)
    one, other = (transmitted(engine, block(s, (12,), count=8)) for s in (system, replace(system, flux=-0.02)))
    assert np.all(np.abs(one - other).max(axis=-1) > 1e-4)


def reversed_in_space(system: System, slices: Slices) -> tuple[System, Slices]:
    """The sample seen from the other end; bonds along x are then walked the other way."""
    length, phases = len(slices.numbers), slices.phases

    def backwards(values: np.ndarray, links: bool = False) -> np.ndarray:
        spread = np.broadcast_to(values, (1, length, *values.shape[2:]))[:, ::-1]
        return np.roll(spread, -1, axis=1) if links else spread

    bonds_x = backwards(slices.bonds[0], links=True)
    if slices.spins == 2:
        bonds_x = bonds_x * np.array([1.0, -1.0, -1.0, -1.0])
    reversed_slices = replace(
        slices,
        onsite=backwards(slices.onsite),
        field=None if slices.field is None else backwards(slices.field),
        bonds=(bonds_x, *(backwards(bond) for bond in slices.bonds[1:])),
        phases=None if phases is None else -backwards(phases, links=True),
    )
    return replace(system, flux=-system.flux), reversed_slices


@settings(max_examples=100)
@given(sample=samples())
def test_both_directions_transmit_the_same(sample):
    # Seen to fail with lead 1 of a honeycomb taken for an even length, and with lead 0's self-energy at both ends.
    system = sample.point.system
    # Brick walls of some lengths alone are their own mirror image, and leads with spin-orbit coupling are not.
    length = sample.point.lengths[0]
    length += {"zigzag": 1 - length % 2, "armchair": length % 2}.get(system.lattice.kind, 0)
    sample = replace(sample, point=replace(sample.point, lengths=(length,)))
    sample = with_system(sample, replace(system, lead_spin_orbit=False))
    slices, system = slices_of(sample), sample.point.system
    np.testing.assert_allclose(
        by_recursion(*reversed_in_space(system, slices)), by_recursion(system, slices), rtol=0, atol=EXACT
    )
