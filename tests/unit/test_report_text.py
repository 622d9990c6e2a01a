"""Numbers, tables and verdicts as people read them."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_datasets import dataset, strip_experiment, wire_results

from mesogpu.analysis import analyze
from mesogpu.report import summary_table, verdicts
from mesogpu.report.numbers import quantity, with_error

VARIANCES = {0.0: [0.1896, 0.1703, 0.1434, 0.1330, 0.1284], 0.006: [0.1516, 0.1134, 0.0824, 0.0746, 0.0715]}


@pytest.fixture(scope="module")
def summary():
    return analyze(wire_results(np.random.default_rng(1), variances=VARIANCES), experiment=strip_experiment())


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.12843, 0.00281, "0.1284(28)"),
        (2.83712, 0.0056, "2.8371(56)"),
        (40.5521, 0.0996, "40.55(10)"),
        (1.0, 0.00996, "1.000(10)"),
        (12.34, 1.52, "12.3(1.5)"),
        (12.34, 0.999, "12.3(1.0)"),
        (1234.5, 23.0, "1234(23)"),
        (1260.0, 230.0, "1260(230)"),
        (-32.08, 0.18, "-32.08(18)"),
        (0.01, 0.25, "0.01(25)"),
        (6.52e-5, 5.63e-5, "6.5(5.6)e-05"),
        (3.2e7, 4.5e5, "3.200(45)e+07"),
        (0.0, 0.003, "0.0000(30)"),
        (21.0, 0.0, "21"),
        (21.0, 1e-15, "21"),
        (0.123456, None, "0.1235"),
        (None, None, ""),
    ],
)
def test_a_number_carries_two_digits_of_its_error(value, error, text):
    assert with_error(value, error) == text


def test_an_unreliable_error_carries_an_asterisk():
    assert quantity({"value": 1.0, "error": 0.5, "reliable": False}) == "1.00(50)*"
    assert quantity({"value": 1.0, "error": None, "reliable": True}) == "1"
    assert quantity({"value": None, "error": None, "reliable": False}) == ""


def test_the_table_has_a_row_for_every_entry_and_what_is_expected_beside_it(summary):
    table = summary_table(summary)
    assert table.columns == ("flux", "L", "<g>", "var g", "expected var g", "F", "expected F", "<ln g>", "n")
    assert len(table.rows) == 10
    row = dict(zip(table.columns, table.rows[4], strict=True))
    assert (row["flux"], row["L"], row["n"]) == ("0", "240", "4096")
    assert row["expected var g"] == "0.12840(80)"
    assert row["var g"].startswith("0.1")
    assert row["var g"].endswith(")")
    assert any("finite-size table" in note for note in table.footnotes)
    assert "4096 realizations" in table.title
    assert "per spin" in table.title


def test_columns_without_content_are_left_out():
    results = wire_results(np.random.default_rng(2), fluxes=(0.0,), realizations=200).drop_vars("shot_noise")
    table = summary_table(analyze(results))
    assert table.columns == ("L", "<g>", "var g", "<ln g>", "n")


def test_failures_and_heavy_tails_are_shown():
    numbers = np.exp(3.0 * np.random.default_rng(3).standard_normal((1, 2, 1000)))
    status = np.zeros((1, 2, 1000), np.uint8)
    status[0, 1, :3] = 16
    table = summary_table(analyze(dataset(numbers, lengths=(10, 20), status=status)))
    assert [row[table.columns.index("failed")] for row in table.rows] == ["", "3"]
    assert table.rows[0][table.columns.index("var g")].endswith("*")
    assert table.footnotes == ("* one sample carries more than 2 % of a sum: this error bar is not to be trusted",)


def test_samples_that_transmit_nothing_are_counted_and_explained():
    numbers = np.ones((1, 2, 1000))
    numbers[0, 1, :20] = 0.0
    table = summary_table(analyze(dataset(numbers, lengths=(10, 20), attrs={"degeneracy": 1})))
    assert [row[table.columns.index("g = 0")] for row in table.rows] == ["", "20"]
    assert any("left out of <ln g>" in note for note in table.footnotes)
    assert "spin" not in table.title


def test_agreement_is_one_sentence_and_every_disagreement_has_its_own(summary):
    # Fault seen to fail it: disagreements folded into the count.
    sentences = verdicts(summary)
    agreeing = [s for s in sentences if s.startswith("var g agrees with the finite-size table")]
    assert len(agreeing) == 1
    assert "all 10 of 10 entries" in agreeing[0]
    # The made-up means lie on the one-l curve, which the tabulated strip leaves at short lengths.
    differing = [s for s in sentences if s.startswith("<g> = ") and "DIFFERS" in s]
    expected = [c for c in summary["checks"] if c["what"] == "conductance_mean" and c["agrees"] is False]
    assert len(differing) == len(expected) >= 2
    assert "flux = 0, L = 30" in differing[0]
    assert any(s.startswith("Mean free path l = 40.") for s in sentences)


def test_a_run_ends_with_one_short_line_for_each_kind_of_analysis(summary):
    # Fault seen to fail it: the sentences of every record.
    kinds = {record["kind"] for record in summary["analyses"]}
    judged = verdicts({**summary, "analyses": []}, brief=True)
    lines = verdicts(summary, brief=True)[len(judged) :]
    assert len(lines) == len(kinds) <= 6
    assert max(map(len, lines)) < 160
    assert not any("chi-square" in sentence for sentence in [*judged, *lines])
    assert any("chi-square" in sentence for sentence in verdicts(summary))


def test_an_unfinished_file_says_so_first():
    results = wire_results(np.random.default_rng(4), realizations=100)
    results["status"][1, :, 60:] = 255
    sentences = verdicts(analyze(results, experiment=strip_experiment()))
    assert sentences[0] == "The file is not complete: 800 of 1000 samples are in these numbers."


def test_points_that_are_not_computed_yet_are_not_told_to_lack_a_verdict():
    # Fault seen to fail it: entries without a sample counted among those without a verdict.
    results = wire_results(np.random.default_rng(4), realizations=4096)
    results["status"][1] = 255
    sentences = verdicts(analyze(results, experiment=strip_experiment()))
    assert any(s.startswith("var g") and "flux = 0" in s for s in sentences)
    assert not any("No verdict" in s or "of 10 entries" in s for s in sentences)


def test_one_realization_gets_no_verdict():
    results = wire_results(np.random.default_rng(5), realizations=1)
    sentences = verdicts(analyze(results, experiment=strip_experiment()))
    assert sentences
    assert not [s for s in sentences if "agrees" in s or "DIFFERS" in s]
    assert any("No verdict on var g" in s for s in sentences)


def test_without_theory_there_is_nothing_to_say():
    assert verdicts(analyze(wire_results(np.random.default_rng(6), realizations=100))) == []
