"""Localization lengths of strips, bars and wires against published and independently computed ones.

Every claim has a short run and, with `-m landmarks`, one at full statistics. Seeds were fixed beforehand.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mesogpu.backends.native import compiler
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Uniform
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Block, Point, Status

try:
    compiler.find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

from measured_bars import SEED, measure, native, tolerance

REFERENCES = json.loads((Path(__file__).parents[1] / "data" / "lyapunov_references.json").read_text())
SHORT_AND_FULL = [pytest.param(1, id="short"), pytest.param(8, id="full", marks=pytest.mark.landmarks)]
"""How many times as many slices."""


def system(lattice: Lattice, energy: float, disorder: float, coupling: SpinOrbit | None = None) -> System:
    return System(lattice, 1.0, 0.0, energy, 0.0, True, (Uniform(disorder),), coupling)


def ring(width: int, energy: float, disorder: float, coupling: SpinOrbit | None = None) -> System:
    return system(Lattice("square", width, 1, (True, False)), energy, disorder, coupling)


@pytest.mark.parametrize("longer", SHORT_AND_FULL)
@pytest.mark.parametrize("row", REFERENCES["bars"]["rows"], ids=lambda row: f"{row['width']} x {row['width']}")
def test_bars_near_the_anderson_transition_have_their_localization_lengths(row: dict, longer: int) -> None:
    # Seen to fail with W = 16.5 in place of half of it on either side, with hard sides, and with the second exponent.
    width = row["width"]
    bar = system(Lattice("cubic", width, width, (True, True)), 0.0, 16.5)
    slices = {4: 8_000, 6: 8_000, 8: 5_000}[width] * longer
    found, error = measure(bar, 64 if longer > 1 else 32, slices, 500).reduced_length(width)
    assert abs(found - row["value"]) <= tolerance(error, row["error"])
    assert error / found < (0.002 if longer > 1 else 0.008)


@pytest.mark.parametrize("longer", SHORT_AND_FULL)
@pytest.mark.parametrize("row", REFERENCES["strips"]["rows"], ids=lambda row: f"W {row['disorder']}, M {row['width']}")
def test_strips_have_their_localization_lengths(row: dict, longer: int) -> None:
    width = row["width"]
    found, error = measure(ring(width, 0.0, row["disorder"]), 64, 8_000 * longer, 2_000).reduced_length(width)
    assert abs(found - row["value"]) <= tolerance(error, row["error"])


@pytest.mark.parametrize("longer", SHORT_AND_FULL)
@pytest.mark.parametrize("row", REFERENCES["su2"]["rows"], ids=lambda row: f"M {row['width']}")
def test_the_symplectic_transition_has_its_critical_length_and_pairs_of_exponents(row: dict, longer: int) -> None:
    # Seen to fail with bonds of random phases in place of random rotations, which localize.
    width, critical = row["width"], REFERENCES["su2"]["critical"]
    measured = measure(ring(width, 1.0, 5.952, SpinOrbit("su2", 1.0)), 32, 16_000 * longer, 2_000, exponents=None)
    pairs = measured.values.reshape(width, 2)
    np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], rtol=0, atol=1e-10)
    found, error = measured.reduced_length(width)
    assert abs(found - row["value"]) <= tolerance(error, row["error"])
    assert abs(found / critical["value"] - 1.0) <= tolerance(error / found, demand=0.02)


@pytest.mark.parametrize("longer", SHORT_AND_FULL)
def test_a_wire_has_the_exponents_of_its_mean_free_path(longer: int) -> None:
    # gamma_n = n / ((N + 1) l) up to the middle of the spectrum. Seen to fail with N for N + 1, at full statistics.
    wire = REFERENCES["wire"]
    strip = system(Lattice("square", 30), 0.8, 1.0)
    assert strip.channels() == wire["channels"]
    found = measure(strip, 64 if longer > 1 else 32, 64_000 * longer, 10_000, exponents=10)
    numbers = np.arange(1, 11)
    expected = numbers / ((wire["channels"] + 1.0) * wire["mean_free_path"])
    ratios, errors = found.values / expected, found.errors / expected
    assert abs(ratios[0] - 1.0) <= tolerance(errors[0], demand=0.02)
    for ratio, error in zip(ratios, errors, strict=True):
        assert abs(ratio - 1.0) <= tolerance(error, demand=0.05)


@pytest.mark.parametrize("longer", SHORT_AND_FULL)
def test_transmission_decays_with_the_smallest_exponent(longer: int) -> None:
    # <ln g> falls by 2 gamma a slice beyond five localization lengths. Seen to fail with gamma for 2 gamma.
    strip = system(Lattice("square", 6), 0.8, 2.0)
    gamma, error = measure(strip, 32, 50_000 * longer, 2_000).smallest
    assert 30.0 < 1.0 / gamma < 80.0
    near, far = (round(lengths / gamma) for lengths in (5.0, 10.0))
    count = 2_000 * longer
    (result,) = native().run([Block(Point(0, (), strip, (near, far), SEED + 1, 0, False, False), 0, 0, count)])
    assert np.all(result.arrays["status"] <= Status.ORACLE)
    falls = -np.diff(result.arrays["log_conductance"], axis=0)[0] / (2.0 * (far - near))
    assert abs(falls.mean() - gamma) <= tolerance(error, falls.std(ddof=1) / np.sqrt(count))
