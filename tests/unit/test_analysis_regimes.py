"""The regime of each point: its numbers agree with each other, and the words with the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from analysis_datasets import dataset, strip_experiment, wire_results

from mesogpu.analysis import analyze
from mesogpu.report import verdicts


def regime(results, **options):
    summary = analyze(results, experiment=strip_experiment(**options))
    return [record for record in summary["analyses"] if record["kind"] == "regime"], summary


def test_the_quickstart_strip_is_ballistic_and_then_diffusive():
    # Fault seen to fail it: L <= xi for L <= l.
    records, summary = regime(wire_results(np.random.default_rng(1)))
    numbers = {result["name"]: result["value"] for result in records[0]["results"]}
    assert numbers["channels"] == 21
    assert numbers["mean_free_path"] == pytest.approx(40.5, rel=0.01)
    assert numbers["localization_length"] == pytest.approx(22 * numbers["mean_free_path"])
    assert numbers["disorder_parameter"] == pytest.approx(
        2 * math.pi / numbers["fermi_wavelength"] * numbers["mean_free_path"]
    )
    assert records[0]["words"] == "ballistic at L = 30, diffusive at L = 60 to 240"
    assert any(s.startswith("Regime at flux = 0: ballistic at L = 30") for s in verdicts(summary))


def test_a_point_that_only_the_golden_rule_covers_is_localized_by_it():
    lengths = (500, 5000)
    numbers = np.full((1, 2, 50), 0.01) + 1e-3 * np.random.default_rng(2).random((1, 2, 50))
    (record,), _ = regime(dataset(numbers, lengths=lengths), lengths=lengths, fluxes=(0.0,))
    assert record["words"] == "at the onset of localization at L = 500, localized at L = 5000"
    assert "golden rule" in record["results"][-1]["how"]


def test_without_a_mean_free_path_the_reason_is_given():
    (record,), _ = regime(wire_results(np.random.default_rng(3), fluxes=(0.0,)), fluxes=(0.05,))
    assert "bends trajectories" in record["missing"]
    assert [result["name"] for result in record["results"]] == ["channels", "fermi_wavelength"]
