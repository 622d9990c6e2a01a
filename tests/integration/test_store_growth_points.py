"""A sweep that gains points: the file keeps what it has of the old ones and becomes the file of the larger sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import store_cases as cases

import mesogpu
from mesogpu.config.experiment import SweepAxis
from mesogpu.errors import EnvironmentFault, StoreError
from mesogpu.plan import Plan
from mesogpu.store import Writer, creation, in_stored_blocks, read_progress

WIDTH, FLUX, SIZE = "disorder.0.width", "flux", "model.width"


def axis(path: str, *values: float) -> SweepAxis:
    return SweepAxis((path,), tuple((value,) for value in values))


OLD = (axis(WIDTH, 0.5, 2.0),)
LARGER = {
    "values before, between and after": (axis(WIDTH, 0.25, 2.0, 1.0, 0.5, 4.0),),
    "a second axis, slowest": (axis(FLUX, 0.01, 0.0), *OLD),
    "a second axis, fastest": (*OLD, axis(FLUX, 0.01, 0.0)),
    "more channels": (axis(SIZE, 3, 4, 9), *OLD),
    "the same points in another order": (axis(WIDTH, 2.0, 0.5),),
    "coupled": (SweepAxis((WIDTH, FLUX), ((0.5, 0.0), (3.0, 0.02), (2.0, 0.0))),),
}


def grown(path: Path, plan: Plan) -> Writer:
    return Writer(path, plan, config_text=cases.text(plan), signature=cases.SIGNATURE, grow=True)


@pytest.mark.parametrize("sweep", LARGER.values(), ids=LARGER)
@pytest.mark.parametrize("realizations", [200, 300])
def test_a_grown_sweep_equals_one_made_at_once(tmp_path: Path, sweep: tuple[SweepAxis, ...], realizations: int) -> None:
    """Planted faults: blocks left where their point's old number was; eigenvalues at their old width."""
    path, direct = tmp_path / "grown.h5", tmp_path / "direct.h5"
    small, large = cases.plan(sweep=OLD), cases.plan(sweep=sweep, realizations=realizations)
    first = [block for block in cases.every_block(small) if block != (1, 3)]
    cases.write(path, small, first)
    whole = small.blocks_per_point - (realizations != small.realizations)  # the short last block must be whole in both
    with grown(path, large) as writer:
        assert writer.done.sum() == 2 * whole - 1
        writer.commit([cases.compute(large, *block) for block in cases.every_block(large) if not writer.done[block]])
    cases.write(direct, large)
    assert cases.digest(path) == cases.digest(direct)
    manifests = [Path(f"{name}.manifest.json").read_bytes() for name in (path, direct)]
    assert manifests[0] == manifests[1]
    cases.write(path, large)


def test_points_may_differ_in_their_lengths(tmp_path: Path) -> None:
    """Planted fault: points matched by their parameters, of which lengths in widths are none."""
    path, direct = tmp_path / "grown.h5", tmp_path / "direct.h5"
    model = replace(cases.experiment().model, lengths=(1, 2), times_width=True)
    small = cases.plan(sweep=(axis(SIZE, 4),), model=model)
    large = cases.plan(sweep=(axis(SIZE, 6, 4),), model=model)
    cases.write(path, small)
    grown(path, large).close()
    assert read_progress(path).points[1].done == 200
    cases.write(path, large)
    cases.write(direct, large)
    assert cases.digest(path) == cases.digest(direct)
    longer = cases.plan(sweep=(axis(SIZE, 6, 4),), model=replace(model, lengths=(1, 3)))
    with pytest.raises(StoreError, match=r"another experiment .*model.length.times_width: \[1, 2\] there"):
        grown(path, longer)


