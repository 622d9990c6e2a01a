"""What a writer refuses: it says why and what to do, and leaves every byte as it was."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import h5py
import pytest
import store_cases as cases
from test_store_commits import writer_process

from mesogpu.errors import DamagedFileError, EnvironmentFault, PlanError, StoreError
from mesogpu.store import Writer, creation, file_bytes, layout, open_results, read_progress, structure


def ignores_permissions() -> bool:
    """Whether this user, like root, may write to a file without write permission."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0o444)
        return os.access(file.name, os.W_OK)


ORDINARY_USER = pytest.mark.skipif(ignores_permissions(), reason="root may write everywhere")


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def open_writer(path: Path) -> Writer:
    return Writer(path, cases.plan(), config_text=cases.CONFIG, signature=cases.SIGNATURE)


def foreign_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = range(10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (foreign_hdf5, "mesogpu did not write"),
        (lambda path: path.write_text("my thesis"), "not an HDF5 file"),
        (lambda path: path.write_bytes(b""), "not an HDF5 file"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "HDF5 cannot open it"),
        (Path.mkdir, "is a directory"),
        (os.mkfifo, "not an ordinary file"),
    ],
)
def test_what_is_not_ours_is_left_alone(tmp_path: Path, make: object, message: str) -> None:
    """Planted fault: anything unreadable replaced by a new file."""
    path = tmp_path / "out.h5"
    make(path)
    before = contents(tmp_path) if path.is_file() else {}
    with pytest.raises(StoreError, match=message) as caught:
        open_writer(path)
    assert str(path) in str(caught.value)
    assert not isinstance(caught.value, DamagedFileError)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5"]
    assert not path.is_file() or contents(tmp_path) == before


def test_another_experiment_is_refused_by_what_differs(tmp_path: Path) -> None:
    """Planted fault: the identities not compared."""
    path, other = tmp_path / "out.h5", cases.plan(energy=0.7)
    cases.write(path, other, [(0, 0)])
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=r"another experiment.*energy: 0\.7 there, 0\.8 here\).*-o") as caught:
        open_writer(path)
    for plan in (other, cases.plan()):
        assert plan.experiment.identity()[:12] in str(caught.value)
    assert contents(tmp_path) == before


def test_a_renamed_experiment_is_the_same_one(tmp_path: Path) -> None:
    """Planted fault: comparing the YAML text."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan(), [(0, 0)])
    cases.write(path, cases.plan(name="renamed"), config_text="name: renamed\n")
    assert read_progress(path).complete


def test_another_signature_or_block_size_is_refused(tmp_path: Path) -> None:
    """Planted fault: the signatures not compared."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan(), [(0, 0)])
    before = contents(tmp_path)
    with pytest.raises(StoreError, match="computed by 'stand-in 1', this run would use 'stand-in 2'"):
        cases.write(path, cases.plan(), signature="stand-in 2")
    with pytest.raises(StoreError, match=r"blocks of 16 realizations, this plan into blocks of 32; .*-o"):
        cases.write(path, cases.replace(cases.plan(), block_size=32))
    assert contents(tmp_path) == before


def test_a_newer_format_is_refused_by_the_version_to_install(tmp_path: Path) -> None:
    """Planted fault: the format not compared."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan(), [(0, 0)])
    path.chmod(0o644)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
        file.attrs["mesogpu_version"] = "9.1.0"
    before = contents(tmp_path)
    for read in (open_writer, open_results, read_progress):
        with pytest.raises(StoreError, match=r"format 2, this version reads up to 1; install mesogpu 9\.1\.0 or newer"):
            read(path)
    assert contents(tmp_path) == before


def test_readers_name_what_they_cannot_read(tmp_path: Path) -> None:
    """Planted fault: OSError of h5py let through."""
    foreign = tmp_path / "foreign.h5"
    foreign_hdf5(foreign)
    for path, message in ((tmp_path / "none.h5", "no such file"), (tmp_path, "not a file"), (foreign, "did not write")):
        for read in (open_results, read_progress):
            with pytest.raises(StoreError, match=message):
                read(path)


@pytest.mark.parametrize("spoil", [slice(0, 8), slice(8, 48), slice(48, 4096), slice(50_000, None)])
def test_readers_tell_a_damaged_file_from_a_foreign_one(tmp_path: Path, spoil: slice) -> None:
    """Zeroed header pages, or the tail cut off. Planted fault: the manifest not asked whose the file was."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan())
    content = bytearray(path.read_bytes())
    if spoil.stop is None:
        del content[spoil]
    else:
        content[spoil] = bytes(spoil.stop - spoil.start)
    path.chmod(0o644)
    path.write_bytes(content)
    for read in (open_results, read_progress, open_writer):
        with pytest.raises(DamagedFileError, match="repair"):
            read(path)
    assert path.read_bytes() == bytes(content)


