"""A slice's Hamiltonian: Hermitian, with the bonds, phases and symmetries that conventions and model demand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mesogpu.physics.disorder import Binary, Gaussian, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.draws import Draws
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.slices import Slices
from mesogpu.physics.spin import SpinOrbit, field_matrices
from mesogpu.physics.systems import System

PAULI_Y = np.array([[0, -1j], [1j, 0]])
SQUARE = Lattice("square", 5)
STRIP = System(SQUARE, 1.0, 0.0, 0.4, 0.0, True, ())
RANDOM = (Uniform(1.0), Uniform(0.4, on="bonds"))
FLUX = Uniform(0.1, on="flux")

SYSTEMS: dict[str, System] = {
    "chain": replace(STRIP, lattice=Lattice("chain", 1), laws=RANDOM),
    "square": replace(STRIP, laws=(*RANDOM, FLUX), flux=0.03),
    "ring": replace(STRIP, lattice=Lattice("square", 6, 1, (True, False)), laws=RANDOM, flux=1 / 3),
    "cubic": replace(STRIP, lattice=Lattice("cubic", 3, 4, (False, True)), laws=(*RANDOM, FLUX), flux=0.03),
    "zigzag": replace(STRIP, lattice=Lattice("zigzag", 6), laws=RANDOM, flux=0.03),
    "armchair": replace(STRIP, lattice=Lattice("armchair", 6, 1, (True, False)), laws=RANDOM),
    "vacancies": replace(STRIP, laws=(*RANDOM, Vacancy(0.3))),
    "alloy": replace(STRIP, laws=(Binary((-0.3, 0.7), 0.3), Gaussian(0.4, 1.2)), hopping=1.4),
    "rashba": replace(STRIP, laws=RANDOM, spin_orbit=SpinOrbit("rashba", 0.3)),
    "ando": replace(STRIP, laws=RANDOM, spin_orbit=SpinOrbit("ando", 0.6), lattice=Lattice("square", 4)),
    "su2": replace(STRIP, laws=(*RANDOM, Vacancy(0.1)), spin_orbit=SpinOrbit("su2", 1.0)),
    "su2 bar": replace(STRIP, lattice=Lattice("cubic", 3, 3), laws=RANDOM, spin_orbit=SpinOrbit("su2", 1.0)),
    "su2 honeycomb": replace(STRIP, lattice=Lattice("armchair", 6), spin_orbit=SpinOrbit("su2", 1.0)),
    "evangelou-ziman": replace(STRIP, laws=RANDOM, spin_orbit=SpinOrbit("evangelou-ziman", 0.8)),
    "spins": replace(STRIP, laws=(*RANDOM, MagneticImpurity(0.5)), zeeman=(0.1, -0.2, 0.3)),
    "su2 in a field": replace(STRIP, flux=0.03, spin_orbit=SpinOrbit("su2", 1.0)),
}
KRAMERS = ("rashba", "ando", "su2", "su2 bar", "su2 honeycomb", "evangelou-ziman")


def drawn(system: System, slices: int = 6, realization: int = 3) -> Slices:
    return system.slices(seed=11, realizations=[realization], slices=range(slices), point=0)


def whole_hamiltonian(slices: Slices) -> np.ndarray:
    """H of the first realization between all its slices, (X, M, s, X, M, s)."""
    count, sites, spins = len(slices.numbers), slices.lattice.sites, slices.spins
    hamiltonian = np.zeros((count, sites, spins, count, sites, spins), dtype=np.complex128)
    for k in range(count):
        hamiltonian[k, :, :, k] = slices.intra_slice(k)[0].reshape(sites, spins, sites, spins)
        if k + 1 < count:
            ahead = slices.inter_slice(k)[0] * slices.present(k + 1)[0].reshape(sites, spins)[:, :, None]
            for site in range(sites):
                hamiltonian[k + 1, site, :, k, site] = ahead[site]
                hamiltonian[k, site, :, k + 1, site] = ahead[site].conj().T
    return hamiltonian


def bonds_of(lattice: Lattice, slices: int = 4) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    """Which sites (x, y) of a clean strip are bonded, from its Hamiltonian alone."""
    hamiltonian = whole_hamiltonian(drawn(replace(STRIP, lattice=lattice), slices))[:, :, 0, :, :, 0]
    return {((int(a), int(b)), (int(c), int(d))) for a, b, c, d in np.argwhere(hamiltonian) if (a, b) < (c, d)}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_slice_is_hermitian(system: System) -> None:
    # Seen to fail with the adjoint of a bond inside a slice not conjugated.
    slices = drawn(system)
    for k in range(6):
        block = slices.intra_slice(k)[0]
        np.testing.assert_array_equal(block, block.conj().T)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_a_slice_has_its_energies_and_fields_on_its_diagonal(system: System) -> None:
    # Seen to fail with the potential on one of two spins.
    slices, spins = drawn(system), system.spins
    for k in (0, 4):
        diagonal = slices.intra_slice(k)[0].reshape(slices.lattice.sites, spins, slices.lattice.sites, spins)
        for site in range(slices.lattice.sites):
            energy = slices.onsite[0, k, site]
            expected = np.zeros((spins, spins)) if np.isnan(energy) else energy * np.eye(spins)
            if slices.field is not None and not np.isnan(energy):
                field = slices.field[0, min(k, slices.field.shape[1] - 1), site]
                expected = expected + field_matrices(field)
            np.testing.assert_allclose(diagonal[site, :, site], expected, atol=1e-15)


def test_the_field_is_zeeman_and_exchange_together() -> None:
    # Seen to fail with the Zeeman field left out once there are spins.
    impurity, zeeman = MagneticImpurity(0.5), (0.1, -0.2, 0.3)
    alone = drawn(replace(STRIP, laws=(impurity,))).field
    both = drawn(replace(STRIP, laws=(impurity, MagneticImpurity(0.0)), zeeman=zeeman)).field
    assert alone is not None
    assert both is not None
    np.testing.assert_allclose(both - alone, np.broadcast_to(zeeman, both.shape), atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=-1), 0.5)


def test_a_clean_square_strip_hops_by_minus_t() -> None:
    hamiltonian = whole_hamiltonian(drawn(replace(STRIP, hopping=1.5), 3))[:, :, 0, :, :, 0].reshape(15, 15)
    line, column = np.eye(5, k=1) + np.eye(5, k=-1), np.eye(3, k=1) + np.eye(3, k=-1)
    np.testing.assert_array_equal(hamiltonian, -1.5 * (np.kron(np.eye(3), line) + np.kron(column, np.eye(5))))


def test_a_zigzag_ribbon_has_all_x_bonds_and_every_second_y_bond() -> None:
    # Seen to fail with the y bonds of odd x + y.
    expected = {((x, y), (x + 1, y)) for x in range(3) for y in range(6)}
    expected |= {((x, y), (x, y + 1)) for x in range(4) for y in range(5) if (x + y) % 2 == 0}
    assert bonds_of(Lattice("zigzag", 6)) == expected


def test_an_armchair_ribbon_has_all_y_bonds_and_every_second_x_bond() -> None:
    # Seen to fail with the x bonds of odd x + y.
    expected = {((x, y), (x + 1, y)) for x in range(3) for y in range(6) if (x + y) % 2 == 0}
    expected |= {((x, y), (x, y + 1)) for x in range(4) for y in range(5)}
    assert bonds_of(Lattice("armchair", 6)) == expected
    assert bonds_of(Lattice("armchair", 6, 1, (True, False))) == expected | {((x, 0), (x, 5)) for x in range(4)}


@pytest.mark.parametrize("periodic", [(False, False), (True, False), (False, True)])
def test_a_bar_has_six_neighbours_inside_and_its_own_sides(periodic: tuple[bool, bool]) -> None:
    lattice = Lattice("cubic", 3, 4, periodic)
    grid = [(x, y, z) for x in range(2) for y in range(3) for z in range(4)]
    expected = set()
    for x, y, z in grid:
        ahead = [(x + 1, y, z), (x, (y + 1) % 3 if periodic[0] else y + 1, z)]
        ahead.append((x, y, (z + 1) % 4 if periodic[1] else z + 1))
        ends = [((x, 4 * y + z), (a, 4 * b + c)) for a, b, c in ahead if (a, b, c) in grid]
        expected |= {(min(pair), max(pair)) for pair in ends}
    assert bonds_of(lattice, 2) == expected


@pytest.mark.parametrize("kind", ["square", "ring", "cubic", "su2 in a field"])
def test_a_plaquette_encloses_the_uniform_and_its_own_flux(kind: str) -> None:
    # From the four bonds around it; the determinant is blind to the rotations of a spin. Seen to fail with
    # exp(-2 pi i theta), with fluxes not cumulated, and with the sites of a bar's fluxes in the other order.
    system = SYSTEMS[kind]
    lattice, hamiltonian = system.lattice, whole_hamiltonian(drawn(system))
    fluxes = np.full((6, lattice.width, lattice.depth), system.flux)
    for position, law in enumerate(system.laws):
        if law.on == "flux":
            numbers = Draws(11, [3], range(6), lattice).numbers(law, 16 * position + 5)
            fluxes += numbers.reshape(fluxes.shape)
    for x in range(5):
        for site in range(lattice.sites):
            y, z = divmod(site, lattice.depth)
            if y + 1 == lattice.width and not lattice.periodic[0]:
                continue
            above = (y + 1) % lattice.width * lattice.depth + z
            up = hamiltonian[x, above, :, x, site]
            right = hamiltonian[x + 1, above, :, x, above]
            down = hamiltonian[x + 1, site, :, x + 1, above]
            left = hamiltonian[x, site, :, x + 1, site]
            enclosed = np.linalg.det(left @ down @ right @ up)
            expected = np.exp(2j * np.pi * system.spins * fluxes[x, y, z])
            assert enclosed / abs(enclosed) == pytest.approx(expected, abs=1e-12)


def test_disorder_on_bonds_adds_to_the_hopping() -> None:
    # H = -(t + v): 0.4 wide on a hopping of 1.4. Seen to fail with v taken in units of t.
    law = Uniform(0.4, on="bonds")
    slices = drawn(replace(STRIP, hopping=1.4, laws=(law,)))
    draws = Draws(11, [3], range(6), SQUARE)
    ahead, across = (draws.numbers(law, stream)[0] for stream in (1, 2))
    for k in range(6):
        np.testing.assert_allclose(slices.inter_slice(k)[0, :, 0, 0], -1.4 - ahead[k], atol=1e-15)
        np.testing.assert_allclose(np.diag(slices.intra_slice(k)[0], -1), -1.4 - across[k, :-1], atol=1e-15)


def test_a_missing_site_has_no_bonds_and_no_energy() -> None:
    system = replace(STRIP, laws=(Uniform(1.0), Vacancy(0.4), MagneticImpurity(0.5)), spin_orbit=SpinOrbit("ando", 0.3))
    slices = drawn(system)
    missing = np.isnan(slices.onsite[0])
    assert 5 < missing.sum() < 20
    hamiltonian = whole_hamiltonian(slices)
    assert not hamiltonian[missing].any()
    assert not np.moveaxis(hamiltonian, (3, 4), (0, 1))[missing].any()
    assert np.all(np.any(hamiltonian[~missing], axis=(1, 2, 3, 4)))


def reversed_in_time(hamiltonian: np.ndarray) -> np.ndarray:
    """Theta H Theta^-1 with Theta = i sigma_y K on every site."""
    return np.einsum("ab,xmbync,cd->xmaynd", PAULI_Y, hamiltonian.conj(), PAULI_Y)


@pytest.mark.parametrize("kind", KRAMERS)
def test_spin_orbit_coupling_keeps_time_reversal_and_pairs_all_levels(kind: str) -> None:
    # Seen to fail with a phase of 1e-3 on every bond.
    assert SYSTEMS[kind].preserves_time_reversal
    hamiltonian = whole_hamiltonian(drawn(SYSTEMS[kind]))
    np.testing.assert_allclose(reversed_in_time(hamiltonian), hamiltonian, atol=1e-14)
    size = np.prod(hamiltonian.shape[:3])
    levels = np.linalg.eigvalsh(hamiltonian.reshape(size, size))
    np.testing.assert_allclose(levels[::2], levels[1::2], atol=1e-12)
    assert np.ptp(levels) > 1.0


@pytest.mark.parametrize("kind", ["spins", "su2 in a field"])
def test_fields_and_spins_break_time_reversal(kind: str) -> None:
    assert not SYSTEMS[kind].preserves_time_reversal
    hamiltonian = whole_hamiltonian(drawn(SYSTEMS[kind]))
    assert np.abs(reversed_in_time(hamiltonian) - hamiltonian).max() > 0.01


def test_spinless_samples_without_a_field_are_real() -> None:
    for system in SYSTEMS.values():
        if system.spins == 1:
            real = not whole_hamiltonian(drawn(system)).imag.any()
            assert real == system.preserves_time_reversal


def test_clean_models_are_the_same_in_every_slice_and_realization() -> None:
    for system in SYSTEMS.values():
        if system.lattice.period == 1 and not (system.spin_orbit and system.spin_orbit.random):
            slices = drawn(replace(system, laws=()))
            for k in (1, 5):
                np.testing.assert_array_equal(slices.intra_slice(k), slices.intra_slice(0))
                np.testing.assert_array_equal(slices.inter_slice(k), slices.inter_slice(0))
