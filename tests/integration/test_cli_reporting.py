"""`mesogpu report` and the figures of analyses, as their user meets them; the page also in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from headless_chromium import CHROMIUM, browser

import mesogpu
from mesogpu.cli.commands import main

CONFIG = """\
schema: 1
name: wire
seed: 7
model: {lattice: square, width: 4, length: [4, 8], edges: hard}
disorder:
  - {distribution: uniform, width: 1.0}
energy: 0.3
sweep: {flux: [0.0, 0.01]}
realizations: 24
observables: [shot_noise]
"""


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results file of CONFIG."""
    folder = tmp_path_factory.mktemp("reported")
    (folder / "wire.yaml").write_text(CONFIG)
    mesogpu.run(folder / "wire.yaml", folder / "wire.h5", backend="numpy", workers=1)
    return folder / "wire.h5"


def test_the_report_lies_beside_the_file_or_where_it_is_wanted(finished: Path, tmp_path: Path) -> None:
    result = invoke("report", finished)
    assert result.exit_code == 0
    page = finished.with_suffix(".html")
    assert f"Report: {page}" in result.stdout
    assert invoke("report", finished, "-o", tmp_path / "other.html").exit_code == 0
    assert (tmp_path / "other.html").read_bytes() == page.read_bytes()
    for words in ("wire.h5", "backend numpy"):
        assert words in page.read_text()


def test_a_report_of_what_is_no_results_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wire.yaml").write_text(CONFIG)
    assert invoke("report", tmp_path / "wire.yaml").exit_code in (2, 3)
    assert not (tmp_path / "wire.html").exists()


def test_a_report_that_cannot_be_written_is_5(finished: Path, tmp_path: Path) -> None:
    result = invoke("report", finished, "-o", tmp_path / "nowhere" / "page.html")
    assert result.exit_code == 5
    assert "choose a folder" in result.stderr


def test_plot_needs_a_figure_or_the_list(finished: Path) -> None:
    result = invoke("plot", finished)
    assert result.exit_code == 2
    assert "-o" in result.stderr
    assert invoke("plot", finished, "--list").exit_code == 0


def test_an_unknown_analysis_is_refused_with_the_choices(finished: Path, tmp_path: Path) -> None:
    result = invoke("plot", finished, "-o", tmp_path / "figure.pdf", "--analysis", "alchemy")
    assert result.exit_code == 2
    assert "'alchemy'" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed here")
def test_a_browser_shows_the_page_without_complaint_request_or_sideways_scroll(finished: Path, tmp_path: Path) -> None:
    # Faults seen to fail it: the tables out of their boxes; an image of another site; a script in the page.
    mesogpu.write_report(finished, tmp_path / "page.html")
    address = (tmp_path / "page.html").as_uri()
    with browser(tmp_path / "profile") as tab:
        for width, dark in ((1280, False), (390, False), (390, True)):
            tab.open(address, width, dark=dark)
            content, window = tab.value("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert content <= window <= width
            assert tab.value("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
            ink, paper = tab.value(
                "[getComputedStyle(document.body).color, getComputedStyle(document.body).background]"
            )
            assert ink != paper
        assert tab.complaints == []
        assert {request for request in tab.requests if not request.startswith("data:")} == {address}


def test_compare_is_0_for_equal_files_and_1_for_different_ones(finished: Path, tmp_path: Path) -> None:
    same = invoke("compare", finished, finished)
    assert same.exit_code == 0
    assert "equal to the last bit" in same.stdout
    twice = tmp_path / "stronger.h5"
    mesogpu.run(finished.with_name("wire.yaml"), twice, backend="numpy", workers=1)
    assert invoke("compare", finished, twice).exit_code == 0
    with twice.open("r+b") as file:
        raw = file.read()
        with mesogpu.open_results(twice) as results:
            value = results["log_conductance"][0, 0, 3].to_numpy()
        file.seek(raw.index(value.tobytes()))
        file.write((value + 0.5).tobytes())
    different = invoke("compare", finished, twice, "--json")
    assert different.exit_code == 1
    assert json.loads(different.stdout)["agrees"] is False


def test_compare_of_what_is_no_results_file_is_refused(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "wire.yaml").write_text(CONFIG)
    assert invoke("compare", finished, tmp_path / "wire.yaml").exit_code in (2, 3)
