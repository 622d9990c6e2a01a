"""Without disorder every channel is open, on every lattice, in a field and with spin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES
from models import armchair, bar, block, chain, conductor, strip, zigzag

from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("flux", [0.0, 0.013])
@pytest.mark.parametrize(
    "system",
    [
        chain(),
        strip(2),
        strip(12),
        bar(3, 4),
        bar(4, 3, energy=-1.1),
        bar(4, 3, periodic=(False, True), energy=0.7),
        zigzag(6),
        zigzag(7),
        armchair(6),
        armchair(7),
        strip(5, spin_orbit=SpinOrbit("rashba", 0.3)),
        zigzag(6, spin_orbit=SpinOrbit("ando", 0.4)),
        armchair(5, spin_orbit=SpinOrbit("rashba", 0.2)),
        bar(3, 2, spin_orbit=SpinOrbit("rashba", 0.2), energy=0.8),
    ],
    ids=lambda system: f"{system.lattice.kind}-{system.lattice.width}x{system.lattice.depth}-spins{system.spins}",
)
def test_a_clean_conductor_transmits_every_channel(engine, system, flux):
    # Seen to fail with the lead's coupling scaled by the velocity instead of its root, and with lead 1 of a honeycomb
    # taken for an even length everywhere.
    clean = replace(system, laws=(), flux=flux)
    arrays = engine().compute(block(clean, (1, 7, 40), count=1))
    assert clean.channels() > 0
    np.testing.assert_allclose(arrays["transmission_eigenvalues"], 1.0, rtol=0, atol=1e-10)
    np.testing.assert_allclose(arrays["conductance"], clean.channels(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("flux", [0.0, 1 / 6])
@pytest.mark.parametrize("lattice", ["square", "zigzag", "armchair"])
def test_a_clean_tube_threaded_by_whole_quanta_transmits_every_channel(engine, lattice, flux):
    clean = conductor(Lattice(lattice, 6, 1, (True, False)), laws=(), flux=flux, energy=0.55)
    assert clean.channels() > 0
    arrays = engine().compute(block(clean, (1, 6, 21), count=1))
    np.testing.assert_allclose(arrays["transmission_eigenvalues"], 1.0, rtol=0, atol=1e-10)
