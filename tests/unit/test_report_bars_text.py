"""Tables and verdicts of bars as people read them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import bar_dataset, bar_experiment, batch_rates

from mesogpu.analysis import analyze
from mesogpu.config.experiment import Model
from mesogpu.physics.disorder import Cauchy, Uniform
from mesogpu.physics.one_dimension import lloyd_exponent
from mesogpu.report import summary_table, verdicts

STRIP = Model("square", 4, (), False, "hard", 1.0)
BAR = Model("cubic", 4, (), False, "periodic", 1.0, depth=4)


def made(exponents=(0.1,), experiment=None, *, bars=32, slices=100_000, change=None, **arguments):
    """Summary of points with these smallest exponents; `change` alters the batches."""
    rates = batch_rates(np.random.default_rng(1), np.array(exponents)[:, None], bars=bars, slices=slices)
    if change:
        change(rates)
    return analyze(bar_dataset(rates, slices=slices, **arguments), experiment=experiment)


def chains(energies=(0.0, 0.5, 1.0), **arguments):
    experiment = bar_experiment(laws=(Cauchy(0.5),), sweep={"energy": energies})
    exponents = [lloyd_exponent(energy, 0.5) for energy in energies]
    return made(exponents, experiment, parameters={"energy": energies}, **arguments)


def widths(**arguments):
    experiment = bar_experiment(model=STRIP, sweep={"model.width": (4, 8)})
    return made((0.1, 0.06), experiment, parameters={"width": (4, 8)}, **arguments)


def sentence(summary, start):
    (found,) = [each for each in verdicts(summary) if each.startswith(start)]
    return found


def test_chains_have_a_row_a_point_with_the_closed_form_beside():
    table = summary_table(chains())
    # Fault seen to fail it: one column too many repeated on narrow terminals.
    assert table.columns == ("energy", "gamma", "expected gamma", "xi", "bars", "slices")
    assert table.keys == 1
    assert [row[0] for row in table.rows] == ["0", "0.5", "1"]
    assert table.rows[1][2] == "0.2548955733"
    assert table.rows[1][4:] == ("32", "100000")
    assert table.rows[1][1].endswith(")")
    assert table.title == "bars: 32 bars a point, warm-up 1,000; gamma = 1/xi per slice"
    assert any("Lloyd's chain" in note for note in table.footnotes)


def test_wider_bars_have_lambda_and_their_cross_section():
    table = summary_table(made((0.1,), bar_experiment(model=BAR)))
    assert table.columns == ("M", "gamma", "xi", "Lambda", "bars", "slices")
    assert (table.keys, table.rows[0][0]) == (1, "4 x 4")
    assert table.title.endswith("Lambda = xi/M")


def test_a_swept_width_or_length_is_not_shown_twice():
    assert summary_table(widths()).columns == ("width", "gamma", "xi", "Lambda", "bars", "slices")
    experiment = bar_experiment(laws=(Uniform(3.0),), sweep={"lyapunov.slices": (50_000, 100_000)})
    rates = batch_rates(np.random.default_rng(2), np.full((2, 1), 0.1), bars=8, slices=50_000)
    stored = bar_dataset(rates, slices=(50_000, 100_000), parameters={"lyapunov.slices": (50_000, 100_000)})
    table = summary_table(analyze(stored, experiment=experiment))
    assert table.columns == ("lyapunov.slices", "gamma", "xi", "bars")


def test_a_law_of_the_same_name_is_not_taken_for_the_width():
    experiment = bar_experiment(model=STRIP, sweep={"disorder.0.width": (2.0, 3.0)})
    table = summary_table(made((0.1, 0.2), experiment, parameters={"width": (2.0, 3.0)}))
    assert table.columns[:2] == ("width", "M")


def test_the_tabulated_bar_has_its_expected_lambda():
    summary = made((0.25 / 0.5868,), bar_experiment(model=BAR, laws=(Uniform(16.5),), energy=0.0))
    table = summary_table(summary)
    assert table.rows[0][table.columns.index("expected Lambda")] == "0.58680(30)"
    assert "agrees with 0.58680(30)" in sentence(summary, "Lambda = ")


def test_failures_and_doubts_are_shown_and_explained():
    status = np.zeros((2, 32), np.uint8)
    status[1, :3] = 17
    table = summary_table(made((0.1, 0.002), status=status))
    assert [row[table.columns.index("failed")] for row in table.rows] == ["", "3"]
    assert [row[table.columns.index("gamma")].endswith("*") for row in table.rows] == [False, True]
    assert table.footnotes == ("* this error bar is not to be trusted: a batch (1/32 of a bar) is shorter than 10 xi",)


@pytest.mark.parametrize(("bars", "said"), [(1, "of one bar is from"), (3, "of few bars, where"), (32, "")])
def test_errors_from_batches_are_said_to_be(bars, said):
    notes = " ".join(summary_table(chains(bars=bars)).footnotes)
    assert (said in notes) if said else ("batches" not in notes)


def test_verdicts_say_that_bars_are_stationary_and_errors_agree():
    # Fault seen to fail it: the ratio of the errors held against zero, not one.
    summary = chains()
    assert "at all 3 points: second half minus first half of gamma" in sentence(summary, "The bars are stationary")
    assert "(1.00 +- 0.13 expected)" in sentence(summary, "The errors between and within bars agree at all 3 points")
    assert "at all 3 of 3 entries" in sentence(summary, "gamma agrees with Lloyd's chain")


def test_one_point_is_not_counted():
    summary = made((0.1,))
    assert sentence(summary, "The bars are stationary: ")
    assert sentence(summary, "The errors between and within bars agree: their ratio")


def test_a_chain_that_differs_from_its_closed_form_is_said_to():
    def shifted(rates):
        rates[1] *= 1.05

    found = sentence(chains(change=shifted), "gamma = ")
    assert "at energy = 0.5 DIFFERS from 0.2548955733, Lloyd's chain" in found


def test_a_drift_is_said_with_its_size_and_remedy():
    def drifting(rates):
        rates[1, :, 0] += 0.05

    summary = widths(change=drifting)
    found = sentence(summary, "gamma DRIFTS along the bars at 1 of 2 points")
    assert "at width = 8" in found
    assert "lyapunov.warmup" in found
    assert sentence(summary, "The bars are stationary at 1 of 2 points")


def test_short_bars_are_told_how_long_to_be():
    # xi = 500 within 2 %, so that 160 000 slices are the fewest.
    found = sentence(made((0.1, 0.002), parameters={"energy": (1.0, 0.0)}), "Bars are too short")
    assert re.search(r"at 1 of 2 points: .* is 6\.\d xi at energy = 0, and 10 are needed", found)
    assert re.search(r"lyapunov\.slices of 1[56]0,000 or more", found)


def test_nothing_localized_is_told_from_bars_too_short():
    summary = made((1e-12,))
    assert sentence(summary, "gamma is zero within 3 standard errors")
    assert not [each for each in verdicts(summary) if each.startswith("Bars are too short")]


def test_an_outlier_and_unequal_errors_are_said():
    def one_off(rates):
        rates[0, 7] += 0.05

    summary = made((0.1,), change=one_off)
    assert sentence(summary, "One bar is farther from the others than chance allows")
    assert sentence(summary, "The errors between and within bars DIFFER")


def test_doubtful_bars_get_no_verdict():
    weak = bar_experiment(laws=(Uniform(0.5),))
    found = sentence(made((1.0 / 360.0,), weak), "No verdict on gamma")
    assert found.endswith("their error bars are not to be trusted.")


def test_an_unfinished_file_says_so_first():
    status = np.zeros((2, 32), np.uint8)
    status[1, 10:] = 255
    summary = widths(status=status)
    assert verdicts(summary)[0] == "The file is not complete: 42 of 64 bars are in these numbers."
    assert "not complete yet" in summary_table(summary).title


def test_a_file_without_any_bar_has_a_table_and_no_verdict_on_bars():
    summary = widths(status=np.full((2, 32), 255, np.uint8))
    assert len(summary_table(summary).rows) == 2
    assert verdicts(summary) == ["The file is not complete: 0 of 64 bars are in these numbers."]


def test_bars_without_an_experiment_have_neither_width_nor_theory():
    summary = made((0.1, 0.2), parameters={"energy": (0.0, 1.0)})
    assert summary_table(summary).columns == ("energy", "gamma", "xi", "bars", "slices")
    assert len(verdicts(summary)) == 2


def test_a_flat_bar_has_no_lambda():
    flat = replace(BAR, depth=3)
    table = summary_table(made((0.1,), bar_experiment(model=flat)))
    assert table.columns == ("M", "gamma", "xi", "bars", "slices")
    assert table.rows[0][0] == "4 x 3"
