"""Every engine against samples that Kwant solved once: some with a potential of their own, some of every model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engines import ENGINES, needs_kernels
from models import block
from stored_models import stored_models

from mesogpu.backends import greens_inputs
from mesogpu.backends.native import library
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference import direct
from mesogpu.backends.reference.recursion import scatter
from mesogpu.physics.disorder import Gaussian
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.slices import Slices
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Status

CASES = json.loads((Path(__file__).parents[1] / "data" / "kwant_cases.json").read_text())["cases"]


def by_recursion(system: System, slices: Slices, length: int) -> np.ndarray:
    (scattering,) = scatter(system, slices, (length,))
    return np.linalg.svd(scattering.transmission[0], compute_uv=False) ** 2 * 4.0 ** scattering.exponent[0]


def by_direct_solution(system: System, slices: Slices, length: int) -> np.ndarray:
    amplitudes, exponent = direct.transmission_amplitudes(system, slices, length)
    return np.linalg.svd(amplitudes, compute_uv=False) ** 2 * 4.0**exponent


def by_kernel(system: System, slices: Slices, length: int) -> np.ndarray:
    """With the energies where the host gives those that kernels do not draw: correlated ones, here of strength 0."""
    sample = block(replace(system, laws=(Gaussian(0.0, 1.0),)), (length,), count=3)
    with pytest.MonkeyPatch.context() as patch:
        for kernel in (library, greens_inputs):
            patch.setattr(kernel, "given_energies", lambda _, rows: np.repeat(slices.onsite, len(rows), axis=0))
        arrays = NativeBackend().compute(sample)
    # The oracle would have drawn energies of its own.
    assert np.all(arrays["status"] <= Status.REDONE)
    eigenvalues = arrays["transmission_eigenvalues"][0]
    assert np.all(eigenvalues == eigenvalues[0])
    return eigenvalues[0]


def stored_case(case: dict) -> tuple[System, Slices, int]:
    """A stored sample of Kwant's, which brought its own potential."""
    onsite, parameters = np.array(case["onsite"]), case["params"]
    ring = bool(parameters.get("periodic_y", parameters.get("periodic", False)))
    depth = onsite.shape[2] if onsite.ndim == 3 else 1
    system = System(
        lattice=Lattice(case["kind"], onsite.shape[1], depth, (ring, ring and depth > 1)),
        hopping=1.0,
        flux=parameters.get("flux", 0.0),
        energy=case["E"],
        lead_potential=0.0,
        lead_flux=parameters.get("leads_field", True),
        laws=(),
        spin_orbit=SpinOrbit(*parameters["soc"]) if "soc" in parameters else None,
        lead_spin_orbit=parameters.get("leads_soc", True),
    )
    length = len(onsite)
    slices = system.slices(seed=1, realizations=[0], slices=range(length), point=0)
    return system, replace(slices, onsite=onsite.reshape(1, length, -1)), length


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['seed']}")
@pytest.mark.parametrize("solved", [by_recursion, by_direct_solution, pytest.param(by_kernel, marks=needs_kernels)])
def test_every_transmission_eigenvalue_is_kwants(case, solved):
    # Seen to fail with V^dagger in the place of V in the recursion, and with lead 1 attached one slice late.
    computed = solved(*stored_case(case))
    assert len(computed) == case["n_modes"][0]
    np.testing.assert_allclose(computed, case["eigenvalues"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("sample", "exact"), [pytest.param(sample, exact, id=name) for name, sample, exact in stored_models()]
)
def test_every_model_transmits_as_in_kwant(engine, sample, exact):
    # Seen to fail with: the sign of Rashba's bond along y; its strength taken for a share of t; h for -h; the phase of
    # a bond turned round; a plaquette's random flux on its lower bond too; a change of the hopping taken for a share.
    arrays = engine().compute(sample)
    # No sample here is so hard that another engine would have to help.
    assert arrays["status"][0, 0] <= Status.REDONE
    np.testing.assert_allclose(arrays["transmission_eigenvalues"][0, 0], exact, rtol=0, atol=1e-9)
    assert abs(arrays["log_conductance"][0, 0] - np.log(exact.sum())) < 1e-9
