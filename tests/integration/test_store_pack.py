"""A packed file: smaller, self-contained, read like the original by everything, and never half there."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import store_cases as cases
import xarray as xr
from click.testing import CliRunner

from mesogpu import analyze
from mesogpu.cli.commands import main
from mesogpu.errors import DamagedFileError, EnvironmentFault, StoreError
from mesogpu.store import Writer, append_log, open_results, pack, read_log, read_progress
from mesogpu.store.existing import find, opened
from mesogpu.store.hdf5_blocks import Hdf5Blocks
from mesogpu.store.layout import make_layout
from mesogpu.store.raw import checksum
from mesogpu.store.stored import stored_plan

SOME = [(0, 0), (0, 5), (1, 12)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete file with a log, and its packed copy `small.h5`."""
    path = tmp_path_factory.mktemp("packed") / "run.h5"
    cases.write(path, cases.plan(realizations=2000))
    append_log(path, event="started", workers=2)
    append_log(path, event="finished", seconds=1.5)
    pack(path, path.with_name("small.h5"))
    return path


@pytest.fixture
def small(whole: Path) -> Path:
    return whole.with_name("small.h5")


def same_values(ours: xr.Dataset, theirs: xr.Dataset) -> None:
    for name in ours.variables:
        np.testing.assert_array_equal(theirs[name].values, ours[name].values)
        assert theirs[name].dims == ours[name].dims
        assert theirs[name].attrs.get("long_name") == ours[name].attrs.get("long_name")


def test_a_packed_file_reads_like_the_original(whole: Path, small: Path) -> None:
    """Planted faults: the short last block left out; a variable without its dimensions."""
    with open_results(whole) as ours, open_results(small) as theirs:
        same_values(ours, theirs)
        assert theirs.attrs == ours.attrs
        assert json.dumps(analyze(theirs), sort_keys=True) == json.dumps(analyze(ours), sort_keys=True)
    for engine in ("h5netcdf", "netcdf4"):
        with open_results(whole) as ours, xr.open_dataset(small, engine=engine) as theirs:
            same_values(ours[[*ours.data_vars]].drop_vars(["realization"], errors="ignore"), theirs)
    assert read_progress(small) == read_progress(whole)
    assert small.stat().st_mode & 0o222 == 0


def test_every_array_is_compressed_and_has_checksums(small: Path) -> None:
    """Planted fault: the commit table stored as it was."""
    with h5py.File(small) as file:
        for name in ("commit", "conductance", "status", "transmission_eigenvalues", "audit_deviation", "run_log"):
            assert file[name].compression == "gzip"
            assert file[name].shuffle
            assert file[name].fletcher32
            assert np.prod(file[name].chunks) * file[name].dtype.itemsize <= 1 << 18


def test_the_run_log_travels_along(whole: Path, small: Path) -> None:
    """Planted fault: the log of the copy's own name looked for."""
    with h5py.File(small) as file:
        text = file["run_log"][()].tobytes()
    assert text == Path(f"{whole}.log.jsonl").read_bytes()
    assert read_log(small) == read_log(whole)
    assert [record["event"] for record in read_log(small)] == ["started", "finished"]
    assert [json.loads(line)["event"] for line in text.decode().splitlines()] == ["started", "finished"]


def test_the_commit_table_still_vouches_for_every_block(small: Path) -> None:
    """Planted fault: the table of the copy left empty."""
    existing = find(small)
    assert existing is not None
    assert existing.packed
    layout = make_layout(stored_plan(existing))
    with opened(small) as (file, _):
        blocks = Hdf5Blocks(file, layout)
        entries = blocks.entries()
        for point, block in np.ndindex(entries.shape):
            assert checksum(point, block, blocks.read(point, block)) == entries[point, block]["crc32c"]


def test_equal_files_make_equal_copies(tmp_path: Path) -> None:
    """Planted fault: object times stored."""
    for name in ("a", "b"):
        cases.write(tmp_path / f"{name}.h5", cases.plan(), cases.every_block(cases.plan())[:: 1 if name == "a" else -1])
        pack(tmp_path / f"{name}.h5", tmp_path / f"{name}.small.h5")
    assert cases.digest(tmp_path / "a.small.h5") == cases.digest(tmp_path / "b.small.h5")
    with h5py.File(tmp_path / "a.small.h5") as file:
        assert not any(dataset.id.get_create_plist().get_obj_track_times() for dataset in file.values())


def test_an_unfinished_or_running_file_is_packed_as_far_as_it_is_committed(tmp_path: Path) -> None:
    """Planted fault: what is not committed copied as it stands."""
    path, plan = tmp_path / "run.h5", cases.plan()
    with Writer(path, plan, config_text=cases.CONFIG, signature=cases.SIGNATURE) as writer:
        writer.commit([cases.compute(plan, *block) for block in SOME])
        writer._blocks.write(0, 3, writer._blocks.encode(cases.compute(plan, 0, 3)))
        made = pack(path, tmp_path / "small.h5")
    assert (made.blocks, made.blocks_in_all, made.complete) == (3, 26, False)
    assert read_progress(tmp_path / "small.h5").done == 40
    with open_results(path) as ours, open_results(tmp_path / "small.h5") as theirs:
        same_values(ours, theirs)
    with h5py.File(tmp_path / "small.h5") as file:
        assert np.isnan(file["conductance"][0, :, 48:64]).all()


