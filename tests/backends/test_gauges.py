"""What no transmission of any sample depends on: gauges, the frames of the spins, turns and mirror images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from models import bar, block, strip
from single_samples import EXACT, by_recursion, samples, slices_of, transmitted, with_system

from mesogpu.physics.disorder import Binary, Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.slices import Slices


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=80)
@given(sample=samples(), quanta=st.integers(-2, 2), fraction=st.floats(0.0, 1.0))
def test_a_whole_quantum_in_any_plaquette_is_none(engine, sample, quanta, fraction):
    # Seen to fail with the phase in units of h/2e.
    system = sample.point.system
    quantum = Binary((0.0, 1.0), fraction, on="flux")
    threaded = replace(system, flux=system.flux + quanta, laws=(*system.laws, quantum))
    np.testing.assert_allclose(
        transmitted(engine, with_system(sample, threaded)), transmitted(engine, sample), rtol=0, atol=EXACT
    )


@settings(max_examples=80)
@given(sample=samples(), seed=st.integers(0, 2**32 - 1))
def test_a_phase_of_all_bonds_of_a_link_is_a_gauge(sample, seed):
    # Seen to fail with V for its conjugate in V g V^dagger.
    slices = slices_of(sample)
    turns = np.random.default_rng(seed).random((1, len(slices.numbers), 1))
    phases = turns + (np.zeros(slices.onsite.shape) if slices.phases is None else slices.phases)
    system = sample.point.system
    np.testing.assert_allclose(
        by_recursion(system, replace(slices, phases=phases)), by_recursion(system, slices), rtol=0, atol=EXACT
    )


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamilton's product of the quaternions a + b i sigma, whose vectors multiply with -a x b."""
    a, b = first[..., :1], first[..., 1:]
    c, d = second[..., :1], second[..., 1:]
    scalar = a * c - np.sum(b * d, axis=-1, keepdims=True)
    return np.concatenate([scalar, a * d + c * b - np.cross(b, d)], axis=-1)


def adjoint(quaternion: np.ndarray) -> np.ndarray:
    return quaternion * np.array([1.0, -1.0, -1.0, -1.0])


def turned_frames(slices: Slices, frames: np.ndarray) -> Slices:
    """Every site's spin axes turned by a quaternion g (X, W, Z, 4): U becomes g' U g^dagger, h . sigma likewise."""
    lattice = slices.lattice
    shape = (len(frames), lattice.width, lattice.depth)
    bonds = []
    for axis, bond in enumerate(slices.bonds):
        ahead = np.roll(frames, -1, axis=axis)
        spread = np.broadcast_to(bond, (1, len(frames), lattice.sites, 4)).reshape(*shape, 4)
        bonds.append(product(product(ahead, spread), adjoint(frames)).reshape(1, len(frames), lattice.sites, 4))
    field = None
    if slices.field is not None:
        spread = np.broadcast_to(slices.field, (1, len(frames), lattice.sites, 3)).reshape(*shape, 3)
        vector = np.concatenate([np.zeros((*shape, 1)), spread], axis=-1)
        turned = product(product(frames, vector), adjoint(frames))[..., 1:]
        field = turned.reshape(1, len(frames), lattice.sites, 3)
    return replace(slices, bonds=tuple(bonds), field=field)


