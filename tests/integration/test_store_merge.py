"""Files of parts: one plan cut up, computed apart, and put together again to the very file that one run writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from store_cases import CONFIG, SIGNATURE, compute, digest, every_block, plan, write

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.plan import Part, Plan
from mesogpu.plan.parts import cut
from mesogpu.store import Writer, count_done, merge, open_results, read_progress, repair, verify


def parts_in(folder: Path, whole: Plan, shards: int) -> list[tuple[Path, Part]]:
    found = cut([1.0] * len(whole.points), whole.blocks_per_point, shards)
    return [(folder / f"{number}.h5", part) for number, part in enumerate(found)]


@pytest.fixture
def whole() -> Plan:
    return plan()


@pytest.mark.parametrize("shards", [1, 3, 13, 20, 26])
def test_merged_parts_are_byte_for_byte_the_file_of_one_run(tmp_path: Path, whole: Plan, shards: int) -> None:
    # Fails where a part forgets its first block (planted: `first_block` left out of `Plan.block`).
    write(tmp_path / "one.h5", whole)
    parts = parts_in(tmp_path, whole, shards)
    for path, part in reversed(parts):
        write(path, whole.only(part))
    merged = merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG)
    assert merged.complete
    assert merged.written
    assert digest(tmp_path / "merged.h5") == digest(tmp_path / "one.h5")
    assert verify(tmp_path / "merged.h5").complete
    again = merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG)
    assert again.complete
    assert not again.written


def test_a_part_is_a_results_file_of_its_own(tmp_path: Path, whole: Plan) -> None:
    part = Part(1, 1, 3, 2)
    write(tmp_path / "part.h5", whole.only(part), [(0, 0)])
    progress = read_progress(tmp_path / "part.h5")
    assert (progress.done, progress.total) == (16, 32)
    assert count_done(tmp_path / "part.h5", whole.only(part)) == (16, progress.failed)
    assert progress.failed > 0
    with pytest.raises(StoreError, match="another part of it"):
        count_done(tmp_path / "part.h5", whole)
    assert verify(tmp_path / "part.h5").whole
    with open_results(tmp_path / "part.h5") as results:
        assert results["block"].values.tolist() == [3, 4]
        assert results["point"].values.tolist() == [1]
        assert results["width"].values.tolist() == [2.0]
    damaged = tmp_path / "part.h5"
    damaged.chmod(0o644)
    damaged.with_name("part.h5.manifest.json").unlink()
    assert repair(damaged).after.whole
    write(damaged, whole.only(part))
    assert read_progress(damaged).complete


def test_missing_blocks_are_told_and_nothing_is_written(tmp_path: Path, whole: Plan) -> None:
    parts = parts_in(tmp_path, whole, 4)
    for path, part in parts[1:]:
        write(path, whole.only(part), every_block(whole.only(part))[:-1])
    merged = merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG)
    assert not merged.complete
    assert int((~merged.done).sum()) == 2 * parts[0][1].blocks + 3
    assert not (tmp_path / "merged.h5").exists()
    assert merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG, partial=True).written
    with Writer(tmp_path / "merged.h5", whole, config_text=CONFIG, signature=SIGNATURE) as writer:
        assert np.array_equal(writer.done, merged.done)
        writer.commit([compute(whole, 0, 0)])
    for path, part in parts:
        write(path, whole.only(part))
    (tmp_path / "one").mkdir()
    write(tmp_path / "one" / "one.h5", whole)
    assert merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG).complete
    assert digest(tmp_path / "merged.h5") == digest(tmp_path / "one" / "one.h5")


def test_a_damaged_block_is_never_merged(tmp_path: Path, whole: Plan) -> None:
    parts = parts_in(tmp_path, whole, 3)
    for path, part in parts:
        write(path, whole.only(part))
    path, _ = parts[1]
    with open_results(path) as results:
        value = results["conductance"].values[0, 0, 5].tobytes()
    data = bytearray(path.read_bytes())
    data[data.index(value)] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match=r"block 0 of its point 0 is not what was committed"):
        merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG)
    assert not list(tmp_path.glob("merged.h5*[!k]"))


def test_parts_of_another_experiment_or_arithmetic_are_refused(tmp_path: Path, whole: Plan) -> None:
    parts = parts_in(tmp_path, whole, 3)
    for number, (path, part) in enumerate(parts):
        write(path, whole.only(part), signature=f"kind {number % 2}")
    with pytest.raises(StoreError, match=r"different arithmetic.*'kind 0' in 0.h5; 'kind 1' in 1.h5"):
        merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG)
    assert merge(tmp_path / "merged.h5", whole, parts, config_text=CONFIG, mixed=True).complete
    assert set(read_progress(tmp_path / "merged.h5").signatures) == {"kind 0", "kind 1"}
    swapped = [(parts[0][0], parts[1][1]), *parts[1:]]
    with pytest.raises(StoreError, match="does not belong to this run"):
        merge(tmp_path / "other.h5", whole, swapped, config_text=CONFIG, mixed=True)
    with pytest.raises(StoreError, match="does not belong to this run"):
        merge(tmp_path / "other.h5", plan(seed=8), parts, config_text=CONFIG, mixed=True)


def test_a_part_is_not_taken_for_the_whole(tmp_path: Path, whole: Plan) -> None:
    part = Part(0, 2, 0, 4)
    write(tmp_path / "part.h5", whole.only(part))
    for other in (whole, whole.only(Part(0, 2, 4, 4))):
        with pytest.raises(StoreError, match="holds a part of an experiment"):
            write(tmp_path / "part.h5", other)
