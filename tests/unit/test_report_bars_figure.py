"""Figures of bars: the right curves over the right axis, with errors, theory and counts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from analysis_datasets import bar_dataset, bar_experiment, batch_rates

from mesogpu.analysis import analyze
from mesogpu.config.experiment import Model
from mesogpu.errors import StoreError
from mesogpu.physics.disorder import Cauchy, Uniform
from mesogpu.physics.one_dimension import lloyd_exponent
from mesogpu.report import plot_results
from mesogpu.report.bars_series import lay_out_bars
from mesogpu.report.figure import draw

STRIP = Model("square", 4, (), False, "hard", 1.0)
BAR = Model("cubic", 4, (), False, "periodic", 1.0, depth=4)
WIDTHS, STRENGTHS = (4, 6, 8), (15.0, 16.5, 18.0)


def stored(exponents, experiment=None, *, parameters=None, bars=20, slices=100_000, status=None):
    rates = batch_rates(np.random.default_rng(1), np.array(exponents), bars=bars, slices=slices)
    results = bar_dataset(rates, slices=slices, parameters=parameters, status=status)
    return results, analyze(results, experiment=experiment)


def crossed():
    experiment = bar_experiment(
        model=BAR, laws=(Uniform(16.5),), energy=0.0, sweep={"model.width": WIDTHS, "disorder.0.width": STRENGTHS}
    )
    pairs = list(itertools.product(WIDTHS, STRENGTHS))
    exponents = [[strength / 16.5 / (0.58 * width)] for width, strength in pairs]
    width, strength = zip(*pairs, strict=True)
    return stored(exponents, experiment, parameters={"width": width, "disorder.0.width": strength})


def chains(energies=(-1.0, 0.0, 1.0), half_width=0.5):
    experiment = bar_experiment(laws=(Cauchy(half_width),), sweep={"energy": energies})
    exponents = [[lloyd_exponent(energy, half_width)] for energy in energies]
    return stored(exponents, experiment, parameters={"energy": energies})


def weak():
    strengths = (0.1, 0.3, 0.5, 1.0, 4.0)
    experiment = bar_experiment(sweep={"disorder.0.width": strengths})
    return stored([[w * w / 90.0] for w in strengths], experiment, parameters={"disorder.0.width": strengths})


def spectrum(count=12):
    experiment = bar_experiment(model=STRIP)
    return stored([[0.01 + 0.03 * k for k in range(count)]], experiment)


def widths_alone():
    experiment = bar_experiment(model=STRIP, sweep={"model.width": WIDTHS})
    return stored([[0.1], [0.08], [0.05]], experiment, parameters={"width": WIDTHS}, bars=1)


def unfinished():
    status = np.zeros((3, 20), np.uint8)
    status[1, 10:], status[2], status[0, :2] = 255, 255, 17
    experiment = bar_experiment(model=STRIP, sweep={"energy": (0.0, 0.5, 1.0)})
    return stored([[0.1], [0.08], [0.05]], experiment, parameters={"energy": (0.0, 0.5, 1.0)}, status=status)


CASES = {
    "crossed": crossed,
    "chains": chains,
    "weak": weak,
    "spectrum": spectrum,
    "one exponent": lambda: spectrum(1),
    "widths alone": widths_alone,
    "unfinished": unfinished,
    "no experiment": lambda: stored([[0.1], [0.2]], parameters={"energy": (0.0, 1.0)}),
}


def points_of(axes):
    """What is drawn with error bars, by legend label; unreliable ones without one left out."""
    lines = [container[0] for container in axes.containers]
    labels = [container.get_label() for container in axes.containers]
    return [
        (label, *(np.asarray(each, float) for each in line.get_data(orig=False)))
        for label, line in zip(labels, lines, strict=True)
    ]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_a_figure_comes_out_of_every_kind_of_file(tmp_path, case):
    plot_results(*CASES[case](), tmp_path / "figure.png")
    content = (tmp_path / "figure.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000


def test_widths_are_curves_of_lambda_over_the_disorder():
    # Fault seen to fail it: curves and axis exchanged.
    results, summary = crossed()
    figure = draw(results, summary)
    (axes,) = figure.axes
    assert axes.get_ylabel() == r"$\Lambda = \xi / M$"
    assert axes.get_xlabel() == "disorder.0.width (t)"
    drawn = [(label, x, y) for label, x, y in points_of(axes) if len(x)]
    assert [label for label, _, _ in drawn] == ["$M$ = 4", "$M$ = 6", "$M$ = 8"]
    for number, (_, x, y) in enumerate(drawn):
        np.testing.assert_allclose(x, STRENGTHS)
        entries = summary["points"][3 * number : 3 * number + 3]
        np.testing.assert_allclose(y, [entry["lambda"]["value"] for entry in entries])
    assert legend(figure) == ["$M$ = 4", "$M$ = 6", "$M$ = 8", "guide to the eye", "table"]
    assert figure.get_suptitle() == "bars, 20 bars \N{MULTIPLICATION SIGN} 100,000 slices a point"


def test_error_bars_are_the_standard_errors():
    # Fault seen to fail it: the error of gamma drawn on Lambda.
    results, summary = crossed()
    axes = draw(results, summary).axes[0]
    segments = axes.containers[0][2][0].get_segments()
    half = [0.5 * (high - low) for (_, low), (_, high) in segments]
    np.testing.assert_allclose(half, [entry["lambda"]["error"] for entry in summary["points"][:3]])


def test_tabulated_bars_have_rings_at_their_values():
    axes = draw(*crossed()).axes[0]
    rings = [line for line in axes.lines if line.get_markersize() == 8.0]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in rings] == [
        (16.5, 0.5868), (16.5, 0.5818), (16.5, 0.5803),
    ]  # fmt: skip


def test_chains_are_drawn_with_the_closed_form_through_them():
    figure = draw(*chains())
    (axes,) = figure.axes
    assert axes.get_ylabel() == r"$\gamma = 1/\xi$ (1/slice)"
    line = max(axes.lines, key=lambda each: len(each.get_xdata()))
    x, y = line.get_xdata(), line.get_ydata()
    assert (x[0], x[-1]) == (-1.0, 1.0)
    for energy in (-1.0, 1.0):
        assert y[x == energy][0] == pytest.approx(lloyd_exponent(energy, 0.5))
    # Three points fix the line between them to a few per cent.
    np.testing.assert_allclose(y, [lloyd_exponent(energy, 0.5) for energy in x], rtol=0.03)
    assert legend(figure) == ["theory"]


def test_theory_is_a_power_law_between_its_points_and_ends_with_its_regime():
    # Faults seen to fail it: values interpolated linearly; the points alone.
    figure = draw(*weak())
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    line = max(axes.lines, key=lambda each: len(each.get_xdata()))
    assert line.get_xdata()[-1] == pytest.approx(0.5)
    assert len(line.get_xdata()) > 20
    np.testing.assert_allclose(line.get_ydata(), line.get_xdata() ** 2 / 90.0, rtol=1e-9)


def test_widths_have_whole_ticks():
    # Seen to fail with plain ticks, at 4.5 and 5.5 sites.
    experiment = bar_experiment(model=Model("square", 4, (), False, "periodic", 1.0), sweep={"model.width": (4, 5, 6)})
    results, summary = stored([[0.3], [0.2], [0.1]], experiment, parameters={"width": (4, 5, 6)})
    (axes,) = draw(results, summary).axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_forms_of_different_regimes_are_not_joined():
    energies = (-0.5, 0.0, 0.5)
    experiment = bar_experiment(sweep={"energy": energies})
    results, summary = stored([[0.0028], [0.0024], [0.0028]], experiment, parameters={"energy": energies})
    dashes = [line for line in draw(results, summary).axes[0].lines if line.get_marker() == "_"]
    assert [line.get_xdata()[0] for line in dashes] == list(energies)


def test_errors_not_to_be_trusted_are_hollow():
    results, summary = weak()
    figure = draw(results, summary)
    solid, hollow = (x for _, x, _ in points_of(figure.axes[0]))
    doubtful = [entry["parameters"]["disorder.0.width"] for entry in summary["points"] if entry["doubts"]]
    assert list(hollow) == doubtful == [0.1, 0.3, 0.5]
    assert list(solid) == [1.0, 4.0]
    assert figure.axes[0].containers[1][0].get_markerfacecolor() == "white"
    assert legend(figure) == ["theory", "error not to be trusted"]


def test_without_a_sweep_the_spectrum_is_drawn_over_the_rank():
    results, summary = spectrum()
    (axes,) = draw(results, summary).axes
    _, ranks, values = points_of(axes)[0]
    assert list(ranks) == list(range(1, 13))
    np.testing.assert_allclose(values, [item["value"] for item in summary["points"][0]["spectrum"]])
    assert axes.get_ylim()[0] <= 0.0
    words = axes.texts[0].get_text()
    assert r"\xi" in words
    assert r"\Lambda" in words


def test_a_width_swept_alone_is_the_axis():
    layout = lay_out_bars(*widths_alone())
    assert layout.axis_label == "width (sites)"
    assert [curve.x for curve in layout.curves] == [(4.0, 6.0, 8.0)]


def test_parameters_swept_together_make_one_curve():
    # Fault seen to fail it: a curve for every value of the coupled parameter.
    parameters = {"energy": (0.0, 0.5, 1.0), "flux": (0.0, 0.1, 0.2)}
    layout = lay_out_bars(*stored([[0.1], [0.2], [0.3]], parameters=parameters))
    assert layout.axis_label == "energy (t)"
    assert [curve.x for curve in layout.curves] == [(0.0, 0.5, 1.0)]


def test_a_length_coupled_to_the_width_does_not_take_its_place():
    experiment = bar_experiment(model=STRIP, sweep={"model.width": WIDTHS})
    parameters = {"lyapunov.slices": (10_000, 20_000, 30_000), "width": WIDTHS}
    layout = lay_out_bars(*stored([[0.1], [0.2], [0.3]], experiment, parameters=parameters))
    assert layout.axis_label == "width (sites)"
    assert len(layout.curves) == 1


def test_more_curves_than_colours_are_thinned_and_the_title_says_so():
    pairs = list(itertools.product(range(9), (0.0, 0.5)))
    flux, energy = zip(*pairs, strict=True)
    results, summary = stored([[0.1]] * 18, parameters={"energy": energy, "flux": flux})
    layout = lay_out_bars(results, summary)
    assert (len(layout.curves), layout.curves_left_out) == (6, 3)
    assert "6 of 9 curves" in draw(results, summary).get_suptitle()


def test_an_unfinished_file_says_what_is_missing():
    title = draw(*unfinished()).get_suptitle().replace("\n", " ")
    assert "10 to 18 bars" in title
    assert "2 failed bars left out" in title
    assert "UNFINISHED (50 % computed)" in title


def test_nothing_computed_is_said_and_not_drawn(tmp_path):
    results, summary = stored([[0.1]], status=np.full((1, 20), 255, np.uint8))
    with pytest.raises(StoreError, match="no sample is computed yet"):
        plot_results(results, summary, tmp_path / "figure.png")
