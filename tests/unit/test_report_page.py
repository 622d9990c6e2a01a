"""The page: whole, the same each time, harmless whatever stands in a file, and open about what is missing."""

from __future__ import annotations

import base64
import csv
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from analysis_datasets import bar_dataset, bar_experiment, batch_rates, dataset, strip_experiment, wire_results

from mesogpu.analysis import analyze, certificates
from mesogpu.config.load import dump_yaml
from mesogpu.errors import EnvironmentFault
from mesogpu.report import page as page_module
from mesogpu.report import report_page, write_page

LENGTHS = (30, 60, 120)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
VOID = {"meta", "link", "img", "br", "hr", "input"}


def strip(**attrs):
    experiment = strip_experiment(lengths=LENGTHS, realizations=200)
    attrs = {"config": dump_yaml(experiment), "method": "transmission", "packages": '{"numpy": "2.0"}'} | attrs
    return wire_results(np.random.default_rng(1), lengths=LENGTHS, realizations=200, attrs=attrs)


def bars():
    experiment = bar_experiment(sweep={"energy": (0.1, 0.2)}, bars=20, slices=100_000)
    rates = batch_rates(np.random.default_rng(2), np.array([[0.4], [0.3]]), bars=20, slices=100_000)
    attrs = {"config": dump_yaml(experiment), "method": "lyapunov"}
    return bar_dataset(rates, slices=100_000, parameters={"energy": (0.1, 0.2)}, attrs=attrs)


def empty():
    results = strip()
    results["status"][:] = 255
    for name in ("conductance", "log_conductance", "shot_noise"):
        results[name][:] = np.nan
    return results


@pytest.fixture(autouse=True, scope="module")
def plain_figures():
    """One small picture in place of each figure of the file: figures have tests of their own, and take a second."""
    with pytest.MonkeyPatch.context() as patch:
        drawn = page_module.figure_svg
        patch.setattr(page_module, "figure_svg", lambda *given: drawn(*given) if given[2:] else b"<svg/>")
        yield


def page(results, records=(), **changes):
    return report_page(results, analyze(results) | changes, certificates(results), records)


