"""Results of method lyapunov in their file: written, read back, resumed and grown like any others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import store_cases as cases

from mesogpu.config.experiment import Bars, SweepAxis
from mesogpu.errors import MesogpuError, StoreError
from mesogpu.plan import BlockResult, Plan, Status
from mesogpu.store import Writer, file_bytes, open_results, read_progress

EXPONENTS = ("lyapunov_exponents", "lyapunov_errors", "lyapunov_drift")
WIDTHS = (SweepAxis(("model.width", "lyapunov.slices"), ((4, 64), (6, 96))),)


def plan(realizations: int = 40, **bars: int) -> Plan:
    """Strips of 4 and of 6 sites, whose bars differ in length."""
    model = replace(cases.experiment().model, lengths=())
    changes = {"model": model, "sweep": WIDTHS, "method": "lyapunov", "observables": (), "realizations": realizations}
    return cases.plan(**changes, bars=replace(Bars(64, 16, None), **bars))


def compute(plan: Plan, point: int, index: int) -> BlockResult:
    """What a backend would return: numbers drawn for this point and block, ascending."""
    block = plan.block(point, index)
    rng = np.random.default_rng([plan.experiment.seed, point, index])
    shape = (block.count, plan.channels[point])
    arrays = {
        "lyapunov_exponents": np.sort(rng.random(shape), axis=-1),
        "lyapunov_errors": rng.random(shape),
        "lyapunov_drift": rng.standard_normal(shape),
        "conditioning": rng.random((1, block.count)),
        "status": rng.choice([Status.CERTIFIED, Status.FAILED_NOT_FINITE], (1, block.count)).astype("u1"),
    }
    audit = rng.random(1) if index == 0 else np.full(1, np.nan)
    return BlockResult(point, index, block.first, block.count, arrays, audit, 0.0)


def write(path: Path, plan: Plan, blocks: list[tuple[int, int]]) -> None:
    with Writer(path, plan, config_text=cases.text(plan), signature=cases.SIGNATURE) as writer:
        writer.commit([compute(plan, *block) for block in blocks if not writer.done[block]])


def test_what_a_backend_gives_is_what_is_read(tmp_path: Path) -> None:
    """Planted faults: a channel axis before that of the realizations; exponents padded with zeros."""
    whole = plan()
    write(tmp_path / "a.h5", whole, cases.every_block(whole))
    with open_results(tmp_path / "a.h5") as results:
        for point, index in cases.every_block(whole):
            given = compute(whole, point, index)
            rows = slice(given.first, given.first + given.count)
            for name in EXPONENTS:
                stored = results[name].isel(point=point, realization=rows).values
                channels = whole.channels[point]
                np.testing.assert_array_equal(stored[:, :channels], given.arrays[name])
                assert np.isnan(stored[:, channels:]).all()
            for name in ("status", "conditioning"):
                stored = results[name].isel(point=point, realization=rows).values
                np.testing.assert_array_equal(stored, given.arrays[name])
            np.testing.assert_array_equal(results["audit_deviation"].isel(point=point, block=index), given.audit)


def test_the_file_says_what_its_numbers_are(tmp_path: Path) -> None:
    """Planted faults: conductances beside the exponents; the warm-up of the experiment for every point."""
    sweep = SweepAxis(("lyapunov.slices", "lyapunov.warmup"), ((64, 0), (96, 32)))
    swept = cases.plan(**vars_of(plan()), sweep=(sweep,))
    write(tmp_path / "a.h5", swept, [])
    with open_results(tmp_path / "a.h5") as results:
        found = {*EXPONENTS, "status", "conditioning", "audit_deviation", "channels", "slices", "warmup"}
        assert set(results.data_vars) == found
        assert {results[name].dims for name in EXPONENTS} == {("point", "realization", "channel")}
        assert {results[name].attrs["units"] for name in (*EXPONENTS, "audit_deviation")} == {"1/slices"}
        assert dict(results.sizes) == {"point": 2, "length": 1, "realization": 40, "channel": 4, "block": 3}
        assert results.attrs["method"] == "lyapunov"
        assert results["slices"].values.tolist() == [[64], [96]]
        assert results["warmup"].values.tolist() == [0, 32]
        assert results["lyapunov.slices"].values.tolist() == [64, 96]
        assert results["lyapunov.warmup"].attrs["units"] == "slices"
        assert "Lyapunov" in results["channels"].attrs["long_name"] + results["channel"].attrs["long_name"]
        assert np.isnan(results["lyapunov_exponents"]).all()
        assert (results["status"] == Status.NOT_COMPUTED).all()
    assert (tmp_path / "a.h5").stat().st_size <= file_bytes(swept)


def vars_of(plan: Plan) -> dict[str, object]:
    names = ("model", "method", "observables", "realizations", "bars")
    return {name: getattr(plan.experiment, name) for name in names}


def test_only_as_many_exponents_as_asked_for_are_stored(tmp_path: Path) -> None:
    fewer = plan(exponents=2)
    assert fewer.channels == (2, 2)
    write(tmp_path / "a.h5", fewer, cases.every_block(fewer))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["lyapunov_exponents"].shape == (2, 40, 2)
        assert not np.isnan(file["lyapunov_exponents"][()]).any()


def test_a_run_in_parts_makes_the_bytes_of_one_in_a_whole(tmp_path: Path) -> None:
    """Planted fault: every block taken for done."""
    whole = plan()
    write(tmp_path / "a.h5", whole, cases.every_block(whole))
    write(tmp_path / "b.h5", whole, [(1, 1), (0, 2)])
    progress = read_progress(tmp_path / "b.h5")
    assert (progress.done, progress.total) == (16 + 8, 80)
    with open_results(tmp_path / "b.h5") as results:
        computed = ~np.isnan(results["lyapunov_drift"].isel(channel=0).values)
        assert np.flatnonzero(computed[0]).tolist() == list(range(32, 40))
        assert np.flatnonzero(computed[1]).tolist() == list(range(16, 32))
    write(tmp_path / "b.h5", whole, cases.every_block(whole))
    assert read_progress(tmp_path / "b.h5").complete
    assert cases.digest(tmp_path / "b.h5") == cases.digest(tmp_path / "a.h5")


def test_a_damaged_block_of_bars_is_computed_again(tmp_path: Path) -> None:
    """Planted fault: the drift left out of the checksum."""
    whole, path = plan(), tmp_path / "a.h5"
    write(path, whole, cases.every_block(whole))
    before = cases.digest(path)
    with h5py.File(path) as file:
        drift = file["lyapunov_drift"]
        place = drift.id.get_offset() + drift.id.get_storage_size() // 2 + 3
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with Writer(path, whole, config_text=cases.text(whole), signature=cases.SIGNATURE) as writer:
        assert [tuple(block) for block in np.argwhere(~writer.done)] == [(1, 0)]
        writer.commit([compute(whole, 1, 0)])
    assert cases.digest(path) == before


def test_a_file_of_bars_grows_to_the_bytes_of_a_direct_run(tmp_path: Path) -> None:
    """Planted fault: no block copied."""
    small, large = plan(), plan(realizations=70)
    write(tmp_path / "a.h5", small, cases.every_block(small))
    with Writer(tmp_path / "a.h5", large, config_text=cases.text(large), signature=cases.SIGNATURE) as writer:
        assert writer.done.tolist() == [[True, True, False, False, False]] * 2
    write(tmp_path / "a.h5", large, cases.every_block(large))
    write(tmp_path / "b.h5", large, cases.every_block(large))
    assert cases.digest(tmp_path / "a.h5") == cases.digest(tmp_path / "b.h5")


def test_bars_of_another_length_are_another_experiment(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", plan(), [])
    with pytest.raises(StoreError, match=r"lyapunov\.warmup: 16 there, 17 here"):
        write(tmp_path / "a.h5", plan(warmup=17), [])
    with pytest.raises(StoreError, match="another experiment"):
        write(tmp_path / "a.h5", cases.plan(), [])


def test_a_result_without_its_drift_is_a_bug_that_is_told(tmp_path: Path) -> None:
    whole = plan()
    result = compute(whole, 0, 0)
    arrays = {name: values for name, values in result.arrays.items() if name != "lyapunov_drift"}
    with (
        Writer(tmp_path / "a.h5", whole, config_text=cases.CONFIG, signature=cases.SIGNATURE) as writer,
        pytest.raises(MesogpuError, match="lyapunov_drift is missing"),
    ):
        writer.commit([replace(result, arrays=arrays)])
