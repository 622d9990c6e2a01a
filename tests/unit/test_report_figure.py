"""Figures: written for whatever a file holds, with the right things in them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from analysis_datasets import dataset, strip_experiment, wire_results

from mesogpu.analysis import analyze
from mesogpu.errors import ConfigError, EnvironmentFault, StoreError
from mesogpu.physics.closed_forms import box_sum_variance
from mesogpu.physics.spin import SpinOrbit
from mesogpu.report import plot_results
from mesogpu.report.figure import draw
from mesogpu.report.series import lay_out


def made(generator_seed=1, *, fluxes=(0.0, 0.006), lengths=(30, 60, 120, 180, 240), realizations=300):
    results = wire_results(
        np.random.default_rng(generator_seed), fluxes=fluxes, lengths=lengths, realizations=realizations
    )
    return results, analyze(results, experiment=strip_experiment(fluxes=fluxes, lengths=lengths))


def localized():
    lengths = (100, 200, 400)
    depth = np.array(lengths)[None, :, None] / 50.0
    numbers = np.random.default_rng(2).standard_normal((1, 3, 500))
    logarithm = np.minimum(0.0, -depth + np.sqrt(2.0 * depth) * numbers)
    results = dataset(np.exp(logarithm), log_conductance=logarithm, lengths=lengths)
    return results, analyze(results)


def unfinished():
    results, _ = made()
    results["status"][1] = 255
    results["conductance"][1] = np.nan
    results["log_conductance"][1] = np.nan
    return results, analyze(results, experiment=strip_experiment())


CASES = {
    "two points": made,
    "one point": lambda: made(fluxes=(0.0,)),
    "one length": lambda: made(lengths=(240,)),
    "one entry": lambda: made(fluxes=(0.0,), lengths=(240,)),
    "many points": lambda: made(fluxes=tuple(np.linspace(0.0, 0.01, 15)), realizations=60),
    "one realization": lambda: made(realizations=1),
    "localized": localized,
    "unfinished": unfinished,
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_a_figure_comes_out_of_every_kind_of_file(tmp_path, case):
    results, summary = CASES[case]()
    plot_results(results, summary, tmp_path / "figure.png")
    content = (tmp_path / "figure.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000


@pytest.mark.parametrize(("suffix", "start"), [(".pdf", b"%PDF"), (".SVG", b"<?xml")])
def test_vector_figures_are_the_same_bytes_each_time(tmp_path, suffix, start):
    results, summary = made()
    for name in ("first", "second"):
        plot_results(results, summary, tmp_path / f"{name}{suffix}")
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("first", "second"))
    assert first.startswith(start)
    assert first == second


@pytest.mark.parametrize("name", ["figure.jpeg", "figure"])
def test_another_suffix_is_refused_with_the_remedy(tmp_path, name):
    results, summary = made(realizations=10)
    with pytest.raises(ConfigError, match=r"ends in \.png, \.pdf, \.svg"):
        plot_results(results, summary, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path):
    results, summary = made(realizations=10)
    with pytest.raises(EnvironmentFault, match="choose a folder"):
        plot_results(results, summary, tmp_path / "nowhere" / "figure.png")


def test_nothing_computed_is_said_and_not_drawn(tmp_path):
    results = dataset(np.full((1, 2, 4), np.nan), lengths=(10, 20), status=np.full((1, 2, 4), 255, np.uint8))
    with pytest.raises(StoreError, match="no sample is computed yet"):
        plot_results(results, analyze(results), tmp_path / "figure.png")


def test_panels_show_the_summary_with_units_and_counts():
    # Fault seen to fail it: the variance panel drawn from the means.
    results, summary = made()
    figure = draw(results, summary)
    mean, variance, histogram = figure.axes
    assert "per spin" in mean.get_ylabel()
    assert "sites" in mean.get_xlabel()
    assert "300 realizations" in figure.get_suptitle()
    for axes, name in ((mean, "conductance_mean"), (variance, "conductance_variance")):
        drawn = [np.asarray(container[0].get_ydata(orig=False), dtype=float) for container in axes.containers]
        expected = [entry[name]["value"] for entry in summary["points"]]
        np.testing.assert_allclose(np.concatenate(drawn), expected)
    assert {text.get_text() for text in variance.texts} == {"2/15", "1/15"}
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[:2] == ["flux = 0", "flux = 0.006"]
    assert histogram.get_xlabel().startswith("$g$")


def test_the_box_sum_is_drawn_at_the_actual_shape():
    results, summary = made()
    variance = draw(results, summary).axes[1]
    dotted = [line for line in variance.lines if line.get_linestyle() == ":"]
    for line, beta in zip(dotted, (1, 2), strict=True):
        assert line.get_ydata()[0] == pytest.approx(box_sum_variance(1.0, beta=beta))
        assert line.get_ydata()[-1] == pytest.approx(box_sum_variance(8.0, beta=beta))


def test_kramers_pairs_are_drawn_by_the_curves_of_their_spin_trace():
    # Faults seen to fail it: curve or box sum of one of each pair; the asymptote 1/30 of one; 2/15 and 1/15 always.
    lengths = (24, 32, 40, 56, 72)
    results = wire_results(
        np.random.default_rng(4), lengths=lengths, fluxes=(0.0,), channels=84, mean_free_path=2.4, beta=4,
        multiplicity=2, attrs={"degeneracy": 1},
    )  # fmt: skip
    plain = strip_experiment(lengths=lengths, fluxes=(0.0,), width=60, disorder=2.0)
    experiment = replace(plain, model=replace(plain.model, spin_orbit=SpinOrbit("su2", 1.0)))
    summary = analyze(results, experiment=experiment)
    mean, variance, _ = draw(results, summary).axes
    assert "spin" not in mean.get_ylabel() + variance.get_ylabel()
    curve = next(line for line in mean.lines if line.get_linestyle() == ":")
    assert curve.get_ydata()[-1] == pytest.approx(summary["points"][-1]["conductance_mean"]["value"], rel=0.02)
    box = next(line for line in variance.lines if line.get_linestyle() == ":")
    assert box.get_ydata()[-1] == pytest.approx(box_sum_variance(1.2, beta=1))
    assert [text.get_text() for text in variance.texts] == ["2/15"]


def test_without_a_known_class_there_is_no_asymptote():
    results, _ = made()
    assert not draw(results, analyze(results)).axes[1].texts


def test_samples_without_a_logarithm_are_told_where_it_is_drawn():
    results, _ = localized()
    results["conductance"][0, 1, :7], results["log_conductance"][0, 1, :7] = 0.0, -np.inf
    results["status"][0, 1, :7] = 4
    assert "7 samples with $g = 0$ left out of" in draw(results, analyze(results)).get_suptitle()


def test_localized_samples_are_drawn_by_their_logarithm():
    axes = draw(*localized()).axes
    assert [r"\ln" in axis.get_ylabel() for axis in axes] == [True, True, True]


def test_a_long_sweep_is_drawn_over_the_parameter_with_few_entries_in_the_legend():
    fluxes = tuple(np.linspace(0.0, 0.01, 15))
    results, summary = made(fluxes=fluxes, lengths=tuple(range(30, 270, 30)), realizations=40)
    layout = lay_out(results, summary)
    assert layout.axis == "flux"
    assert layout.axis_label == "flux (h/e)"
    assert len(layout.series) == 6
    assert [series.label for series in layout.series][::5] == ["L = 30", "L = 240"]
    assert layout.series[0].x == fluxes
    assert len(layout.histograms) == 5
    assert layout.points_left_out == 10


def test_a_crossed_sweep_is_split_by_its_other_parameters():
    fluxes, energies = np.repeat(np.linspace(0.0, 0.01, 5), 2), np.tile([0.5, 0.8], 5)
    numbers = 3.0 + 0.3 * np.random.default_rng(3).standard_normal((10, 2, 50))
    results = dataset(numbers, lengths=(100, 200), parameters={"flux": fluxes, "energy": energies})
    layout = lay_out(results, analyze(results))
    assert layout.axis == "flux"
    assert [series.label for series in layout.series] == ["energy = 0.5", "energy = 0.8"]
    assert all(entry["length"] == 200 for series in layout.series for entry in series.entries)


def test_heavy_libraries_are_not_imported_for_tables():
    code = "import sys, mesogpu.report, mesogpu.analysis; sys.exit(any(m in sys.modules for m in "
    code += "('matplotlib', 'xarray', 'h5py', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
