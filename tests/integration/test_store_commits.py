"""What is committed stays, and the bytes are a function of experiment and results alone."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import store_cases as cases

from mesogpu.errors import DamagedFileError, EnvironmentFault, MesogpuError
from mesogpu.plan import BlockResult
from mesogpu.store import Writer, file_bytes, open_results, provenance, raw, writer
from mesogpu.store.existing import find

ROOT = Path(__file__).parents[2]


def writer_process(path: Path, *arguments: object) -> subprocess.Popen[str]:
    """`store_cases` as a process of its own."""
    script = Path(__file__).with_name("store_cases.py")
    return subprocess.Popen(
        [sys.executable, str(script), str(path), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "STORE_CASES_COMMIT": provenance.git_sha()},
    )


def blocks_in(lines: list[str], word: str) -> set[tuple[int, int]]:
    return {(int(line.split()[1]), int(line.split()[2])) for line in lines if line.startswith(word)}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run that nothing disturbed."""
    path = tmp_path_factory.mktemp("reference") / "run.h5"
    cases.write(path, cases.plan())
    return path


def test_committed_numbers_come_back_exactly(reference: Path) -> None:
    """Planted fault: blocks written one row too far."""
    plan = cases.plan()
    with open_results(reference) as results:
        for point, index in cases.every_block(plan):
            block = cases.compute(plan, point, index)
            rows = slice(block.first, block.first + block.count)
            for name, expected in block.arrays.items():
                np.testing.assert_array_equal(results[name].values[point, :, rows], expected)
            np.testing.assert_array_equal(results["audit_deviation"].values[point, :, index], block.audit)


@pytest.mark.parametrize("seed", range(4))
def test_bytes_do_not_depend_on_order_or_grouping(tmp_path: Path, reference: Path, seed: int) -> None:
    """Planted fault: the commit entry holding the block's position in its commit."""
    order = random.Random(seed)
    blocks = cases.every_block(cases.plan())
    order.shuffle(blocks)
    cases.write(tmp_path / "run.h5", cases.plan(), blocks, group=order.choice([1, 3, 7, len(blocks)]))
    assert cases.digest(tmp_path / "run.h5") == cases.digest(reference)


def test_bytes_do_not_depend_on_channels_left_unused_in_memory(tmp_path: Path) -> None:
    """Points with fewer channels are padded with NaN. Planted fault: padding taken from uninitialised memory."""
    sweep = (cases.SweepAxis(("energy",), ((0.8,), (3.0,), (2.1,))),)
    plan = cases.plan(sweep=sweep)
    assert len(set(plan.channels)) > 1
    digests = set()
    for name in ("a.h5", "b.h5"):
        cases.write(tmp_path / name, plan, group=5 if name == "a.h5" else 1)
        digests.add(cases.digest(tmp_path / name))
    with open_results(tmp_path / "a.h5") as results:
        padded = np.isnan(results["transmission_eigenvalues"].values)
        expected = np.arange(plan.max_channels) >= results["channels"].values[:, np.newaxis]
        assert (padded == expected[:, np.newaxis, np.newaxis]).all()
    assert len(digests) == 1


def test_an_interrupted_run_resumes_where_it_was(tmp_path: Path, reference: Path) -> None:
    """Planted fault: resuming with every block taken as missing."""
    path, plan = tmp_path / "run.h5", cases.plan()
    some = cases.every_block(plan)[::3]
    cases.write(path, plan, some)
    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as resumed:
        assert {tuple(map(int, block)) for block in np.argwhere(resumed.done)} == set(some)
    cases.write(path, plan)
    assert cases.digest(path) == cases.digest(reference)


