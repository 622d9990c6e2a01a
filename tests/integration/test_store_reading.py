"""Anyone can read the file at any time, and sees only what is committed."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import store_cases as cases
import xarray as xr

from mesogpu.plan import Status
from mesogpu.store import Writer, open_results, read_progress
from mesogpu.store.existing import find

SOME = [(0, 0), (0, 5), (1, 12)]


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with three blocks committed, one of them short, and stray bytes where nothing is committed."""
    path = tmp_path_factory.mktemp("partial") / "run.h5"
    cases.write(path, cases.plan(), SOME)
    existing = find(path)
    assert existing is not None
    path.chmod(0o644)
    with path.open("r+b") as file:
        for name, row in (("conductance", 8 * 3 * cases.BLOCK), ("status", 3 * cases.BLOCK), ("audit_deviation", 8)):
            file.seek(existing.offsets[name] + row)
            file.write(bytes(8))
    return path


def expected(name: str) -> np.ndarray:
    """One variable of the partial file, put together in memory."""
    plan = cases.plan()
    channels = (plan.max_channels,) if name == "transmission_eigenvalues" else ()
    whole = np.full((2, 2, 200, *channels), Status.NOT_COMPUTED if name == "status" else np.nan)
    for point, index in SOME:
        block = cases.compute(plan, point, index)
        whole[point, :, block.first : block.first + block.count] = block.arrays[name]
    return whole


def test_only_committed_rows_are_seen(partial: Path) -> None:
    """Stray bytes of uncommitted blocks read as never computed. Planted fault: no mask."""
    with open_results(partial) as results:
        for name in (
            "conductance",
            "log_conductance",
            "shot_noise",
            "conditioning",
            "status",
            "transmission_eigenvalues",
        ):
            np.testing.assert_array_equal(results[name].values, expected(name))
        assert results["status"].dtype == np.uint8
        audited = {
            tuple(place) for place in np.argwhere(~np.isnan(results["audit_deviation"].values))[:, [0, 2]].tolist()
        }
        assert audited == {(p, b) for p, b in SOME if b % 3 == 0}


@pytest.mark.parametrize(
    "key",
    [
        {"realization": 3},
        {"realization": slice(70, 100, 7)},
        {"realization": slice(None, None, -3)},
        {"realization": [199, 4, 4, 81], "point": [1, 0]},
        {"point": -1, "length": 1, "realization": slice(190, None)},
        {"point": 0, "length": slice(0, 1), "realization": 85},
        {"length": [1, 0], "realization": slice(80, 96)},
        {"point": 0, "length": 0, "realization": 0},
        {"realization": slice(5, 5)},
    ],
)
def test_any_selection_equals_the_same_selection_of_the_whole(partial: Path, key: dict[str, object]) -> None:
    """Planted fault: the mask not following a selection of rows."""
    with open_results(partial) as results:
        for name in ("conductance", "status", "transmission_eigenvalues"):
            whole = xr.DataArray(expected(name), dims=results[name].dims)
            np.testing.assert_array_equal(results[name].isel(key).values, whole.isel(key).values)


def test_vectorized_selection_is_masked(partial: Path) -> None:
    """Planted fault: the mask not following a selection of rows."""
    points, rows = xr.DataArray([0, 1, 0], dims="pick"), xr.DataArray([3, 195, 60], dims="pick")
    with open_results(partial) as results:
        picked = results["conductance"].isel(point=points, realization=rows).transpose("length", "pick").values
    np.testing.assert_array_equal(picked, expected("conductance")[[0, 1, 0], :, [3, 195, 60]].T)


def test_what_is_committed_is_looked_up_once(tmp_path: Path) -> None:
    """A dataset does not change under an analysis. Planted fault: the commit table read at every access."""
    path, plan = tmp_path / "run.h5", cases.plan()
    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as writer:
        writer.commit([cases.compute(plan, 0, 0)])
        with open_results(path) as before:
            writer.commit([cases.compute(plan, 0, 1)])
            assert np.isnan(before["conductance"].values[0, :, cases.BLOCK :]).all()
            with open_results(path) as after:
                assert not np.isnan(after["conductance"].values[0, :, : 2 * cases.BLOCK]).any()