def test_a_mixed_file_keeps_its_marks(tmp_path: Path) -> None:
    """Planted fault: the layout of an ordinary file taken."""
    path, plan = tmp_path / "run.h5", cases.plan()
    cases.write(path, plan, SOME)
    with Writer(path, plan, config_text=cases.CONFIG, signature="other", mixed=True) as writer:
        writer.commit([cases.compute(plan, 0, 1)])
    pack(path, tmp_path / "small.h5")
    with open_results(path) as ours, open_results(tmp_path / "small.h5") as theirs:
        same_values(ours, theirs)
    assert read_progress(tmp_path / "small.h5").signatures == {cases.SIGNATURE: 40, "other": 16}


def test_a_packed_file_is_not_gone_on_with(whole: Path, small: Path, tmp_path: Path) -> None:
    """Planted fault: a file without offsets written to."""
    before = cases.digest(small)
    with pytest.raises(StoreError, match=r"small\.h5: is packed.*go on with the file that it was packed from.*-o"):
        cases.write(small, cases.plan(realizations=2000))
    with pytest.raises(StoreError, match="is packed already"):
        pack(small, tmp_path / "smaller.h5")
    with pytest.raises(StoreError, match=r"small\.h5: is there already; remove it, or choose"):
        pack(whole, small)
    with pytest.raises(StoreError, match="no such file"):
        pack(tmp_path / "none.h5", tmp_path / "small.h5")
    with pytest.raises(StoreError, match="there is no directory"):
        pack(whole, tmp_path / "none" / "small.h5")
    assert cases.digest(small) == before
    assert list(tmp_path.iterdir()) == []


def flip(path: Path, offset: int) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_damage_is_not_packed(tmp_path: Path) -> None:
    """Planted faults: blocks copied without their checksum; the manifest not asked."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan())
    offset = find(path).offsets["conductance"] + 8 * 17
    flip(path, offset)
    with pytest.raises(DamagedFileError, match=r"block 1 of point 0 is damaged; mesogpu verify --repair"):
        pack(path, tmp_path / "small.h5")
    flip(path, offset)
    flip(path, path.read_bytes().index(b"seed:"))
    with pytest.raises(DamagedFileError, match="not what was created"):
        pack(path, tmp_path / "small.h5")
    assert not any(entry.name.startswith("small.h5.tmp") or entry.name == "small.h5" for entry in tmp_path.iterdir())


def test_a_copy_that_does_not_read_back_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the copy named before it is read."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan())
    packing = sys.modules["mesogpu.store.pack"]
    written = packing._write

    def spoil(aside: Path, *rest: object) -> None:
        written(aside, *rest)
        content = bytearray(aside.read_bytes())
        content[-40] ^= 1
        aside.write_bytes(content)

    monkeypatch.setattr(packing, "_write", spoil)
    with pytest.raises(EnvironmentFault, match="read back"):
        pack(path, tmp_path / "small.h5")
    assert not any(entry.name.startswith("small.h5.tmp") or entry.name == "small.h5" for entry in tmp_path.iterdir())


def child(path: Path, prepare: str) -> subprocess.CompletedProcess[str]:
    program = f"import os, resource, signal, sys; from mesogpu.store import pack\n{prepare}\npack(*sys.argv[1:])"
    command = [sys.executable, "-c", program, str(path), str(path.with_name("small.h5"))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_full_disk_or_a_kill_leaves_no_copy(tmp_path: Path) -> None:
    """Planted faults: the part written so far left there, or never swept."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan(realizations=2000))
    size = pack(path, tmp_path / "other.h5").bytes_after
    for limit in (30_000, size // 2, size - 100):
        full = child(path, f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))")
        assert full.returncode == 1
        assert re.search(r"EnvironmentFault: .*small\.h5: packing: ", full.stderr), full.stderr
        assert not [entry.name for entry in tmp_path.iterdir() if re.match(r"small\.h5($|\.tmp)", entry.name)]
    dying = "sys.modules['mesogpu.store.pack']._require_equal = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    assert child(path, dying).returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("small.h5.tmp*"))) == 1
    pack(path, tmp_path / "small.h5")
    assert not list(tmp_path.glob("small.h5.tmp*"))
    assert cases.digest(tmp_path / "small.h5") == cases.digest(tmp_path / "other.h5")


def invoke(*arguments: object) -> object:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_the_command_says_what_it_did(whole: Path, tmp_path: Path) -> None:
    """Planted fault: an unfinished file packed without a word."""
    done = invoke("pack", whole, "-o", tmp_path / "small.h5")
    assert done.exit_code == 0
    assert re.search(r"small\.h5: .* kB to .* kB, 1\.\d\d times smaller; 250 blocks read back", done.stdout)
    cases.write(tmp_path / "part.h5", cases.plan(), SOME)
    part = invoke("pack", tmp_path / "part.h5", "-o", tmp_path / "part.small.h5")
    assert part.exit_code == 1
    assert "23 of 26 blocks are missing" in part.stderr
    assert invoke("status", tmp_path / "small.h5").exit_code == 0
    assert invoke("analyze", tmp_path / "small.h5").exit_code == 0
    assert invoke("plot", tmp_path / "small.h5", "-o", tmp_path / "small.png").exit_code == 0