def test_opening_a_finished_file_changes_nothing(tmp_path: Path, reference: Path) -> None:
    """Planted fault: recovery clearing blocks that are done."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan)
    with Writer(path, plan, config_text="name: another\n", signature=cases.SIGNATURE) as again:
        assert again.done.all()
        again.commit([cases.compute(plan, 0, 0)])
    assert cases.digest(path) == cases.digest(reference)
    assert path.stat().st_mode & 0o777 == 0o444


def test_kills_at_random_moments_lose_nothing(tmp_path: Path, reference: Path) -> None:
    """Six SIGKILLs, three of them during creation. Planted fault: acknowledging before the commit entry is written."""
    path, moments = tmp_path / "run.h5", random.Random(3)
    acknowledged: set[tuple[int, int]] = set()
    creation = ["*.lock", "*.tmp*", "*.next"]
    for kill in range(6):
        process = writer_process(path, kill, 1)
        assert process.stdout is not None
        lines: list[str] = []
        if kill < len(creation):
            while process.poll() is None and not path.exists() and not list(tmp_path.glob(creation[kill])):
                time.sleep(0.0002)
        else:
            wanted = moments.randrange(1, 3)
            while sum(line.startswith("ack") for line in lines) < wanted and (line := process.stdout.readline()):
                lines.append(line)
            time.sleep(moments.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.communicate()
        if any(line.startswith("done") for line in lines):
            assert blocks_in(lines, "done") >= acknowledged
        acknowledged |= blocks_in(lines, "ack")
    assert acknowledged
    process = writer_process(path, 99, 5)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert blocks_in(output.splitlines(), "done") >= acknowledged
    assert cases.digest(path) == cases.digest(reference)
    assert not list(tmp_path.glob("*.tmp*"))


def test_a_process_that_died_between_the_two_renames_is_picked_up(tmp_path: Path, reference: Path) -> None:
    """The file has its name, its manifest not yet. Planted fault: the waiting manifest thrown away."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan, cases.every_block(plan)[:5])
    manifest = tmp_path / "run.h5.manifest.json"
    manifest.rename(f"{manifest}.next")
    (tmp_path / "run.h5.tmp12345").write_bytes(b"half a file")
    cases.write(path, plan)
    assert cases.digest(path) == cases.digest(reference)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.h5", "run.h5.lock", "run.h5.manifest.json"]


@pytest.mark.parametrize("name", ["audit_deviation", "status", "conditioning", "transmission_eigenvalues", "commit"])
def test_a_torn_block_is_noticed_reset_and_computed_again(tmp_path: Path, reference: Path, name: str) -> None:
    """Planted fault: the checksum leaving out the audit."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan)
    existing = find(path)
    assert existing is not None
    flip(path, existing.offsets[name] + 2)
    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as resumed:
        assert np.argwhere(~resumed.done).tolist() == [[0, 0]]
        with open_results(path) as results:
            assert np.isnan(results["conductance"].values[0, :, : cases.BLOCK]).all()
    untouched = tmp_path / "partial.h5"
    cases.write(untouched, plan, cases.every_block(plan)[1:])
    assert cases.digest(path) == cases.digest(untouched)
    cases.write(path, plan)
    assert cases.digest(path) == cases.digest(reference)


def test_bytes_of_a_block_never_entered_are_wiped(tmp_path: Path) -> None:
    """Data reached the disk, the entry did not. Planted fault: resetting only blocks that have an entry."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan, [(0, 1)])
    clean = cases.digest(path)
    existing = find(path)
    assert existing is not None
    flip(path, existing.offsets["conductance"] + 8 * (5 * cases.BLOCK + 3))
    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE):
        pass
    assert cases.digest(path) == clean


def test_damage_outside_the_blocks_stops_a_resume(tmp_path: Path) -> None:
    """A run must not write by offsets from a damaged header. Planted fault: the manifest's hash not compared."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan, [(0, 1)])
    whole = path.read_bytes()
    existing = find(path)
    assert existing is not None
    for position in (9, 60, whole.index(b"Tr t t^dagger"), whole.index(cases.plan().experiment.identity().encode())):
        path.chmod(0o644)
        path.write_bytes(whole)
        flip(path, position)
        damaged = path.read_bytes()
        with pytest.raises(DamagedFileError, match="repair"):
            cases.write(path, plan)
        assert path.read_bytes() == damaged


def test_a_missing_manifest_stops_a_resume(tmp_path: Path) -> None:
    """Planted fault: treating it as an empty manifest."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan, [(0, 1)])
    (tmp_path / "run.h5.manifest.json").unlink()
    with pytest.raises(DamagedFileError, match=r"manifest\.json: is missing.*verify --repair"):
        cases.write(path, plan)


