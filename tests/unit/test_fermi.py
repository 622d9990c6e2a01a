"""The Fermi wave number: its limits at the band edge, and a count of states on a grid."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mesogpu.physics.fermi import fermi_wave_number
from mesogpu.physics.lattices import Lattice

SQUARE, CUBIC = Lattice("square", 30), Lattice("cubic", 6, 6)


@pytest.mark.parametrize("energy", [-3.1, -1.0, 0.0, 0.8, 2.5])
def test_a_square_lattice_holds_as_many_states_as_its_circle(energy):
    # Fault seen to fail it: electrons counted above the band centre instead of holes.
    k = (np.arange(2000) + 0.5) * np.pi / 2000
    share = np.mean(-2 * np.cos(k)[:, None] - 2 * np.cos(k)[None, :] < -abs(energy))
    assert fermi_wave_number(SQUARE, energy) == pytest.approx(math.sqrt(4 * math.pi * share), rel=1e-3)


def test_near_a_band_edge_it_is_that_of_free_electrons():
    # E + 4 = k^2, E + 6 = k^2, E + 2 = k^2 for t = 1.
    assert fermi_wave_number(SQUARE, -3.99) == pytest.approx(0.1, rel=1e-3)
    assert fermi_wave_number(CUBIC, 5.96) == pytest.approx(0.2, rel=5e-3)
    assert fermi_wave_number(Lattice("chain", 1), 1.0) == pytest.approx(math.acos(0.5))


def test_there_is_none_outside_the_band_or_on_other_lattices():
    assert fermi_wave_number(SQUARE, 4.5) is None
    assert fermi_wave_number(Lattice("zigzag", 4), 0.3) is None
