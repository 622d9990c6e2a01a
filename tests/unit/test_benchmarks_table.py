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


def test_readme_shows_the_committed_results():
    text = table.README.read_text(encoding="utf-8")
    assert table.with_section(text, table.section(table.RESULTS)) == text, "run: python -m benchmarks.table"


def test_only_what_stands_between_the_markers_changes():
    text = f"before\n{table.OPEN}\nold\n{table.CLOSE}\nafter\n"
    assert table.with_section(text, "new\n") == f"before\n{table.OPEN}\nnew\n{table.CLOSE}\nafter\n"
    with pytest.raises(ValueError, match="performance"):
        table.with_section("no marker", "new\n")


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