def test_more_blocks_than_a_file_can_have_are_refused_by_writers_and_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted fault: readers without the bound."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan(), [])
    monkeypatch.setattr(layout, "MAX_BLOCKS", 25)
    with pytest.raises(PlanError, match=r"blocks: 26 of 16 realizations.*25 at most"):
        file_bytes(cases.plan())
    monkeypatch.setattr(structure, "MAX_BLOCKS", 25)
    with pytest.raises(DamagedFileError, match="26 blocks, more than 25"):
        read_progress(path)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """From another process and from this one. Planted fault: no lock taken."""
    path = tmp_path / "out.h5"
    with open_writer(path) as first:
        process = writer_process(path, 0, 1)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert re.search(rf"EnvironmentFault: .*out\.h5: being written by pid {os.getpid()} on", errors)
        with pytest.raises(EnvironmentFault, match="already open for writing in this process"):
            open_writer(path)
        first.commit([cases.compute(cases.plan(), 0, 0)])
        again = writer_process(path, 0, 1)
        again.communicate(timeout=60)
        assert again.returncode == 1, "the refused attempt in this process must not have dropped the lock"
    with open_writer(path) as second:
        assert second.done.sum() == 1


def test_hdf5_programs_may_read_but_not_write_during_a_run(tmp_path: Path) -> None:
    """Planted fault: no flock on the data file."""
    path = tmp_path / "out.h5"
    with open_writer(path):
        with h5py.File(path, "r") as file:
            assert file["conductance"].shape == (2, 2, 200)
        with pytest.raises(OSError, match=r"lock|Permission"):
            h5py.File(path, "r+")
    with h5py.File(path, "r"), open_writer(path) as resumed:
        resumed.commit([cases.compute(cases.plan(), 0, 0)])


@ORDINARY_USER
def test_a_stray_truncation_is_refused(tmp_path: Path) -> None:
    """h5py truncates before it looks at locks. Planted fault: the file left writable."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan())
    before = cases.digest(path)
    with pytest.raises(OSError, match="Permission"):
        h5py.File(path, "w")
    assert cases.digest(path) == before


@ORDINARY_USER
def test_a_place_without_permission_is_named(tmp_path: Path) -> None:
    """Planted fault: PermissionError let through."""
    tmp_path.chmod(0o555)
    with pytest.raises(EnvironmentFault, match=r"not allowed here.*-o"):
        open_writer(tmp_path / "out.h5")
    tmp_path.chmod(0o755)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """Planted fault: no look at the directory."""
    with pytest.raises(StoreError, match="there is no directory"):
        open_writer(tmp_path / "nowhere" / "out.h5")


def test_too_little_space_is_seen_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: free blocks counted in bytes."""
    path = tmp_path / "out.h5"
    space = os.statvfs(tmp_path)

    def nearly_full(_: Path) -> os.statvfs_result:
        return os.statvfs_result((space.f_bsize, 1024, 100, 100, 100, *tuple(space)[5:]))

    monkeypatch.setattr(creation.os, "statvfs", nearly_full)
    with pytest.raises(EnvironmentFault, match=r"the results need 0\.\d MB, the disk has 0\.1 MB left"):
        open_writer(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5.lock"]


@pytest.mark.parametrize("limit", [30_000, 90_000])
def test_a_disk_that_fills_during_creation_leaves_nothing_behind(tmp_path: Path, limit: int) -> None:
    """Planted fault: what was built so far left there."""
    path = tmp_path / "out.h5"
    process = writer_process(path, 0, 1, f"create:{limit}")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.match(r"EnvironmentFault: .*out\.h5: .*larger than .* may write", errors), errors
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5.lock"]


def test_a_disk_that_fills_during_a_run_keeps_what_was_committed(tmp_path: Path) -> None:
    """Planted fault: blocks acknowledged before their bytes are written."""
    path = tmp_path / "out.h5"
    cases.write(path, cases.plan(), [(0, 0), (1, 4)])
    limit = path.stat().st_size - 20_000
    process = writer_process(path, 0, 1, f"commit:{limit}")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.match(r"EnvironmentFault: .*out\.h5: commit: .*intact.*run the same command again", errors), errors
    acknowledged = {tuple(map(int, line.split()[1:])) for line in output.splitlines()}
    with open_writer(path) as resumed:
        assert {tuple(block) for block in zip(*resumed.done.nonzero(), strict=True)} == acknowledged
    cases.write(path, cases.plan())
    cases.write(tmp_path / "direct.h5", cases.plan())
    assert cases.digest(path) == cases.digest(tmp_path / "direct.h5")


def test_a_full_device_is_reported_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: ENOSPC let through."""
    path = tmp_path / "out.h5"

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mesogpu.store.raw.os.pwrite", full)
    with pytest.raises(EnvironmentFault, match=r"out\.h5: .*the disk or the quota is full.*free space"):
        open_writer(path)
    assert not path.exists()