class Outline(HTMLParser):
    """Tags as they are nested, and the attributes that could fetch or run something."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.ids, self.anchors, self.addresses, self.handlers = [], [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href"):
                (self.anchors if value.startswith("#") else self.addresses).append(value)
            if name.startswith("on"):
                self.handlers.append((tag, name))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", [strip, bars, empty])
def test_a_page_is_well_formed_and_fetches_nothing(make):
    # Faults seen to fail it: a table row left open; a style sheet of another site.
    outline = Outline(page(make()))
    assert not outline.open
    assert len(set(outline.ids)) == len(outline.ids)
    assert {anchor[1:] for anchor in outline.anchors} <= set(outline.ids)
    assert all(address.startswith("data:") for address in outline.addresses)
    assert "script" not in {tag for tag, _ in outline.seen}
    headings = [tag for tag, _ in outline.seen if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert all(attributes.get("alt") for tag, attributes in outline.seen if tag == "img")
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in outline.seen if tag == "th")


def test_the_page_forbids_scripts_and_requests_by_its_own_policy():
    text = page(strip())
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text
    assert len(text) < 2_000_000


def test_the_same_file_gives_the_same_page_and_the_log_alone_changes_it():
    assert page(strip()) == page(strip())
    assert page(strip()) != page(strip(), [{"event": "started", "host": "node7"}])


def test_nothing_in_a_file_runs():
    # Fault seen to fail it: the template without autoescape.
    results = strip(signature=HOSTILE, git_sha=HOSTILE, rng=HOSTILE)
    record = {"event": HOSTILE, "host": HOSTILE, "time": HOSTILE, HOSTILE: HOSTILE}
    curve = {
        "x": [1.0, 2.0], "x_label": HOSTILE, "unit": HOSTILE, "y_label": HOSTILE, "y_unit": "$",
        "series": [{"label": HOSTILE, "value": [1.0, 2.0], "error": [0.1, None]}], "theory": [], "scales": "linear",
    }  # fmt: skip
    analysis = {"kind": "k", "title": HOSTILE, "where": {}, "results": [], "words": HOSTILE, "curve": curve}
    outline = Outline(page(results, [record], name=HOSTILE, analyses=[analysis]))
    assert "script" not in {tag for tag, _ in outline.seen}
    assert not outline.handlers
    assert all(address.startswith("data:") for address in outline.addresses)


def test_the_download_holds_every_number_in_full():
    # Fault seen to fail it: numbers rounded as in the table.
    results = strip()
    summary = analyze(results)
    address = next(a for a in Outline(page(results)).addresses if a.startswith("data:text/csv"))
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(address.partition(",")[2]).decode())))
    assert len(rows) == len(summary["points"]) == 6
    for row, entry in zip(rows, summary["points"], strict=True):
        assert float(row["flux"]) == entry["parameters"]["flux"]
        assert int(row["length"]) == entry["length"]
        assert float(row["conductance_mean"]) == entry["conductance_mean"]["value"]
        assert float(row["fano_error"]) == entry["fano"]["error"]
        reference = entry.get("reference", {}).get("conductance_variance")
        assert row["reference_conductance_variance"] == ("" if reference is None else str(reference["value"]))


def test_bars_download_their_spectrum():
    address = next(a for a in Outline(page(bars())).addresses if a.startswith("data:text/csv"))
    (first, _) = csv.DictReader(io.StringIO(base64.b64decode(address.partition(",")[2]).decode()))
    assert float(first["spectrum_1"]) == float(first["lyapunov_exponent"])
    assert "spectrum_1_error" in first


def test_an_empty_file_says_what_is_missing_and_how_to_get_it():
    text = page(empty())
    assert "None of 1,200 samples is computed yet" in text
    assert "The same mesogpu run command goes on with it" in text
    assert "There is no figure" in text
    assert "There is no run log" in text


def test_an_unfinished_file_says_so():
    results = strip()
    results["status"][1] = 255
    text = page(results)
    assert "unfinished" in text
    assert "600 of 1,200 samples" in text


def test_failures_are_listed_with_their_reasons():
    results = strip()
    results["status"][1, 2, 7] = 19
    results["status"][0, 0, 3] = 1
    found = certificates(results)
    assert found["statuses"] == {"certified": 1198, "redone": 1, "failed_ill_conditioned": 1}
    assert found["redone"] == 1 / 1200
    (failure,) = found["failures"]
    assert failure["parameters"] == {"flux": 0.006}
    assert (failure["length"], failure["realization"]) == (120, 7)
    text = page(results)
    assert "the recursion lost too many digits" in text
    assert "flux = 0.006" in text


def test_many_failures_are_counted_and_the_first_are_named():
    results = strip()
    results["status"][:] = 17
    found = certificates(results)
    assert (found["failed"], len(found["failures"])) == (1200, 50)
    assert "and 1,150 more" in page(results)


def test_the_largest_audit_deviation_is_told():
    results = strip()
    deviation = np.full((2, 3, 4), np.nan)
    deviation[0, 1, 2], deviation[1, 0, 0] = 3e-12, 1e-13
    results["audit_deviation"] = (("point", "length", "block"), deviation, {"units": "1"})
    assert certificates(results)["audit"] == {"largest": 3e-12, "units": "1", "audited": 2, "blocks": 8}
    assert "in 2 of 8 blocks: the largest deviation of ln g is 3e-12." in page(results)


def test_a_long_table_is_cut_and_says_so():
    fluxes = tuple(np.linspace(0.0, 0.01, 600))
    results = dataset(np.random.default_rng(3).random((600, 1, 4)), lengths=(10,), parameters={"flux": fluxes})
    text = page(results)
    assert "and 100 more rows" in text
    assert len(text) < 2_000_000


def test_the_page_tells_how_runs_ended():
    records = [{"event": "started", "host": "a", "pid": 1, "backend": "native"}]
    assert "no end was logged" in page(strip(), records)
    finished = {"event": "finished", "host": "a", "pid": 1, "seconds": 2.0, "realizations": 400}
    text = page(strip(), [*records, finished])
    assert "no end was logged" not in text
    assert "400 realizations in 2.0 s, 200 a second" in text
    stopped = {"event": "stopped", "host": "a", "pid": 1, "reason": "Interrupted: by hand"}
    text = page(strip(), [*records, stopped])
    assert "no end was logged" not in text
    assert "reason Interrupted: by hand" in text


def test_a_page_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with pytest.raises(EnvironmentFault, match="choose a folder"):
        write_page("page", tmp_path / "nowhere" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_page("page", tmp_path / "page.html")
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


def test_a_long_sweep_shows_some_analyses_of_a_kind_and_counts_the_others():
    record = {"kind": "k", "title": "Cumulants", "results": [], "words": "small"}
    records = [record | {"where": {"parameters": {"flux": float(k)}}} for k in range(20)]
    text = page(strip(), analyses=records)
    assert text.count("<h3>Cumulants") == 6
    assert "<h3>Cumulants, flux = 19</h3>" in text
    assert "14 more of these, at other points" in text
