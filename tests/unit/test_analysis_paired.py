"""Paired differences: what each realization shows, and only where realizations are shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import correlated_normal, dataset, strip_experiment, wire_results

from mesogpu.analysis import analyze
from mesogpu.report import verdicts

FLUXES = (0.0, 0.004)


def of_kind(summary, kind):
    return [record for record in summary["analyses"] if record["kind"] == kind]


def shared_pair(generator, realizations, lengths=(80,), correlation=0.9):
    """g at two fluxes, 0.2 apart, from shared realizations."""
    numbers = correlated_normal(generator, realizations, 2 * len(lengths), correlation).reshape(2, len(lengths), -1)
    return 3.0 + 0.36 * numbers + np.array([0.0, 0.2])[:, None, None]


def paired(conductance, lengths=(80,), fluxes=FLUXES, randomness="common", **arguments):
    experiment = replace(strip_experiment(lengths=lengths, fluxes=fluxes, disorder=2.0), randomness=randomness)
    results = dataset(conductance, lengths=lengths, parameters={"flux": fluxes}, **arguments)
    return analyze(results, experiment=experiment)


def test_the_difference_is_that_of_each_realization():
    # Fault seen to fail it: the mean of the reference subtracted, not its sample.
    conductance = shared_pair(np.random.default_rng(1), 500, lengths=(80, 160))
    (record,) = of_kind(paired(conductance, lengths=(80, 160)), "paired_difference")
    assert [result["where"]["length"] for result in record["results"]] == [160, 80]
    for result, length in zip(record["results"], (1, 0), strict=True):
        each = conductance[1, length] - conductance[0, length]
        assert result["value"] == pytest.approx(each.mean(), rel=1e-12)
        assert result["error"] == pytest.approx(each.std(ddof=1) / np.sqrt(500), rel=1e-10)
        assert result["samples"] == 500
    assert record["curve"]["series"][0]["value"][0] == 0.0


def test_a_sample_that_failed_on_either_side_is_left_out_on_both():
    conductance = shared_pair(np.random.default_rng(3), 300)
    status = np.zeros(conductance.shape, np.uint8)
    conductance[0, 0, :20], status[0, 0, :20] = 1e6, 16
    conductance[1, 0, 20:50] = np.nan
    result = of_kind(paired(conductance, status=status), "paired_difference")[0]["results"][0]
    each = (conductance[1, 0] - conductance[0, 0])[50:]
    assert result["samples"] == 250
    assert result["value"] == pytest.approx(each.mean(), rel=1e-10)


def test_points_with_realizations_of_their_own_are_refused_with_the_remedy():
    (record,) = of_kind(
        paired(shared_pair(np.random.default_rng(4), 100), randomness="independent"), "paired_difference"
    )
    assert record["results"] == []
    assert "randomness: common" in record["missing"]
    assert any(
        "MISSING" in s and "randomness: common" in s
        for s in verdicts(paired(shared_pair(np.random.default_rng(4), 100), randomness="independent"))
    )


@pytest.mark.parametrize(("offset", "agrees"), [(0.187, True), (1 / 3, False)])
def test_the_tabulated_strip_judges_the_difference_and_a_bare_third_is_wrong(offset, agrees):
    conductance = shared_pair(np.random.default_rng(5), 4000)
    conductance[1] += offset - 0.2
    summary = paired(conductance)
    (check,) = [each for each in summary["checks"] if each["what"] == "conductance_difference"]
    assert (check["reference"], check["reference_error"], check["agrees"]) == (0.187, 0.010, agrees)
    assert any("<g>(0.004) - <g>(0)" in s and ("DIFFERS" in s) is not agrees for s in verdicts(summary))


def test_two_axes_give_one_record_for_each_line_of_the_grid():
    grid = [(flux, energy) for flux in (0.0, 0.006) for energy in (0.7, 0.8, 0.9)]
    conductance = 3.0 + np.random.default_rng(6).standard_normal((6, 1, 50))
    fluxes, energies = zip(*grid, strict=True)
    results = dataset(conductance, lengths=(240,), parameters={"flux": fluxes, "energy": energies})
    experiment = strip_experiment(lengths=(240,), fluxes=(0.0, 0.006))
    axis = replace(experiment.sweep[0], paths=("energy",), values=((0.7,), (0.8,), (0.9,)))
    summary = analyze(results, experiment=replace(experiment, sweep=(*experiment.sweep, axis)))
    records = of_kind(summary, "paired_difference")
    assert [record["where"]["parameters"] for record in records] == [
        {"energy": 0.7},
        {"energy": 0.8},
        {"energy": 0.9},
        {"flux": 0.0},
        {"flux": 0.006},
    ]


def test_a_coherent_wire_has_its_law_beside_and_one_realization_says_what_is_missing():
    results = wire_results(np.random.default_rng(7), realizations=300)
    (record,) = of_kind(analyze(results, experiment=strip_experiment()), "paired_difference")
    lines = record["curve"]["theory"]
    assert [line["label"][-3:] for line in lines] == ["120", "180", "240"]
    assert not any(line["claimed"] for line in lines)
    assert 0.3 < lines[-1]["value"][-1] < 1 / 3
    single = analyze(results.isel(realization=slice(0, 1)), experiment=strip_experiment())
    assert "let the run go on" in of_kind(single, "paired_difference")[0]["missing"]
