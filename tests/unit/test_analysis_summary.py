"""The summary of a results file: its entries, what is left out, theory beside it, and that it is JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from analysis_datasets import correlated_normal, dataset, strip_experiment, wire_results

from mesogpu.analysis import analyze, samples
from mesogpu.config.load import dump_yaml
from mesogpu.errors import StoreError
from mesogpu.physics.closed_forms import box_sum_variance

STATISTICS = ("conductance_mean", "conductance_variance", "log_conductance_mean", "log_conductance_variance")
LENGTHS = (30, 60, 120, 180, 240)


def plain_results(realizations=500, points=1, **arguments):
    numbers = correlated_normal(np.random.default_rng(1), realizations, 5 * points, 0.8).reshape(points, 5, -1)
    return dataset(5.0 + 0.36 * numbers, lengths=LENGTHS, **arguments)


def test_entries_come_in_canonical_order_with_their_parameters():
    results = plain_results(points=3, parameters={"flux": [0.0, 0.006, 0.01], "energy": [0.8, 0.8, 0.9]})
    entries = analyze(results)["points"]
    assert [entry["length"] for entry in entries] == list(LENGTHS) * 3
    assert [entry["parameters"]["flux"] for entry in entries] == [0.0] * 5 + [0.006] * 5 + [0.01] * 5
    assert entries[-1]["parameters"] == {"flux": 0.01, "energy": 0.9}
    assert {entry["channels"] for entry in entries} == {21}


def test_values_are_those_of_the_stored_samples():
    results = wire_results(np.random.default_rng(2), realizations=300)
    entry = analyze(results)["points"][7]
    sample = results.isel(point=1, length=2)
    conductance, noise = sample["conductance"].to_numpy(), sample["shot_noise"].to_numpy()
    assert entry["conductance_mean"]["value"] == pytest.approx(conductance.mean(), rel=1e-13)
    assert entry["conductance_mean"]["error"] == pytest.approx(conductance.std(ddof=1) / np.sqrt(300), rel=1e-12)
    assert entry["conductance_variance"]["value"] == pytest.approx(conductance.var(ddof=1), rel=1e-12)
    assert entry["log_conductance_variance"]["value"] == pytest.approx(np.log(conductance).var(ddof=1), rel=1e-12)
    assert entry["fano"]["value"] == pytest.approx(noise.mean() / conductance.mean(), rel=1e-12)
    assert entry["realizations"] == 300


def test_the_summary_is_json_whatever_the_data():
    # Fault seen to fail it: NaN of an empty column let through.
    awkward = [
        wire_results(np.random.default_rng(3), realizations=64),
        plain_results(realizations=1),
        dataset(np.zeros((1, 5, 8)), lengths=LENGTHS, status=np.full((1, 5, 8), 3, np.uint8), channels=0),
        dataset(np.full((1, 5, 8), np.nan), lengths=LENGTHS, status=np.full((1, 5, 8), 255, np.uint8)),
        dataset(np.full((1, 5, 8), np.nan), lengths=LENGTHS, status=np.full((1, 5, 8), 17, np.uint8)),
        dataset(np.empty((1, 5, 0)), lengths=LENGTHS),
    ]
    for results in awkward:
        experiment = strip_experiment(fluxes=(0.0, 0.006)[: results.sizes["point"]])
        text = json.dumps(analyze(results, experiment=experiment), allow_nan=False)
        assert len(json.loads(text)["points"]) == 5 * results.sizes["point"]


def test_one_realization_has_values_and_no_errors():
    entry = analyze(plain_results(realizations=1), experiment=strip_experiment(fluxes=(0.0,)))["points"][-1]
    assert entry["conductance_mean"]["value"] is not None
    assert entry["conductance_mean"]["error"] is None
    assert entry["conductance_variance"]["value"] is None
    assert entry["conductance_mean"]["reliable"] is False


def test_shot_noise_that_was_not_recorded_has_no_fano_factor():
    assert all("fano" not in entry for entry in analyze(plain_results())["points"])


def test_failed_samples_are_left_out_and_counted():
    # Fault seen to fail it: failures counted but kept.
    clean = plain_results()
    broken = clean.copy(deep=True)
    broken["conductance"][0, 2, :20] = 1e6
    broken["status"][0, 2, :20] = 16
    broken["conductance"][0, 2, 20] = np.nan
    broken["status"][0, 2, 20] = 17
    broken["conductance"][0, 3, 5] = np.inf
    ours, theirs = analyze(broken), analyze(clean.isel(realization=slice(21, None)))
    assert [entry["failed"] for entry in ours["points"]] == [0, 0, 21, 1, 0]
    assert [entry["realizations"] for entry in ours["points"]] == [500, 500, 479, 499, 500]
    for name in STATISTICS:
        assert ours["points"][2][name]["value"] == pytest.approx(theirs["points"][2][name]["value"], rel=1e-10)
        assert ours["points"][2][name]["error"] == pytest.approx(theirs["points"][2][name]["error"], rel=1e-10)
    assert ours["complete"] is True


def test_redone_samples_count():
    results = plain_results()
    results["status"][0, :, ::3] = 1
    results["status"][0, :, 1::3] = 2
    assert analyze(results)["points"][0]["realizations"] == 500


def test_leads_without_channels_have_zero_conductance_and_no_logarithm():
    status = np.full((1, 5, 50), 3, np.uint8)
    entry = analyze(dataset(np.zeros((1, 5, 50)), lengths=LENGTHS, status=status, channels=0))["points"][0]
    assert entry["conductance_mean"] == {"value": 0.0, "error": 0.0, "reliable": True}
    assert entry["log_conductance_mean"]["value"] is None
    assert entry["failed"] == 0


def test_an_unfinished_file_is_analyzed_as_far_as_it_is_committed():
    whole = wire_results(np.random.default_rng(4), realizations=400)
    part = whole.copy(deep=True)
    for name in ("conductance", "log_conductance", "shot_noise"):
        part[name][1, :, 128:] = np.nan
    part["status"][1, :, 128:] = 255
    summary, expected = analyze(part), analyze(whole.isel(realization=slice(0, 128)))
    assert summary["complete"] is False
    assert summary["points"][9]["realizations"] == 128
    assert summary["points"][9]["not_computed"] == 272
    assert summary["points"][9]["fano"]["value"] == pytest.approx(expected["points"][9]["fano"]["value"], rel=1e-12)
    assert summary["points"][0]["realizations"] == 400


@pytest.mark.parametrize("chunk", [1, 37, 5000])
def test_the_summary_does_not_depend_on_the_chunk(monkeypatch, chunk):
    results = wire_results(np.random.default_rng(5), realizations=100)
    expected = analyze(results)
    monkeypatch.setattr(samples, "CHUNK_VALUES", chunk)
    for ours, theirs in zip(analyze(results)["points"], expected["points"], strict=True):
        for name in (*STATISTICS, "fano"):
            assert ours[name]["value"] == pytest.approx(theirs[name]["value"], rel=1e-12)
            assert ours[name]["error"] == pytest.approx(theirs[name]["error"], rel=1e-8)


def test_heavy_tails_are_marked_and_their_verdicts_withheld():
    numbers = np.exp(2.0 * np.random.default_rng(6).standard_normal((1, 5, 2000)))
    summary = analyze(dataset(numbers, lengths=LENGTHS), experiment=strip_experiment(fluxes=(0.0,)))
    assert summary["points"][0]["conductance_variance"]["reliable"] is False
    assert summary["points"][0]["log_conductance_variance"]["reliable"] is True
    verdicts = [check for check in summary["checks"] if check["what"] == "conductance_variance"]
    assert verdicts
    assert all(check["agrees"] is None for check in verdicts)


def test_theory_stands_only_beside_entries_in_its_regime():
    results = wire_results(np.random.default_rng(7), fluxes=(0.0, 0.006, 1e-4))
    summary = analyze(results, experiment=strip_experiment(fluxes=(0.0, 0.006, 1e-4)))
    theory = {(e["parameters"]["flux"], e["length"]): set(e.get("theory", {})) for e in summary["points"]}
    assert theory[0.0, 240] == theory[0.006, 240] == {"conductance_mean", "conductance_variance", "fano"}
    assert theory[0.0, 180] == {"conductance_mean", "fano"}
    assert theory[0.0, 120] == {"conductance_mean"}
    assert theory[0.0, 30] == theory[0.0, 60] == set()
    # L_B = 92 sites: no definite symmetry class up to 240 slices.
    assert all(not theory[1e-4, length] for length in LENGTHS)
    assert summary["fits"]["one_l"][2]["l"] is None
    assert "symmetry class" in summary["fits"]["one_l"][2]["reason"]


def test_theory_values_are_the_closed_forms_at_the_actual_shape():
    summary = analyze(wire_results(np.random.default_rng(8)), experiment=strip_experiment())
    for entry, beta in ((summary["points"][4], 1), (summary["points"][9], 2)):
        expected = box_sum_variance(8.0, beta=beta)
        theory = entry["theory"]["conductance_variance"]
        assert theory["value"] == pytest.approx(expected)
        assert theory["model_error"] == pytest.approx(0.08 * expected)
        assert "8 %" in theory["source"]
        verdict = next(
            check
            for check in summary["checks"]
            if check["what"] == "conductance_variance" and check["source"] == theory["source"]
        )
        assert verdict["agrees"] is True


def test_a_variance_of_the_wrong_class_is_noticed():
    # The fault: beta = 2 samples labelled as beta = 1.
    results = wire_results(np.random.default_rng(9), fluxes=(0.006,))
    summary = analyze(results, experiment=strip_experiment(fluxes=(0.0,)))
    verdicts = {
        (check["what"], check["where"]["length"]): check["agrees"]
        for check in summary["checks"]
        if "box sum" in check["source"]
    }
    assert verdicts == {("conductance_variance", 240): False}


def test_the_quickstart_strip_is_compared_with_its_table():
    summary = analyze(wire_results(np.random.default_rng(10)), experiment=strip_experiment())
    tabulated = [check for check in summary["checks"] if "table" in check["source"]]
    assert len(tabulated) == 20
    verdict = next(c for c in tabulated if c["what"] == "conductance_mean" and c["where"]["length"] == 240)
    assert (verdict["reference"], verdict["reference_error"]) == (2.833, 0.002)
    assert verdict["agrees"] is True
    other = analyze(wire_results(np.random.default_rng(10)), experiment=strip_experiment(disorder=1.01))
    assert not [check for check in other["checks"] if "table" in check["source"]]


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (1e-6, False)])
def test_a_clean_strip_conducts_its_channels_exactly(shift, agrees):
    results = dataset(np.full((1, 5, 16), 21.0 + shift), lengths=LENGTHS)
    summary = analyze(results, experiment=strip_experiment(fluxes=(0.0,), disorder=0.0))
    verdicts = [check for check in summary["checks"] if check["what"] == "conductance_mean"]
    assert len(verdicts) == 5
    # Sixteen equal samples: each carries more than 2 % of the sum, so the verdict needs more of them.
    assert all(check["agrees"] is None for check in verdicts)
    results = dataset(np.full((1, 5, 64), 21.0 + shift), lengths=LENGTHS)
    summary = analyze(results, experiment=strip_experiment(fluxes=(0.0,), disorder=0.0))
    assert all(check["agrees"] is agrees for check in summary["checks"])


def test_without_an_experiment_there_is_no_theory():
    summary = analyze(plain_results())
    assert summary["fits"]["one_l"] == []
    assert summary["checks"] == []
    assert all("theory" not in entry for entry in summary["points"])


def test_the_experiment_is_read_from_the_file_itself():
    experiment = strip_experiment()
    results = wire_results(np.random.default_rng(11), attrs={"config": dump_yaml(experiment)})
    assert analyze(results) == analyze(results, experiment=experiment)
    assert analyze(results)["checks"]


def test_edge_states_and_chains_have_no_diffusive_theory():
    for experiment in (strip_experiment(fluxes=(0.05,)), strip_experiment(fluxes=(0.0,), width=1)):
        fit = analyze(plain_results(), experiment=experiment)["fits"]["one_l"][0]
        assert fit["l"] is None
        assert "disordered strip" in fit["reason"]


def test_results_of_another_experiment_are_refused():
    with pytest.raises(StoreError, match="1 sweep points, but the experiment stored with them has 2"):
        analyze(plain_results(), experiment=strip_experiment())


def test_a_dataset_that_is_not_ours_is_refused_by_name():
    with pytest.raises(StoreError, match=r"no variable status, slices.*open_results"):
        analyze(plain_results().drop_vars(["status", "slices"]))
