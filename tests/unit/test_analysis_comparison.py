"""Two files beside each other: what they share is held pair by pair, what they do not by errors that are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import bar_dataset, bar_experiment, batch_rates, strip_experiment, wire_results

from mesogpu.analysis import analyze, compare
from mesogpu.config.experiment import SweepAxis
from mesogpu.config.load import dump_yaml
from mesogpu.errors import StoreError
from mesogpu.report import comparison_table, comparison_verdicts

LENGTHS = (60, 120)
FLUXES = (0.0, 0.006)
STRIP = strip_experiment(lengths=LENGTHS)


def strip(numbers=1, experiment=STRIP, **attrs):
    fluxes = tuple(row[0] for row in experiment.sweep[0].values) if experiment.sweep else (experiment.flux,)
    attrs = {"config": dump_yaml(experiment), "method": "transmission"} | attrs
    generator = np.random.default_rng(numbers)
    lengths = experiment.model.lengths
    return wire_results(generator, lengths=lengths, fluxes=fluxes, realizations=900, attrs=attrs)


def bars(numbers=1, seed=7, bars=40, slices=100_000):
    experiment = replace(bar_experiment(sweep={"energy": (0.1, 0.2)}, bars=bars, slices=slices), seed=seed)
    rates = batch_rates(np.random.default_rng(numbers), np.array([[0.4], [0.3]]), bars=bars, slices=slices)
    attrs = {"config": dump_yaml(experiment), "method": "lyapunov"}
    return bar_dataset(rates, slices=100_000, parameters={"energy": (0.1, 0.2)}, attrs=attrs)


def all_differences(comparison):
    return [each for entry in comparison["entries"] for each in entry["differences"]]


@pytest.mark.parametrize("make", [strip, bars])
def test_a_file_agrees_with_itself_to_the_last_bit(make):
    comparison = compare(make(), make())
    assert comparison["agrees"] is True
    assert all(entry["pairs"]["same_bits"] for entry in comparison["entries"])
    assert {each["distance"] for each in all_differences(comparison)} <= {0.0, None}
    assert comparison["configurations"] == comparison["settings"] == []
    assert comparison_verdicts(comparison)[0] == "The files agree."
    assert any("equal to the last bit" in sentence for sentence in comparison_verdicts(comparison))


def test_rounding_of_another_arithmetic_is_no_difference():
    # Fault seen to fail it: combined errors without what the certificates leave open.
    other = strip(signature="another")
    for name in ("conductance", "shot_noise"):
        other[name] *= 1.0 + 1e-12
    other["log_conductance"] += 1e-12
    comparison = compare(strip(signature="one"), other)
    assert comparison["agrees"] is True
    assert not comparison["entries"][0]["pairs"]["same_bits"]
    assert comparison["entries"][0]["pairs"]["largest"] == pytest.approx(1e-12, rel=0.1)
    assert comparison["settings"] == [{"path": "signature", "first": "one", "second": "another"}]


def test_one_pair_beyond_its_certificates_is_a_difference_whatever_the_averages_do():
    # Fault seen to fail it: pairs told of but not judged.
    other = strip()
    other["log_conductance"][1, 0, 17] += 1e-6
    comparison = compare(strip(), other)
    assert comparison["agrees"] is False
    assert [entry["pairs"]["agrees"] for entry in comparison["entries"]] == [True, True, False, True]
    assert any("more than both certificates allow" in sentence for sentence in comparison_verdicts(comparison))


def test_a_sample_that_transmits_nothing_must_do_so_in_both_files():
    # Fault seen to fail it: samples with ln g = -inf left out of the pairs.
    closed, other = strip(), strip()
    for results in (closed, other):
        results["status"][0, 0, 3] = 4
        results["conductance"][0, 0, 3], results["shot_noise"][0, 0, 3] = 0.0, 0.0
        results["log_conductance"][0, 0, 3] = -np.inf
    assert compare(closed, other)["agrees"] is True
    comparison = compare(closed, strip())
    assert comparison["agrees"] is False
    assert [entry["pairs"]["apart"] for entry in comparison["entries"]] == [1, 0, 0, 0]
    assert any("1 of them DIFFER" in sentence for sentence in comparison_verdicts(comparison))


def test_failed_and_uncomputed_samples_are_no_pairs():
    other = strip()
    other["status"][0, 0, 5], other["status"][0, 0, 6] = 17, 255
    other["log_conductance"][0, 0, 5:7] = 1.0
    comparison = compare(strip(), other)
    assert comparison["agrees"] is True
    assert comparison["entries"][0]["pairs"]["compared"] == 898


def test_files_of_other_seeds_have_independent_errors():
    other = strip(2, replace(STRIP, seed=5))
    comparison = compare(strip(), other)
    assert comparison["agrees"] is True
    assert comparison["configurations"] == [{"path": "seed", "first": 20261120, "second": 5}]
    for entry in comparison["entries"]:
        assert entry["pairs"] is None
        for each in entry["differences"]:
            assert each["error"] == pytest.approx(np.hypot(each["first"]["error"], each["second"]["error"]))


def test_shared_realizations_make_the_difference_sharp():
    # The first 300 of 900 realizations: var(difference) = s^2 (1/300 - 1/900). Faults seen to fail it: no covariance;
    # that of 300 shared samples not scaled to the 900.
    few = strip().isel(realization=slice(300)).assign_attrs(config=dump_yaml(replace(STRIP, realizations=300)))
    comparison = compare(few, strip())
    assert comparison["agrees"] is True
    for entry in comparison["entries"]:
        assert entry["pairs"]["compared"] == 300
        for each in entry["differences"]:
            expected = each["second"]["error"] * np.sqrt(900.0 * (1.0 / 300.0 - 1.0 / 900.0))
            assert each["error"] == pytest.approx(expected, rel=0.2)


def test_a_shifted_mean_differs_and_is_named():
    other = strip(2, replace(STRIP, seed=5))
    other["conductance"][1, 1] += 0.2
    comparison = compare(strip(), other)
    assert comparison["agrees"] is False
    (apart,) = [s for s in comparison_verdicts(comparison) if s.startswith("<g>")]
    assert "at flux = 0.006, L = 120 DIFFERS" in apart


def test_points_are_the_same_by_their_physics_not_by_their_name():
    # Fault seen to fail it: points matched by their number.
    alone = replace(STRIP, sweep=(), flux=0.006, model=replace(STRIP.model, lengths=(30, 120)))
    other = strip(3, alone)
    swept = strip()
    for name in ("conductance", "log_conductance", "shot_noise"):
        other[name][0, 1] = swept[name][1, 1]
    comparison = compare(swept, other)
    (entry,) = comparison["entries"]
    assert (entry["parameters"], entry["length"]) == ({"flux": 0.006}, 120)
    assert entry["pairs"]["same_bits"]
    assert {each["path"] for each in comparison["configurations"]} == {"model.length", "flux", "sweep.flux"}


def test_independent_points_share_only_with_the_point_of_their_number():
    independent = replace(STRIP, randomness="independent")
    turned = replace(independent, sweep=(SweepAxis(("flux",), ((0.006,), (0.0,))),))
    assert all(entry["pairs"] for entry in compare(strip(1, independent), strip(1, independent))["entries"])
    assert not any(entry["pairs"] for entry in compare(strip(1, independent), strip(2, turned))["entries"])


def test_many_values_are_allowed_four_errors():
    lengths = tuple(range(60, 200, 20))
    many = strip_experiment(lengths=lengths)
    assert compare(strip(1, many), strip(1, many))["limit"] == 4.0
    alone = replace(STRIP, sweep=())
    assert compare(strip(1, alone), strip(1, alone))["limit"] == 3.0


def test_bars_are_compared_by_exponents_with_the_errors_of_the_summary():
    first, second = bars(1, seed=7), bars(2, seed=8)
    comparison = compare(first, second)
    assert comparison["agrees"] is True
    gamma = comparison["entries"][0]["differences"][0]
    assert gamma["first"] == analyze(first)["points"][0]["lyapunov_exponent"]
    assert gamma["error"] == pytest.approx(np.hypot(gamma["first"]["error"], gamma["second"]["error"]))
    table = comparison_table(comparison)
    assert [row[table.columns.index("quantity")] for row in table.rows[:2]] == ["gamma", "Lambda"]


def test_bars_of_unequal_length_that_begin_alike_get_no_verdict():
    # Fault seen to fail it: their errors taken for independent ones.
    comparison = compare(bars(1, seed=7), bars(2, seed=7, slices=200_000))
    assert comparison["agrees"] is None
    assert all(entry["overlaps"] for entry in comparison["entries"])
    sentences = comparison_verdicts(comparison)
    assert any("begin with the same random numbers" in sentence for sentence in sentences)
    assert not any("independent." in sentence for sentence in sentences)
    apart = compare(bars(1, seed=7), bars(2, seed=8, slices=200_000))
    assert apart["agrees"] is True
    assert any("share no realization" in sentence for sentence in comparison_verdicts(apart))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: strip(1, replace(STRIP, energy=0.7)), "no point and length in common"),
        (bars, "one file is of bars"),
        (lambda: strip().drop_attrs(), "no configuration"),
    ],
    ids=["other physics", "bars", "no configuration"],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(other, said):
    with pytest.raises(StoreError, match=said):
        compare(strip(), other())


def test_a_file_without_samples_gets_no_verdict():
    empty = strip()
    empty["status"][:] = 255
    for name in ("conductance", "log_conductance", "shot_noise"):
        empty[name][:] = np.nan
    comparison = compare(strip(), empty)
    assert comparison["agrees"] is None
    assert "nothing that the files could be judged by" in comparison_verdicts(comparison)[0]
