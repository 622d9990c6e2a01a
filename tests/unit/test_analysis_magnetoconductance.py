"""Coherence lengths from made-up magnetoconductances with correlated points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from analysis_datasets import correlated_normal
from scipy.stats import kstest

from mesogpu.analysis.magnetoconductance import fit_film, fit_wire
from mesogpu.errors import PhysicsError
from mesogpu.physics.weak_localization import hikami_larkin_nagaoka, wire_correction

README = Path(__file__).parents[2] / "README.md"
SAMPLES = 400
SETS = 200
FILM_FLUXES = np.geomspace(2e-6, 2e-2, 12)
WIRE_FLUXES = np.geomspace(2e-5, 2e-3, 8)


def measured(generator, curve, spread):
    """Differences of one set of realizations around the curve, neighbours correlated by 0.8, and their covariance."""
    numbers = curve[:, None] + spread * correlated_normal(generator, SAMPLES, len(curve), 0.8)
    return numbers.mean(1), np.cov(numbers) / SAMPLES


def judge(fits, truth):
    """Parameters recovered, errors as large as the scatter, p-values uniform."""
    values, errors = (np.array([getattr(each, name) for each in fits]) for name in ("lengths", "errors"))
    pulls = (np.log(values) - np.log(truth)) / (errors / values)
    assert np.all(np.abs(pulls.mean(0)) < 0.3), pulls.mean(0)
    assert pulls.std(0) == pytest.approx(np.ones(len(truth)), abs=0.15)
    assert kstest([each.fit.p_value for each in fits], "uniform").pvalue > 0.02


@pytest.mark.parametrize("truth", [(200.0,), (200.0, 25.0)], ids=["plain", "spin-orbit"])
def test_the_lengths_of_a_film_come_back_with_uniform_p_values(truth):
    # Fault seen to fail it: only the diagonal of the covariance used.
    generator = np.random.default_rng(1)
    lengths = dict(zip(("dephasing_length", "spin_orbit_length"), truth, strict=False))
    curve = hikami_larkin_nagaoka(FILM_FLUXES, elastic_length=4.0, **lengths)
    fits = []
    for _ in range(SETS):
        values, covariance = measured(generator, curve, 0.3)
        start = tuple(1.5 * each for each in truth)
        fits.append(fit_film(FILM_FLUXES, values, covariance, samples=SAMPLES, elastic_length=4.0, start=start))
    judge(fits, truth)


def test_known_magnetic_scattering_is_taken_into_account():
    truth = (300.0, 20.0)
    lengths = {"elastic_length": 4.0, "magnetic_length": 120.0}
    curve = hikami_larkin_nagaoka(FILM_FLUXES, dephasing_length=300.0, spin_orbit_length=20.0, **lengths)
    fit = fit_film(FILM_FLUXES, curve, 1e-12 * np.eye(12), samples=SAMPLES, start=(200.0, 30.0), **lengths)
    assert fit.lengths == pytest.approx(truth, rel=1e-6)


def test_the_example_of_the_readme_finds_both_lengths():
    curve = hikami_larkin_nagaoka(FILM_FLUXES, elastic_length=4.0, dephasing_length=200.0, spin_orbit_length=25.0)
    names = {"fluxes": FILM_FLUXES, "differences": curve, "covariance": 1e-10 * np.eye(len(curve))}
    code = README.read_text(encoding="utf-8").split("<!-- fit-film -->\n```python\n")[1].split("```")[0]
    exec(code, names)
    assert names["fit"].lengths == pytest.approx((200.0, 25.0), rel=1e-4)


def test_what_the_data_cannot_tell_apart_is_said():
    # No spin-orbit coupling at all: its length runs away.
    curve = hikami_larkin_nagaoka(FILM_FLUXES[:3], elastic_length=4.0, dephasing_length=1e-3)
    with pytest.raises(PhysicsError, match=r"tell|no value"):
        fit_film(FILM_FLUXES[:3], 0 * curve, 1e-2 * np.eye(3), samples=SAMPLES, elastic_length=4.0, start=(1e-6, 1e9))


def test_the_coherence_length_of_a_wire_comes_back_with_uniform_p_values():
    generator = np.random.default_rng(2)
    law = wire_correction(400.0, np.append(WIRE_FLUXES, 0.0), width=20, dephasing_length=90.0)
    curve, fits = law[:-1] - law[-1], []
    for _ in range(SETS):
        values, covariance = measured(generator, curve, 0.1)
        fits.append(fit_wire(WIRE_FLUXES, values, covariance, samples=SAMPLES, length=400.0, width=20, start=60.0))
    judge(fits, (90.0,))