@settings(max_examples=120)
@given(
    sample=samples(models=("rashba", "ando", "su2", "evangelou-ziman", "zeeman", "magnetic")),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_axes_of_each_spin_are_a_gauge(sample, seed):
    # Seen to fail with the bond's matrix for its adjoint on the way back, and with h_y left out.
    slices, lattice = slices_of(sample), sample.point.system.lattice
    assume(len(slices.numbers) > 2)
    frames = np.random.default_rng(seed).normal(size=(len(slices.numbers), lattice.width, lattice.depth, 4))
    frames /= np.linalg.norm(frames, axis=-1, keepdims=True)
    # The leads keep their axes, and so do the two slices that they touch.
    frames[[0, -1]] = [1.0, 0.0, 0.0, 0.0]
    system = sample.point.system
    np.testing.assert_allclose(
        by_recursion(system, turned_frames(slices, frames)), by_recursion(system, slices), rtol=0, atol=EXACT
    )


@settings(max_examples=60)
@given(
    sample=samples(models=("plain", "field", "random-flux", "bonds", "missing-bonds", "vacancies")),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_sign_of_each_orbital_is_a_gauge(sample, seed):
    # Seen to fail with a bond's number taken from its upper site, and with those along y and z exchanged.
    slices, lattice = slices_of(sample), sample.point.system.lattice
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(len(slices.numbers), lattice.width, lattice.depth, 1))
    signs[[0, -1]] = 1.0
    bonds = []
    for axis, bond in enumerate(slices.bonds):
        flat = (1, len(slices.numbers), lattice.sites, 1)
        bonds.append(bond * (np.roll(signs, -1, axis=axis) * signs).reshape(flat))
    system = sample.point.system
    np.testing.assert_allclose(
        by_recursion(system, replace(slices, bonds=tuple(bonds))), by_recursion(system, slices), rtol=0, atol=EXACT
    )


def rolled(slices: Slices, turn: int) -> Slices:
    """The sample turned round the ring by so many sites."""
    lattice = slices.lattice

    def along_y(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        by_row = values.reshape(*values.shape[:2], lattice.width, lattice.depth, *values.shape[3:])
        return np.roll(by_row, turn, axis=2).reshape(values.shape)

    return replace(
        slices,
        onsite=along_y(slices.onsite),
        field=along_y(slices.field),
        bonds=tuple(along_y(bond) for bond in slices.bonds),
        phases=along_y(slices.phases),
    )


@settings(max_examples=100)
@given(
    sample=samples(kinds=("square", "cubic", "zigzag", "armchair")), turn=st.integers(1, 5), quanta=st.integers(-2, 2)
)
def test_turning_a_tube_changes_nothing(sample, turn, quanta):
    # A turn moves the gauge's origin. Seen to fail with the phase growing as y (y + 1) / 2, and without the ring bond.
    system = sample.point.system
    lattice = system.lattice
    width = max(4, lattice.width - lattice.width % 2)
    ring = replace(lattice, width=width, periodic=(True, lattice.periodic[1]))
    sample = with_system(sample, replace(system, lattice=ring, flux=quanta / width))
    slices, system = slices_of(sample), sample.point.system
    # The honeycomb is the same again after two rows.
    turned = rolled(slices, turn * lattice.period)
    np.testing.assert_allclose(by_recursion(system, turned), by_recursion(system, slices), rtol=0, atol=EXACT)


@pytest.mark.parametrize("lead_flux", [True, False])
@pytest.mark.parametrize("system", [strip(), bar(3, 4), bar(4, 3, laws=(Uniform(1.0), Uniform(0.5, on="bonds")))])
def test_a_mirror_image_in_the_opposite_field_transmits_the_same(system, lead_flux):
    # Seen to fail with the phase growing as y (y + 1) / 2.
    system = replace(system, flux=0.043, lead_flux=lead_flux)
    slices, lattice = slices_of(block(system, (14,), count=1)), system.lattice

    def mirrored(values: np.ndarray, links: int = 0) -> np.ndarray:
        spread = np.broadcast_to(values, (1, 14, *values.shape[2:]))
        by_row = spread.reshape(1, 14, lattice.width, lattice.depth, -1)[:, :, ::-1]
        return np.roll(by_row, -links, axis=2).reshape(spread.shape)

    along, across, up = slices.bonds
    image = replace(
        slices,
        onsite=mirrored(slices.onsite),
        bonds=(mirrored(along), mirrored(across, links=1), mirrored(up)),
        phases=-slices.phases,
    )
    reflected = by_recursion(replace(system, flux=-0.043), image)
    np.testing.assert_allclose(reflected, by_recursion(system, slices), rtol=0, atol=EXACT)


def test_a_bar_on_its_side_is_the_same_bar():
    # Seen to fail with the ring along y closed where that along z is meant.
    system = bar(3, 4, periodic=(True, False), laws=(Uniform(2.0), Uniform(0.6, on="bonds")))
    slices = slices_of(block(system, (9,), count=1))

    def on_its_side(values: np.ndarray) -> np.ndarray:
        return np.swapaxes(values.reshape(1, -1, 3, 4, 1), 2, 3).reshape(values.shape)

    along, across, up = (on_its_side(bond) for bond in slices.bonds)
    lattice = Lattice("cubic", 4, 3, (False, True))
    turned = replace(slices, lattice=lattice, onsite=on_its_side(slices.onsite), bonds=(along, up, across))
    np.testing.assert_allclose(
        by_recursion(replace(system, lattice=lattice), turned), by_recursion(system, slices), rtol=0, atol=EXACT
    )