def test_a_failing_disk_is_never_called_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: marking blocks done before the synchronization."""
    path, plan = tmp_path / "run.h5", cases.plan()

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as broken:
        broken.commit([cases.compute(plan, 0, 0)])
        monkeypatch.setattr(writer, "synchronize", fail)
        with pytest.raises(EnvironmentFault, match="device reports a failure"):
            broken.commit([cases.compute(plan, 0, 1)])
        monkeypatch.undo()
        assert np.argwhere(broken.done).tolist() == [[0, 0]]
        with pytest.raises(EnvironmentFault, match="has stopped"):
            broken.commit([cases.compute(plan, 0, 2)])


def test_a_commit_makes_data_durable_then_their_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted faults: no synchronization; a single one at the end, which readers after a power cut could not trust."""
    path, plan = tmp_path / "run.h5", cases.plan()
    seen = []
    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as counted:
        existing = find(path)
        assert existing is not None
        first, length = existing.extents["commit"]
        before = path.read_bytes()
        monkeypatch.setattr(writer, "synchronize", lambda _: seen.append(path.read_bytes()))
        counted.commit([cases.compute(plan, 0, index) for index in range(6)])
    after = path.read_bytes()
    assert seen == [after[:first] + before[first : first + length] + after[first + length :], after]


def test_a_file_replaced_or_cut_during_a_run_is_not_written_to(tmp_path: Path) -> None:
    """Planted fault: no look at the path before a commit."""
    plan = cases.plan()
    for name, disturb, error in (
        ("moved.h5", lambda path: path.rename(path.with_suffix(".old")), EnvironmentFault),
        ("cut.h5", cut, DamagedFileError),
        ("unlocked.h5", lambda path: Path(f"{path}.lock").unlink(), EnvironmentFault),
    ):
        path = tmp_path / name
        with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as running:
            disturb(path)
            with pytest.raises(error):
                running.commit([cases.compute(plan, 0, 0)])
            assert not running.done.any()


def test_a_result_of_the_wrong_shape_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Planted fault: shapes not compared."""
    path, plan = tmp_path / "run.h5", cases.plan()
    good = cases.compute(plan, 0, 0)
    for changes in ({"conductance": np.zeros((2, 3))}, {"shot_noise": None}):
        bad = BlockResult(
            0, 1, cases.BLOCK, cases.BLOCK, {**cases.compute(plan, 0, 1).arrays, **changes}, good.audit, 0.0
        )
        with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as strict:
            before = cases.digest(path)
            with pytest.raises(MesogpuError, match="please report"):
                strict.commit([good, bad])
            assert cases.digest(path) == before


def test_the_checksum_is_the_published_one() -> None:
    """CRC-32C of "123456789" is 0xE3069283 (RFC 3720); the parts are chained. Planted fault: the parts not chained."""
    assert raw.crc32c(b"123456789") == 0xE3069283
    head = (2).to_bytes(4, "little") + (5).to_bytes(4, "little")
    assert raw.checksum(2, 5, [b"12345", b"6789"]) == raw.crc32c(head + b"123456789")


def test_the_predicted_size_is_the_size(tmp_path: Path) -> None:
    """Planted fault: eigenvalues counted for one length."""
    for observables in ((), ("transmission_eigenvalues", "shot_noise")):
        plan = cases.plan(observables=observables, realizations=4000)
        path = tmp_path / f"{len(observables)}.h5"
        cases.write(path, plan, [])
        assert abs(path.stat().st_size - file_bytes(plan)) < 65536


def cut(path: Path) -> None:
    """Leave the first 100 kB of a file."""
    path.chmod(0o644)
    os.truncate(path, 100_000)


def flip(path: Path, position: int) -> None:
    """Change one bit of a file."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 0x04]))