def test_opening_reads_no_samples(tmp_path: Path) -> None:
    """Planted fault: variables loaded at opening."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan(realizations=100_000), [])
    assert path.stat().st_size > 20e6
    tracemalloc.start()
    with open_results(path) as results:
        results["transmission_eigenvalues"].isel(realization=slice(0, 100)).load()
        assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_a_closed_dataset_lets_go_of_the_file(tmp_path: Path) -> None:
    """Planted fault: the file object left open."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan(), SOME)
    held = lambda: sum(link.resolve() == path for link in Path("/proc/self/fd").iterdir())  # noqa: E731
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    results = open_results(path)
    assert held() == 1
    results.close()
    assert held() == 0


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_reads_the_file_without_mesogpu(tmp_path: Path, engine: str, running: bool) -> None:
    """Planted fault: dimension scales not attached."""
    path, plan = tmp_path / "run.h5", cases.plan()
    writer = Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE)
    writer.commit([cases.compute(plan, *block) for block in cases.every_block(plan)])
    if not running:
        writer.close()
    with open_results(path) as ours, xr.open_dataset(path, engine=engine) as theirs:
        assert theirs["conductance"].dims == ("point", "length", "realization")
        assert "realization" not in theirs.variables
        for name in ours.data_vars:
            np.testing.assert_array_equal(theirs[name].values, ours[name].values)
            assert theirs[name].dims == ours[name].dims
        np.testing.assert_array_equal(theirs["width"].values, [0.5, 2.0])
        assert theirs["width"].attrs["units"] == "t"
        assert "width" in theirs.coords
        assert theirs.attrs["config"] == cases.CONFIG
        assert theirs["length"].values.tolist() == [4, 8]
    writer.close()


@pytest.mark.parametrize("running", [True, False])
def test_h5py_reads_the_file_without_mesogpu(tmp_path: Path, running: bool) -> None:
    """Planted fault: the data arrays left without storage."""
    path, plan = tmp_path / "run.h5", cases.plan()
    writer = Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE)
    writer.commit([cases.compute(plan, 1, 2)])
    if not running:
        writer.close()
    with h5py.File(path, "r") as file:
        rows = slice(2 * cases.BLOCK, 3 * cases.BLOCK)
        np.testing.assert_array_equal(file["conductance"][1, :, rows], cases.compute(plan, 1, 2).arrays["conductance"])
        assert np.isnan(file["conductance"][0]).all()
        assert file["realization"].id.get_storage_size() == 0
        assert file["commit"]["state"].sum() == 1
    writer.close()


def test_progress_counts_realizations_and_failures(partial: Path) -> None:
    """Planted fault: samples counted in place of realizations."""
    progress = read_progress(partial)
    plan = cases.plan()
    failed = [0, 0]
    for point, index in SOME:
        status = cases.compute(plan, point, index).arrays["status"]
        failed[point] += int((status == Status.FAILED_UNITARITY).any(axis=0).sum())
    assert [point.done for point in progress.points] == [2 * cases.BLOCK, 8]
    assert [point.failed for point in progress.points] == failed
    assert sum(failed) > 0
    assert (progress.done, progress.total, progress.failed) == (40, 400, sum(failed))
    assert [point.parameters for point in progress.points] == [{"width": 0.5}, {"width": 2.0}]
    assert not progress.complete


def test_progress_does_not_depend_on_how_much_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the last group of blocks left out."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan())
    whole = read_progress(path)
    assert whole.complete
    for samples in (1, 100, 300, 1000):
        monkeypatch.setattr("mesogpu.store.progress._SAMPLES", samples)
        assert read_progress(path) == whole
