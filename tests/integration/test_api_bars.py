"""Method lyapunov from Python and on the command line, up to the engine and without it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import mesogpu
from mesogpu.cli.commands import main
from mesogpu.plan import Block, BlockResult

CONFIG = """\
schema: 1
name: bars
seed: 7
model: {lattice: square, width: 4, edges: periodic}
disorder: [{distribution: uniform, width: 4.0}]
energy: 0.0
sweep: {disorder.0.width: [2.0, 4.0]}
realizations: 6
method: lyapunov
lyapunov: {slices: 40, warmup: 10, exponents: 3}
"""


class Engine:
    """Exponents that say where they belong: 100 * point + realization."""

    name, signature = "numpy", "stand-in 1"

    @property
    def machine(self) -> dict[str, str]:
        return {"processor": "none"}

    def run(self, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        for block in blocks:
            assert block.point.bars is not None
            count, channels = block.count, block.point.bars.stored(block.point.system.orbitals)
            numbers = 100.0 * block.point.index + np.arange(block.first, block.first + count)
            each = np.broadcast_to(numbers[:, None], (count, channels))
            arrays = dict.fromkeys(("lyapunov_exponents", "lyapunov_errors", "lyapunov_drift"), each)
            arrays |= {"conditioning": np.ones((1, count)), "status": np.zeros((1, count), "u1")}
            yield BlockResult(block.point.index, block.index, block.first, count, arrays, np.full(1, np.nan), 0.0)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bars.yaml"
    path.write_text(CONFIG)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_a_run_reaches_the_engine_and_its_exponents_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: lead modes asked for, of which one is at its band edge here."""
    for place in ("mesogpu.api.select_backend", "mesogpu.execute.run.select_backend"):
        monkeypatch.setattr(place, lambda _: Engine())
    out = mesogpu.run(str(config), workers=1)
    mesogpu.run(str(config), out, workers=1, overrides=["realizations=9"])
    with mesogpu.open_results(out) as results:
        assert results["lyapunov_exponents"].dims == ("point", "realization", "channel")
        expected = [[100.0 * point + bar for bar in range(9)] for point in range(2)]
        assert results["lyapunov_exponents"].isel(channel=2).values.tolist() == expected
        assert results["status"].values.tolist() == [[[0] * 9]] * 2


def test_the_potential_of_a_bar_begins_with_its_warmup(config: Path) -> None:
    """Planted fault: the warm-up's slices left out."""
    potential = mesogpu.sample_onsite(str(config), realization=3, point=1)
    assert potential.shape == (50, 4)
    longer = mesogpu.load_experiment(config, ["lyapunov.warmup=20"])
    np.testing.assert_array_equal(mesogpu.sample_onsite(longer, realization=3, point=1)[:50], potential)
    # Points draw disorder of their own here, so they differ by more than the factor of its strength.
    assert not np.array_equal(potential, 2.0 * mesogpu.sample_onsite(str(config), realization=3, point=0))


def test_validate_counts_the_bars_and_notes_a_missing_warmup(config: Path) -> None:
    """Planted fault: lengths counted, of which there are none."""
    assert invoke("validate", config).stdout == "OK: bars: 2 points, 6 bars each\n"
    result = invoke("validate", config, "--set", "lyapunov.warmup=0")
    assert result.exit_code == 0
    assert "bias of the order of 1 / lyapunov.slices" in result.stdout
    refused = invoke("validate", config, "--set", "model.length=100")
    assert refused.exit_code == 2
    assert (
        "model.length: with method: lyapunov a bar is as long as lyapunov.slices says; remove length" in refused.stderr
    )


def test_a_plan_says_how_long_the_bars_are(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesogpu.backends.pace.seconds_per_realization", lambda *_: 0.5)
    sheet = invoke("plan", config, "--backend", "numpy", "--set", "sweep.lyapunov.warmup=[0, 10]").stdout
    for row in ("bars 6 a point", "slices 40 a bar, after a warm-up of 0 to 10", "exponents 3 stored of each bar"):
        assert row in " ".join(sheet.split()), row
    assert "bias of the order of" in sheet
    costs = json.loads(invoke("plan", config, "--json", "--backend", "numpy").stdout)
    assert (costs["channels"], costs["realizations"], costs["notes"]) == ([3, 3], 6, [])
    assert costs["flops"] == pytest.approx(2 * 6 * 50 * (5 * 4**2 + 4.33 * 4**3 / 4))


def test_the_schema_knows_bars() -> None:
    assert "lyapunov" in json.loads(invoke("schema").stdout)["properties"]
