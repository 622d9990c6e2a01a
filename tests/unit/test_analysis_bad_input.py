"""Every analysis on too little or on damaged data says what is missing, and stays plain JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import dataset, strip_experiment

from mesogpu.analysis import analyze
from mesogpu.config.experiment import SweepAxis
from mesogpu.report import verdicts

FLUXES = (0.004, 0.005, 0.006, 0.007, 0.008)


def swept(realizations, *, lengths=(60, 240), level=3.0, spread=0.36, uncomputed=0, not_finite=0, failed=0):
    """A sweep over flux with eigenvalues, and its experiment."""
    shape = (len(FLUXES), len(lengths), realizations)
    generator = np.random.default_rng(1)
    logarithms = np.log(level) + spread * generator.standard_normal(shape)
    conductance, status = np.exp(logarithms), np.zeros(shape, np.uint8)
    if uncomputed:
        status[1:, :, -uncomputed:], status[-1] = 255, 255
    status[0, :, :failed] = 16
    conductance[:, 0, :not_finite] = np.nan
    results = dataset(
        np.where(status == 255, np.nan, conductance),
        lengths=lengths,
        log_conductance=np.where(status == 255, np.nan, logarithms),
        shot_noise=np.where(status == 255, np.nan, 0.3 * conductance),
        status=status,
        parameters={"flux": FLUXES},
    )
    eigenvalues = np.clip(conductance[..., None] / 21 * np.ones(21), 0.0, 1.0)
    results["transmission_eigenvalues"] = (("point", "length", "realization", "channel"), eigenvalues)
    axis = SweepAxis(("flux",), tuple((flux,) for flux in FLUXES))
    experiment = replace(strip_experiment(lengths=lengths, fluxes=(0.0,)), sweep=(axis,))
    return results, experiment


CASES = {
    "no realization": {"realizations": 0},
    "one realization": {"realizations": 1},
    "two realizations": {"realizations": 2},
    "localized, one realization": {"realizations": 1, "level": 1e-3},
    "localized, one length": {"realizations": 50, "level": 1e-3, "lengths": (400,)},
    "nothing computed": {"realizations": 40, "uncomputed": 40, "failed": 40},
    "unfinished": {"realizations": 40, "uncomputed": 25},
    "not finite": {"realizations": 40, "not_finite": 40},
    "all alike": {"realizations": 40, "spread": 0.0},
}


@pytest.mark.parametrize("options", CASES.values(), ids=CASES.keys())
def test_whatever_the_data_the_analyses_are_plain_and_every_gap_is_explained(options):
    # Fault seen to fail it: a record without results that said nothing.
    results, experiment = swept(**options)
    summary = analyze(results, experiment=experiment)
    json.dumps(summary, allow_nan=False)
    assert verdicts(summary)
    for record in summary["analyses"]:
        known = [
            r for r in record["results"] if r["value"] is not None and (r["error"] is not None or not r["samples"])
        ]
        assert known or len(record.get("missing", "")) > 20, record
        assert "nan" not in record.get("missing", "").lower()


def test_failed_and_uncomputed_samples_are_in_no_analysis():
    clean, experiment = swept(60)
    broken, _ = swept(60, failed=20)
    broken["conductance"][0, :, :20] = 1e6
    kept = clean.isel(realization=slice(20, None))
    ours, theirs = (analyze(each, experiment=experiment)["analyses"] for each in (broken, kept))
    for kind in ("paired_difference", "conductance_cumulants", "current_cumulants", "transmission_density"):
        first, second = (next(r for r in records if r["kind"] == kind) for records in (ours, theirs))
        for a, b in zip(first["results"], second["results"], strict=True):
            assert a["value"] == pytest.approx(b["value"], rel=1e-8)
            assert a["samples"] == b["samples"] == 40


def test_an_unfinished_sweep_says_which_analysis_waits():
    results, experiment = swept(40, uncomputed=25)
    records = analyze(results, experiment=experiment)["analyses"]
    waiting = [record for record in records if record["kind"] == "correlation"]
    assert all("let the run go on" in record["missing"] for record in waiting)


def test_a_sweep_without_a_parameter_asks_for_nothing():
    results, experiment = swept(40)
    single = results.isel(point=slice(0, 1)).drop_vars("flux")
    kinds = {record["kind"] for record in analyze(single, experiment=replace(experiment, sweep=()))["analyses"]}
    assert kinds == {"regime", "conductance_cumulants", "current_cumulants", "transmission_density"}
