"""Closed forms against numbers printed elsewhere, against brute force, and against each other's limits."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import zeta

from mesogpu.errors import PhysicsError
from mesogpu.physics.closed_forms import (
    box_sum_variance,
    diffusive_fano_factor,
    field_dephasing_length,
    golden_rule_mean_free_path,
    localization_length,
    mean_conductance,
    mean_free_path,
    quasi_1d_variance,
    symmetry_class,
)

REFERENCES = json.loads((Path(__file__).parents[1] / "data" / "closed_form_references.json").read_text())


@pytest.mark.parametrize(
    "case", REFERENCES["box_sums_beta_1"], ids=lambda case: f"{case['aspects']}-{case['periodic']}"
)
def test_box_sum_has_the_printed_values(case):
    # Fault seen to fail it: the transverse sum over n >= 1 without n = 0.
    value = box_sum_variance(case["aspects"], periodic=case["periodic"], beta=1)
    assert value == pytest.approx(case["value"], abs=1.5e-6)


def direct_box_sum(aspect: float, periodic: bool) -> float:
    """The double sum, the inner one in closed form, the outer one with its tail from Hurwitz zeta functions."""

    def inner(c: float) -> float:
        x = math.pi * c
        return math.pi / (4 * c**3) / math.tanh(x) + (math.pi / (2 * c * math.sinh(x))) ** 2 - 1 / (2 * c**4)

    step = 2 * aspect if periodic else aspect
    end = math.ceil(7.0 / step) + 1
    tail = math.pi / (4 * step**3) * zeta(3, end) - zeta(4, end) / (2 * step**4)
    transverse = sum(inner(step * n) for n in range(1, end)) + tail
    return 12 / math.pi**4 * (math.pi**4 / 90 + (2 if periodic else 1) * transverse)


@pytest.mark.parametrize("aspect", [0.2, 0.37, 1.0, 1.9, 3.3, 8.0, 40.0])
@pytest.mark.parametrize("periodic", [False, True])
def test_box_sum_equals_the_double_sum_with_its_tail(aspect, periodic):
    assert box_sum_variance(aspect, periodic=periodic, beta=1) == pytest.approx(
        direct_box_sum(aspect, periodic), rel=1e-8
    )


def test_box_sum_of_a_long_wire_is_two_fifteenths_over_beta():
    for beta in (1, 2, 4):
        assert box_sum_variance(1e4, beta=beta) == pytest.approx(2 / 15 / beta, rel=1e-11)
        assert quasi_1d_variance(1e6, beta=beta) == pytest.approx(2 / 15 / beta, rel=1e-11)


def test_bar_with_one_narrow_side_is_a_strip():
    assert box_sum_variance((1.0, 1e3), beta=1) == pytest.approx(box_sum_variance(1.0, beta=1), rel=2e-6)


@pytest.mark.parametrize("aspect", [0.0, -1.0, math.inf, math.nan])
def test_box_sum_refuses_an_impossible_aspect_ratio(aspect):
    with pytest.raises(PhysicsError, match="aspect ratio"):
        box_sum_variance(aspect, beta=1)


def test_variance_vanishes_in_the_ballistic_limit():
    assert quasi_1d_variance(0.0, beta=1) == 0.0
    assert quasi_1d_variance(1e-3, beta=1) == pytest.approx(2 / 15 * 15e-6, rel=0.01)


def test_one_l_curve_reads_the_tabulated_mean_free_paths():
    # Fault seen to fail it: the s/45 term left out.
    table = REFERENCES["quickstart_strip"]
    for length, conductance, expected in zip(
        table["length"], table["conductance"], table["mean_free_path"], strict=True
    ):
        value = mean_free_path(conductance, length=length, channels=21, beta=1)
        assert value == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_mean_free_path_inverts_the_one_l_curve(beta):
    for s in np.geomspace(1e-3, 40.0, 13):
        conductance = float(mean_conductance(s * 12.5, channels=21, mean_free_path=12.5, beta=beta))
        assert mean_free_path(conductance, length=s * 12.5, channels=21, beta=beta) == pytest.approx(12.5, rel=1e-9)


@pytest.mark.parametrize("conductance", [21.5, 0.001, -1.0, math.nan])
def test_mean_free_path_refuses_a_conductance_off_the_curve(conductance):
    with pytest.raises(PhysicsError, match="one-l curve"):
        mean_free_path(conductance, length=100, channels=21, beta=1)


def test_weak_localization_is_minus_a_third_none_and_plus_a_sixth_per_pair():
    channels, s = 1e9, 1e4
    for beta, expected in ((1, -1 / 3), (2, 0.0), (4, 1 / 6)):
        correction = mean_conductance(s, channels=channels, mean_free_path=1.0, beta=beta) - channels / (1 + s)
        assert correction == pytest.approx(expected, abs=2e-4)


def test_unknown_symmetry_class_is_refused():
    with pytest.raises(PhysicsError, match="beta = 3"):
        mean_conductance(10.0, channels=5, mean_free_path=1.0, beta=3)


@pytest.mark.parametrize("energy", [0.3, -0.8, 1.5])
def test_golden_rule_in_one_dimension_is_the_thouless_localization_length(energy):
    width = 0.1
    value = golden_rule_mean_free_path(1, energy=energy, variance=width**2 / 12)
    assert localization_length(value, channels=1, beta=1) == pytest.approx((96 - 24 * energy**2) / width**2, rel=1e-12)


def test_golden_rule_does_not_depend_on_the_choice_of_degenerate_modes():
    sites, energy, variance = 12, 0.7, 0.05
    transverse = -2 * np.cos(2 * np.pi * np.arange(sites) / sites)
    squared = 4 - (energy - transverse) ** 2
    velocity = np.sqrt(squared[squared > 0])
    # Plane waves: |chi|^2 = 1/M on every site.
    rate = variance / len(velocity) * np.sum(1 / velocity) ** 2 / sites
    value = golden_rule_mean_free_path(sites, energy=energy, variance=variance, periodic=True)
    assert value == pytest.approx(1 / rate, rel=1e-12)


def test_golden_rule_scales_with_hopping_and_is_infinite_without_disorder():
    plain = golden_rule_mean_free_path(10, energy=0.8, variance=1 / 12)
    assert golden_rule_mean_free_path(10, energy=1.6, variance=4 / 12, hopping=2.0) == pytest.approx(plain, rel=1e-12)
    assert golden_rule_mean_free_path(10, energy=0.8, variance=0.0) == math.inf
    with pytest.raises(PhysicsError, match="no open mode"):
        golden_rule_mean_free_path(10, energy=4.5, variance=0.1)


def test_golden_rule_is_near_the_fitted_mean_free_path_of_the_quickstart_strip():
    value = golden_rule_mean_free_path(30, energy=0.8, variance=1 / 12)
    assert value == pytest.approx(REFERENCES["quickstart_strip"]["mean_free_path"][-1], rel=0.1)


def test_fano_factor_is_a_third_and_follows_the_tabulated_strip():
    assert diffusive_fano_factor(1e6, conductance=1.0, beta=2) == pytest.approx(1 / 3)
    assert diffusive_fano_factor(0.0, conductance=math.inf, beta=1) == 0.0
    table = REFERENCES["quickstart_strip"]
    for k in (3, 4):
        s = table["length"][k] / 40.55
        value = diffusive_fano_factor(s, conductance=table["conductance"][k], beta=1)
        assert value == pytest.approx(table["fano"][k], rel=0.02)


def test_localization_length_doubles_when_time_reversal_is_broken():
    assert localization_length(9.85, channels=7, beta=1) == pytest.approx(78.8)
    assert localization_length(9.85, channels=7, beta=2) == pytest.approx(137.9)


def test_symmetry_class_is_definite_only_away_from_the_crossover():
    assert symmetry_class(0.0, width=30, length=10) == 1
    assert field_dephasing_length(0.006, width=30) == pytest.approx(1.531, abs=1e-3)
    assert symmetry_class(0.006, width=30, length=30) == 2
    assert symmetry_class(-0.006, width=30, length=30) == 2
    assert symmetry_class(0.006, width=30, length=15) is None
    assert symmetry_class(1e-5, width=30, length=240) is None
