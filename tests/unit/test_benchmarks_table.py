"""README.md's figures are the committed ones.

Planted faults that these tests were seen to fail on: a figure changed in README.md by hand, a results file changed
without running `benchmarks.table`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.markdown import with_section


def test_readme_shows_the_committed_results():
    text = table.README.read_text(encoding="utf-8")
    assert table.with_results(text, table.RESULTS) == text, "run: python -m benchmarks.table"


def test_only_what_stands_between_the_markers_changes():
    text = "before\n<!-- some -->\nold\n<!-- /some -->\nafter\n"
    assert with_section(text, "some", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="other"):
        with_section(text, "other", "new\n")


def test_a_changed_figure_changes_the_section(tmp_path: Path):
    for path in table.RESULTS.glob("*.json"):
        shutil.copy(path, tmp_path)
    before = table.section(tmp_path)
    path = tmp_path / "kernels.json"
    kernels = json.loads(path.read_text(encoding="utf-8"))
    kernels["rows"][0]["traces"]["minimum"] *= 2.0
    path.write_text(json.dumps(kernels), encoding="utf-8")
    assert table.section(tmp_path) != before


def test_parts_without_results_are_left_out(tmp_path: Path):
    assert table.section(tmp_path) == ""
    shutil.copy(table.RESULTS / "kernels.json", tmp_path)
    alone = table.section(tmp_path)
    assert "GFLOP/s" in alone
    assert "Kwant" not in alone
    assert "quickstart" not in alone


def test_a_device_gets_a_table_of_its_own(tmp_path: Path):
    rate = {"minimum": 0.5, "gflops": 2000.0, "percent_of_dgemm": 40.0}
    document = {
        "backend": "cuda",
        "machine": {"device": {"name": "some GPU", "driver": "580"}, "commit": "a" * 40, "date": "2026-11-21"},
        "peaks_gflops": {"dgemm": 5000.0},
        "rows": [{"width": 10, "length": 100, "flux": 0.01, "traces": rate, "eigenvalues": rate}],
    }
    (tmp_path / "gpu.json").write_text(json.dumps(document), encoding="utf-8")
    assert "| 10 x 100, flux 0.01 | 2e+06 | 2e+06 | 2000 | 40 |" in table.section(tmp_path)
    document["backend"] = "native"
    (tmp_path / "gpu.json").write_text(json.dumps(document), encoding="utf-8")
    assert table.section(tmp_path) == ""


def test_bars_are_shown_with_what_they_take(tmp_path: Path):
    row = {"name": "8 x 8", "way": "kernel", "timing": {"minimum": 6.44}, "slices_per_second": 155_280.0}
    row |= {"gflops": 51.2, "percent_of_dgemm": 64.6, "ratio": 41.3, "largest_difference": 3e-13}
    row |= {"seconds_to_demand": 19.6, "predicted_h200_seconds": 0.12}
    wide = row | {"name": "16 x 16", "way": "wide", "timing": {"minimum": 870.0}, "seconds_to_demand": 5200.0}
    machine = {"cpu": "some processor", "commit": "a" * 40, "date": "2026-11-21"}
    document = {"machine": machine, "peaks_gflops": {"dgemm": 79.0}, "rows": [row, wide]}
    (tmp_path / "bars.json").write_text(json.dumps(document), encoding="utf-8")
    shown = table.section(tmp_path)
    assert "| 8 x 8 | 6.4 | 155,280 | 51 | 65 | 41 x | 20 s | 0.12 s |" in shown
    assert "| 16 x 16 | 870 | 155,280 | 51 | 65 | 41 x | 1.4 h | 0.12 s |" in shown
    assert "from 16 x 16 on by BLAS" in shown
    assert "within 3e-13" in shown