def test_points_are_added_only_when_asked_to(tmp_path: Path) -> None:
    """Planted fault: the flag not looked at."""
    path, large = tmp_path / "run.h5", cases.plan(sweep=(axis(WIDTH, 0.5, 1.0, 2.0),))
    cases.write(path, cases.plan(sweep=OLD))
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    with pytest.raises(StoreError, match=r"holds 2 of the 3 sweep points of this experiment; add --grow.*-o"):
        cases.write(path, large)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sweep": (axis(WIDTH, 0.5, 1.0),)}, r"another experiment .*its point number 1 \(disorder.0.width = 2.0\) is"),
        ({"sweep": ()}, r"another experiment .*sweep.disorder.0.width: \[0.5, 2.0\] there, None here"),
        ({"sweep": (axis(WIDTH, 0.5, 1.0, 2.0),), "seed": 8}, r"another experiment .*seed: 7 there, 8 here"),
        ({"sweep": (axis(WIDTH, 0.5, 1.0, 2.0),), "observables": ()}, r"another experiment .*observables"),
        ({"sweep": (axis(WIDTH, 0.5, 1.0, 2.0),), "realizations": 100}, r"holds 200 .*more than the 100"),
    ],
)
def test_nothing_that_is_stored_is_given_up(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    """Planted fault: a point of the file without a place in the plan dropped."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan(sweep=OLD), [(0, 0)])
    before = cases.digest(path)
    with pytest.raises(StoreError, match=message):
        grown(path, cases.plan(**changes))
    assert cases.digest(path) == before


def test_independent_points_keep_their_numbers_or_are_refused(tmp_path: Path) -> None:
    """Planted fault: points matched by what is swept alone."""
    path, direct = tmp_path / "grown.h5", tmp_path / "direct.h5"
    small = cases.plan(sweep=OLD, randomness="independent")
    cases.write(path, small)
    before = cases.digest(path)
    between = cases.plan(sweep=(axis(WIDTH, 0.5, 1.0, 2.0),), randomness="independent")
    with pytest.raises(StoreError, match=r"point number 1 \(disorder.0.width = 2.0\) would get another number.*at the"):
        grown(path, between)
    assert cases.digest(path) == before
    after = cases.plan(sweep=(axis(WIDTH, 0.5, 2.0, 1.0),), randomness="independent")
    with grown(path, after) as writer:
        assert writer.done[:2].all()
    cases.write(path, after)
    cases.write(direct, after)
    assert cases.digest(path) == cases.digest(direct)


def test_a_file_that_grows_keeps_its_blocks(tmp_path: Path) -> None:
    """Planted fault: the plan's own block size taken for a file that is there."""
    path, direct = tmp_path / "grown.h5", tmp_path / "direct.h5"
    small = replace(cases.plan(sweep=OLD), block_size=32)
    cases.write(path, small)
    large = in_stored_blocks(path, cases.plan(sweep=LARGER["more channels"]))
    assert large.block_size == 32
    grown(path, large).close()
    cases.write(path, large)
    cases.write(direct, large)
    assert cases.digest(path) == cases.digest(direct)
    assert in_stored_blocks(tmp_path / "none.h5", large) is large


def test_growth_that_fails_or_is_killed_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the old file removed before the new one is whole."""
    path, large = tmp_path / "run.h5", cases.plan(sweep=LARGER["a second axis, fastest"])
    cases.write(path, cases.plan(sweep=OLD))
    before = cases.digest(path)

    def refuse(path: Path, _: int) -> None:
        raise EnvironmentFault(f"{path}: no room")

    monkeypatch.setattr(creation, "require_space", refuse)
    with pytest.raises(EnvironmentFault, match="no room"):
        grown(path, large)
    monkeypatch.undo()
    assert cases.digest(path) == before
    script = """
import os, signal, sys
import store_cases as cases, test_store_growth_points as growth
from mesogpu.store import raw
marked = raw.BlockFile.mark
def mark(self, point, block, parts):
    marked(self, point, block, parts)
    if point == 3:
        os.kill(os.getpid(), signal.SIGKILL)
raw.BlockFile.mark = mark
growth.grown(growth.Path(sys.argv[1]), cases.plan(sweep=growth.LARGER["a second axis, fastest"]))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    killed = subprocess.run([sys.executable, "-c", script, str(path)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [entry.name for entry in tmp_path.glob("run.h5.tmp*")] == [f"run.h5.tmp{killed_pid(tmp_path)}"]
    assert cases.digest(path) == before
    cases.write(path, cases.plan(sweep=OLD))
    assert cases.digest(path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.h5", "run.h5.lock", "run.h5.manifest.json"]
    grown(path, large).close()
    assert read_progress(path).done == 400


def killed_pid(folder: Path) -> str:
    return (folder / "run.h5.lock").read_text().split()[1]


def test_a_run_grows_its_sweep_and_recomputes_nothing(tmp_path: Path) -> None:
    """Through the public surface, with an engine. Planted fault: points matched by their number."""
    small = {
        "schema": 1,
        "name": "w",
        "seed": 3,
        "model": {"lattice": "square", "width": 4, "length": [4, 8]},
        "disorder": [{"distribution": "uniform", "width": 1.0}],
        "energy": 0.3,
        "realizations": 20,
        "observables": ["transmission_eigenvalues"],
    }
    large = small | {"sweep": {"energy": {"linspace": [0.1, 0.5, 5]}, "model.width": [4, 6]}}
    options = {"backend": "numpy", "workers": 1}
    path, direct = tmp_path / "grown.h5", tmp_path / "direct.h5"
    mesogpu.run(small, path, **options)
    counted: list[object] = []
    with pytest.raises(StoreError, match="--grow"):
        mesogpu.run(large, path, **options)
    mesogpu.run(large, path, grow=True, listen=counted.append, **options)
    assert counted[0].done_realizations == 20
    assert counted[0].total_realizations == 200
    mesogpu.run(large, direct, **options)
    assert cases.digest(path) == cases.digest(direct)
