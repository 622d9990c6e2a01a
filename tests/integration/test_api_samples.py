"""What `sample_onsite`, `sample_bonds` and `sample_spins` return is the Hamiltonian that the engines solve.

Planted faults that these tests were seen to fail on: y bonds from the upper to the lower site, bonds kept beside a site
missing in the next slice, the Zeeman field among the spins, a bar's axes y and z exchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mesogpu
from mesogpu.errors import ConfigError
from mesogpu.physics.spin import field_matrices
from mesogpu.plan.points import points

BOX = {"distribution": "uniform", "width": 1.0}
ON_BONDS = {"on": "bonds", "distribution": "gaussian", "sigma": 0.2}
SPINS = {"on": "spins", "exchange": 0.4}


def document(*laws: dict[str, Any], flux: float = 0.0, **model: Any) -> dict[str, Any]:
    strip = {"lattice": "square", "width": 5, "length": [3, 6], "hopping": 1.2}
    return {
        "schema": 1,
        "name": "samples",
        "seed": 11,
        "model": {key: value for key, value in (strip | model).items() if value is not None},
        "disorder": list(laws),
        "energy": 0.7,
        "flux": flux,
        "realizations": 4,
    }


MODELS: dict[str, dict[str, Any]] = {
    "chain": {"lattice": "chain", "width": None},
    "square": {},
    "ring": {"edges": "periodic"},
    "bar": {"lattice": "cubic", "width": [3, 4], "edges": ["periodic", "hard"]},
    "zigzag": {"lattice": "honeycomb", "edge": "zigzag", "width": 6},
    "armchair": {"lattice": "honeycomb", "edge": "armchair", "width": 6},
}
CASES = {
    **{name: document(BOX, ON_BONDS, **model) for name, model in MODELS.items()},
    "flux": document(BOX, {"on": "flux", "distribution": "uniform", "width": 0.1}, flux=0.03),
    "vacancies": document(BOX, {"distribution": "vacancy", "density": 0.3}),
    "rashba": document(BOX, flux=0.03, spin_orbit={"kind": "rashba", "strength": 0.3}),
    "su2 bar": document(BOX, **MODELS["bar"], spin_orbit={"kind": "su2"}),
    "spins": document(BOX, ON_BONDS, SPINS, SPINS, zeeman=[0.1, -0.2, 0.3]),
}


def hamiltonian_of_samples(case: dict[str, Any], realization: int) -> np.ndarray:
    """H (X, M, s, X, M, s) put together from the three arrays, sites numbered y * depth + z."""
    onsite, bonds = mesogpu.sample_onsite(case, realization), mesogpu.sample_bonds(case, realization)
    grid = onsite.shape if onsite.ndim == 3 else (*onsite.shape, 1)
    spins = 2 if bonds.x.ndim > onsite.ndim else 1
    model = case["model"]
    field = np.zeros((*grid, 3)) + np.array(model.get("zeeman", [0.0, 0.0, 0.0]))
    if SPINS in case["disorder"]:
        field = field + mesogpu.sample_spins(case, realization).reshape(*grid, 3)
    hamiltonian = np.zeros((*grid, spins, *grid, spins), dtype=np.complex128)
    directions = [(0, bonds.x), (1, bonds.y)] + ([] if bonds.z is None else [(2, bonds.z)])
    for place in np.ndindex(*grid):
        energy = onsite.reshape(grid)[place]
        if not np.isnan(energy):
            block = energy * np.eye(spins) + (field_matrices(field[place]) if spins == 2 else 0.0)
            hamiltonian[(*place, slice(None), *place, slice(None))] = block
        for axis, array in directions:
            ahead = list(place)
            ahead[axis] += 1
            if axis == 0 and ahead[0] == grid[0]:
                continue
            ahead[axis] %= grid[axis]
            hopping = array.reshape(array.shape[0], *grid[1:], spins, spins)[place]
            hamiltonian[(*ahead, slice(None), *place, slice(None))] += hopping
            hamiltonian[(*place, slice(None), *ahead, slice(None))] += hopping.conj().T
    sites = grid[1] * grid[2]
    return hamiltonian.reshape(grid[0], sites, spins, grid[0], sites, spins)


def hamiltonian_of_slices(case: dict[str, Any], realization: int) -> np.ndarray:
    """The same from what the engines are given."""
    point = next(points(mesogpu.load_experiment(case)))
    slices = point.system.slices(seed=point.seed, realizations=[realization], slices=range(6), point=0)
    sites, spins = slices.lattice.sites, slices.spins
    hamiltonian = np.zeros((6, sites, spins, 6, sites, spins), dtype=np.complex128)
    for k in range(6):
        hamiltonian[k, :, :, k] = slices.intra_slice(k)[0].reshape(sites, spins, sites, spins)
        for site in range(sites if k < 5 else 0):
            if slices.present(k + 1)[0, site * spins]:
                hamiltonian[k + 1, site, :, k, site] = slices.inter_slice(k)[0, site]
                hamiltonian[k, site, :, k + 1, site] = slices.inter_slice(k)[0, site].conj().T
    return hamiltonian


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_samples_make_up_the_hamiltonian(case: dict[str, Any]) -> None:
    np.testing.assert_allclose(hamiltonian_of_samples(case, 3), hamiltonian_of_slices(case, 3), atol=1e-14)


def test_samples_have_the_shape_of_their_lattice() -> None:
    bar = mesogpu.sample_bonds(CASES["su2 bar"], 3)
    assert mesogpu.sample_onsite(CASES["su2 bar"], 3).shape == (6, 3, 4)
    assert (bar.x.shape, bar.y.shape) == ((5, 3, 4, 2, 2), (6, 3, 4, 2, 2))
    assert bar.z is not None
    assert bar.z.shape == (6, 3, 4, 2, 2)
    assert not bar.z[:, :, -1].any()
    assert np.all(bar.y[:, -1] != 0.0)
    strip = mesogpu.sample_bonds(CASES["square"], 3)
    assert (strip.x.shape, strip.y.shape, strip.z) == ((5, 5), (6, 5), None)
    assert not strip.y[:, -1].any()
    assert mesogpu.sample_bonds(CASES["chain"], 3).x.shape == (5, 1)
    assert mesogpu.sample_bonds(document(BOX, length=[1]), 3).x.shape == (0, 5)


def test_missing_sites_are_no_number_and_bear_no_bond() -> None:
    case = CASES["vacancies"]
    missing = np.isnan(mesogpu.sample_onsite(case, 3))
    bonds = mesogpu.sample_bonds(case, 3)
    assert missing.any()
    assert not bonds.x[missing[:-1] | missing[1:]].any()
    assert not bonds.y[:, :-1][missing[:, :-1] | missing[:, 1:]].any()
    both = document({"distribution": "vacancy", "density": 0.3}, SPINS)
    without_spin = np.isnan(mesogpu.sample_spins(both, 3)).all(axis=-1)
    np.testing.assert_array_equal(without_spin, np.isnan(mesogpu.sample_onsite(both, 3)))


def test_spins_add_up_over_the_laws_and_leave_out_the_zeeman_field() -> None:
    spins = mesogpu.sample_spins(document(SPINS, zeeman=[5.0, 0.0, 0.0]), 3)
    assert spins.shape == (6, 5, 3)
    np.testing.assert_allclose(np.linalg.norm(spins, axis=-1), 0.4)
    both = mesogpu.sample_spins(document(SPINS, SPINS), 3)
    assert np.ptp(np.linalg.norm(both, axis=-1)) > 0.3
    bar = document(SPINS, lattice="cubic", width=[3, 4])
    assert mesogpu.sample_spins(bar, 3).shape == (6, 3, 4, 3)


def test_a_model_without_classical_spins_is_told_what_to_add() -> None:
    for case in (CASES["square"], document(BOX, zeeman=[0.1, 0.0, 0.0])):
        with pytest.raises(ConfigError, match=r"no magnetic impurities; add \{on: spins, exchange: J\}"):
            mesogpu.sample_spins(case, 3)


@pytest.mark.parametrize("sample", [mesogpu.sample_onsite, mesogpu.sample_bonds, mesogpu.sample_spins])
@pytest.mark.parametrize(("realization", "point"), [(-1, 0), (2**32, 0), (1.5, 0), (0, 1)])
def test_what_is_out_of_range_is_refused(sample: Any, realization: Any, point: int) -> None:
    with pytest.raises(ConfigError, match="give one from 0 to"):
        sample(CASES["spins"], realization, point)
