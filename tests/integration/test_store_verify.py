"""Verification tells what is whole, left and damaged; a repair keeps every block that can be trusted."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
import store_cases as cases
from click.testing import CliRunner, Result
from faults.damage import manifest_of
from test_store_commits import writer_process

from mesogpu.cli.commands import main
from mesogpu.errors import DamagedFileError, EnvironmentFault, StoreError
from mesogpu.store import Writer, creation, open_results, pack, provenance, read_progress, repair, verify
from mesogpu.store.existing import find
from mesogpu.store.layout import make_layout
from mesogpu.store.manifest import Manifest, hash_outside
from mesogpu.store.raw import BlockFile
from mesogpu.store.repair import UNKNOWN_SIGNATURE
from mesogpu.store.scan import State, scan

PLAN = cases.plan()
SOME = [(0, 0), (0, 5), (1, 12)]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "run.h5"
    cases.write(path, PLAN)
    path.chmod(0o644)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def spoil(path: Path, name: str, place: int = 0, value: bytes | None = None) -> None:
    """Change bytes of an array: one bit, or all of `value`."""
    structure = find(path)
    assert structure is not None
    content = bytearray(path.read_bytes())
    start = structure.offsets[name] + place
    content[start : start + len(value or b"x")] = value or bytes([content[start] ^ 1])
    path.write_bytes(content)


def behead(path: Path) -> None:
    """Zero what HDF5 needs to open the file at all."""
    content = path.read_bytes()
    path.write_bytes(content[:8] + bytes(200) + content[208:])


def test_a_whole_file_is_0_and_an_unfinished_one_1(whole: Path, tmp_path: Path) -> None:
    """Planted fault: the states of blocks not counted."""
    assert invoke("verify", whole).exit_code == 0
    part = tmp_path / "part.h5"
    cases.write(part, PLAN, SOME)
    result = invoke("verify", part)
    assert result.exit_code == 1
    assert "whole, work is left; 40 of 400 realizations" in result.output
    found = verify(part)
    assert (found.done, found.total) == (40, 400)
    assert [(p.committed, p.damaged, p.touched, p.empty) for p in found.points] == [(2, (), 0, 11), (1, (), 0, 12)]
    assert [point.parameters for point in found.points] == [{"width": 0.5}, {"width": 2.0}]


def test_json_is_data_alone(whole: Path) -> None:
    """Planted fault: the sentences printed with it."""
    data = json.loads(invoke("verify", whole, "--json", "--digest").stdout)
    assert data["whole"]
    assert data["complete"]
    assert len(data["digest"]) == 64
    spoil(whole, "conductance", 8 * 16 * 3)
    data = json.loads(invoke("verify", whole, "--json", "--digest").stdout)
    assert data["digest"] is None
    assert data["points"][0]["damaged"] == [3]
    data = json.loads(invoke("verify", whole, "--json", "--repair").stdout)
    assert data["repair"]["faults"] == ["1 of its 26 blocks are not as they were committed"]
    assert Path(data["repair"]["kept"]).exists()
    assert (data["whole"], data["done"]) == (True, 384)


@pytest.mark.parametrize("kind", ["missing", "text", "foreign", "directory"])
def test_what_is_not_ours_is_2(tmp_path: Path, kind: str) -> None:
    """Planted fault: a manifest made for whatever lies there."""
    path = tmp_path / "x.h5"
    if kind == "text":
        path.write_text("my thesis")
    elif kind == "foreign":
        with h5py.File(path, "w") as file:
            file["x"] = 1
    elif kind == "directory":
        path.mkdir()
    for options in ([], ["--repair"]):
        assert invoke("verify", path, *options).exit_code == 2
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ([] if kind == "missing" else ["x.h5"])


def test_config_without_repair_is_bad_usage(whole: Path, tmp_path: Path) -> None:
    """Planted fault: it is ignored."""
    (tmp_path / "c.yaml").write_text(cases.CONFIG)
    assert invoke("verify", whole, "--config", tmp_path / "c.yaml").exit_code == 2


def test_verification_during_a_run_finds_no_damage_and_disturbs_nothing(tmp_path: Path) -> None:
    """Planted fault: blocks that are begun called damaged."""
    path, direct = tmp_path / "run.h5", tmp_path / "direct.h5"
    assert writer_process(direct, 1, 1).wait(60) == 0
    process = writer_process(path, 2, 1)
    process.stdout.readline()
    seen = []
    while process.poll() is None:
        found = verify(path)
        assert found.whole, found
        seen.append(found.done)
    process.stdout.close()
    assert process.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    assert path.read_bytes() == direct.read_bytes()


def test_a_block_committed_while_it_is_looked_at_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the commit table read after the blocks."""
    path, read = tmp_path / "run.h5", BlockFile.read
    with Writer(path, PLAN, config_text=cases.CONFIG, signature=cases.SIGNATURE) as writer:

        def overtaken(blocks: BlockFile, point: int, block: int) -> list[bytes]:
            parts = read(blocks, point, block)
            writer.commit([cases.compute(PLAN, point, block)])
            return parts

        monkeypatch.setattr(BlockFile, "read", overtaken)
        with path.open("rb") as file:
            states = [found.state for found in scan(BlockFile(file.fileno(), make_layout(PLAN), find(path).offsets))]
        assert set(states) == {State.EMPTY}
        monkeypatch.undo()
        assert verify(path).complete


def test_a_file_that_grows_while_it_is_looked_at_is_no_damage(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its manifest was read, then file and manifest replaced. Planted fault: one look taken for enough."""
    larger, load = cases.plan(realizations=500), Manifest.load.__func__
    grown = []

    def overtaken(kind: type[Manifest], path: Path) -> Manifest:
        found = load(kind, path)
        if not grown:
            grown.append(path)
            cases.write(whole, larger, [])
        return found

    monkeypatch.setattr(Manifest, "load", classmethod(overtaken))
    assert verify(whole).total == 1000
    assert grown


def test_a_block_that_a_killed_run_began_is_told_and_is_no_damage(whole: Path, tmp_path: Path) -> None:
    """Planted fault: any byte of an uncommitted block called damage."""
    part = tmp_path / "part.h5"
    cases.write(part, PLAN, SOME)
    part.chmod(0o644)
    spoil(part, "conductance", 8 * 16 * 7)
    found = verify(part)
    assert found.whole
    assert (found.points[0].touched, found.points[0].empty) == (1, 10)
    assert "1 block begun but not committed" in invoke("verify", part).output
    cases.write(part, PLAN)
    assert part.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("entry", [bytes(8), b"\1" + bytes(7), b"\0" * 4 + b"\1\2\3\4", b"\xff" * 8])
def test_an_entry_that_is_never_written_is_damage(whole: Path, tmp_path: Path, entry: bytes) -> None:
    """Of a committed block and of an empty one. Planted fault: zeros taken for an empty entry."""
    part = tmp_path / "part.h5"
    cases.write(part, PLAN, SOME)
    part.chmod(0o644)
    for path in (whole, part):
        spoil(path, "commit", 8 * 3, entry)
        assert verify(path).points[0].damaged == (3,)
        assert invoke("verify", path).exit_code == 3


def test_the_digest_is_of_the_results_alone(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the order of commits, the version or the way of keeping hashed along."""
    digest = verify(whole, digest=True).digest
    monkeypatch.setattr(provenance, "git_sha", lambda: "another")
    monkeypatch.setattr(provenance, "__version__", "9.9")
    again = tmp_path / "again.h5"
    cases.write(again, cases.plan(name="renamed"), cases.every_block(PLAN)[::-1])
    assert again.read_bytes() != whole.read_bytes()
    assert verify(again, digest=True).digest == digest
    pack(again, tmp_path / "small.h5")
    assert verify(tmp_path / "small.h5", digest=True).digest == digest
    assert f"digest: {digest}" in invoke("verify", tmp_path / "small.h5", "--digest").output
    for name, plan, blocks in (
        ("part", PLAN, cases.every_block(PLAN)[1:]),
        ("seed", cases.plan(seed=8), None),
        ("more", cases.plan(realizations=201), None),
        ("less", cases.plan(observables=("shot_noise",)), None),
    ):
        cases.write(tmp_path / f"{name}.h5", plan, blocks)
        assert verify(tmp_path / f"{name}.h5", digest=True).digest not in (digest, None)


@pytest.mark.parametrize("loss", ["missing", "damaged"])
def test_a_whole_file_without_its_manifest_gets_a_new_one_and_is_not_touched(whole: Path, loss: str) -> None:
    """Planted fault: the file built anew all the same."""
    manifest, before = manifest_of(whole).read_bytes(), (whole.stat().st_ino, whole.stat().st_mtime_ns)
    if loss == "missing":
        manifest_of(whole).unlink()
    else:
        manifest_of(whole).write_bytes(manifest.replace(b'"size": 1', b'"size": 2'))
    found = verify(whole)
    assert found.faults == (f"its manifest run.h5.manifest.json is {loss}",)
    assert found.remedy == f"mesogpu verify {whole} --repair writes a new one"
    assert invoke("verify", whole, "--repair").exit_code == 0
    assert manifest_of(whole).read_bytes() == manifest
    assert (whole.stat().st_ino, whole.stat().st_mtime_ns) == before
    assert invoke("verify", whole, "--repair").exit_code == 0, "there is nothing left to do"


def test_a_file_without_manifest_whose_bytes_have_changed_is_built_anew(whole: Path) -> None:
    """HDF5 leaves gaps that it does not check. Planted fault: the new manifest made of what is there."""
    content, manifest = whole.read_bytes(), manifest_of(whole).read_bytes()
    manifest_of(whole).unlink()
    gap = content.index(bytes(4096)) + 2048
    whole.write_bytes(content[:gap] + b"x" + content[gap + 1 :])
    mended = repair(whole)
    assert mended.after.complete
    assert mended.kept is None
    assert whole.read_bytes() == content
    assert manifest_of(whole).read_bytes() == manifest


def test_a_file_that_lost_its_name_is_made_anew_and_empty(whole: Path) -> None:
    """Planted fault: no file taken for nothing of ours."""
    content = whole.read_bytes()
    whole.unlink()
    assert "the file is missing" in verify(whole).faults
    assert invoke("verify", whole).exit_code == 3
    assert invoke("verify", whole, "--repair").exit_code == 1
    cases.write(whole, PLAN)
    assert whole.read_bytes() == content


def test_the_damaged_original_is_kept_where_it_has_what_the_new_file_has_not(whole: Path) -> None:
    """Planted fault: it is always thrown away."""
    content = whole.read_bytes()
    behead(whole)
    assert repair(whole).kept is None, "every block of it is in the new file"
    assert whole.read_bytes() == content
    for number in (1, 2):
        whole.chmod(0o644)
        spoil(whole, "transmission_eigenvalues", 77)
        damaged = whole.read_bytes()
        mended = repair(whole)
        assert mended.kept == Path(f"{whole}.damaged-{number}")
        assert mended.kept.read_bytes() == damaged
        assert (mended.before.damaged_blocks, mended.after.damaged_blocks) == (1, 0)
        assert whole.stat().st_mode & 0o222 == 0
        cases.write(whole, PLAN)
        assert whole.read_bytes() == content
    whole.chmod(0o644)
    whole.write_bytes(b"")
    assert repair(whole).kept is None, "there is nothing in it"
    whole.chmod(0o644)
    whole.write_bytes(b"my thesis")
    kept = repair(whole).kept
    assert kept is not None
    assert kept.read_bytes() == b"my thesis", "whatever lay there under this name"
    log = [json.loads(line) for line in Path(f"{whole}.log.jsonl").read_text().splitlines()]
    assert [line["kept"] for line in log] == [None, "run.h5.damaged-1", "run.h5.damaged-2", None, "run.h5.damaged-3"]


@pytest.mark.parametrize("words", ["1.0", "a much longer version of the program, as of a branch " * 100])
def test_with_file_and_manifest_unreadable_the_configuration_is_believed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """The header of the file may have been longer or shorter than a new one.

    Planted fault: the blocks looked for at the offsets of a new file.
    """
    with monkeypatch.context() as other:
        other.setattr(provenance, "__version__", words)
        whole.unlink()
        manifest_of(whole).unlink()
        cases.write(whole, PLAN)
    whole.chmod(0o644)
    manifest_of(whole).write_text("{")
    behead(whole)
    config = tmp_path / "config.yaml"
    config.write_text(cases.CONFIG)
    assert verify(whole).remedy.startswith(f"mesogpu verify {whole} --repair --config CONFIG")
    assert invoke("verify", whole).exit_code == 3
    assert invoke("verify", whole, "--repair").exit_code == 3
    repairing = sys.modules["mesogpu.store.repair"]
    monkeypatch.setattr(repairing, "make_plan", lambda experiment: replace(PLAN, experiment=experiment))
    result = invoke("verify", whole, "--repair", "--config", config)
    assert result.exit_code == 0, result.output
    assert "which arithmetic computed them is not known any more" in result.output
    assert Path(f"{whole}.damaged-1").exists()
    assert read_progress(whole).complete
    assert find(whole).attributes["signature"] == UNKNOWN_SIGNATURE
    with pytest.raises(StoreError, match=r"was computed by 'unknown.*--mixed"):
        Writer(whole, PLAN, config_text=cases.CONFIG, signature=cases.SIGNATURE)


def test_a_file_that_lost_manifest_and_header_is_still_known_as_ours(whole: Path) -> None:
    """By the names in it, for which nobody else has a use. Planted fault: the manifest alone asked."""
    manifest_of(whole).unlink()
    behead(whole)
    for command in ("status", "analyze", "verify"):
        result = invoke(command, whole)
        assert result.exit_code == 3
        assert "verify" in result.output
    assert "--config CONFIG" in invoke("verify", whole).output


@pytest.mark.parametrize("damage", ["manifest", "arrays"])
def test_what_is_left_of_a_witness_is_used(whole: Path, damage: str) -> None:
    """A flip in a manifest, or in the header of an array, leaves the attributes. Planted fault: --config asked for."""
    content = whole.read_bytes()
    if damage == "manifest":
        behead(whole)
        text = manifest_of(whole).read_text()
        manifest_of(whole).write_text(text.replace('"size": 1', '"size": 2'))
    else:
        manifest_of(whole).unlink()
        with h5py.File(whole, "r+", locking=False) as file:
            del file["conductance"]
    mended = repair(whole)
    assert mended.after.complete
    assert mended.kept is not None
    assert any("nothing that is whole confirms" in change for change in mended.changed)
    assert whole.read_bytes() == content


def test_another_configuration_than_the_file_tells_is_refused(whole: Path) -> None:
    """Planted fault: --config always believed."""
    spoil(whole, "conductance")
    before = whole.read_bytes()
    with pytest.raises(StoreError, match="is of another experiment"):
        repair(whole, cases.experiment(energy=0.7))
    assert whole.read_bytes() == before


def test_a_file_that_is_being_written_is_not_repaired(tmp_path: Path) -> None:
    """Planted fault: no lock taken."""
    path = tmp_path / "run.h5"
    with Writer(path, PLAN, config_text=cases.CONFIG, signature=cases.SIGNATURE) as writer:
        writer.commit([cases.compute(PLAN, 0, 0)])
        manifest_of(path).unlink()
        with pytest.raises(EnvironmentFault, match="already open for writing"):
            repair(path)


def test_a_repair_that_fails_leaves_the_original(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the original moved aside first."""
    spoil(whole, "conductance")
    before = whole.read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(creation.os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="full"):
        repair(whole)
    assert whole.read_bytes() == before
    assert sorted(p.name for p in whole.parent.iterdir()) == ["run.h5", "run.h5.lock", "run.h5.manifest.json"]


def test_a_disk_without_hard_links_keeps_a_copy(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the refusal taken for the end."""
    spoil(whole, "conductance")
    before = whole.read_bytes()

    def refused(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    kept = repair(whole).kept
    assert kept is not None
    assert kept.read_bytes() == before


def test_a_packed_file_is_verified_and_repaired_into_an_ordinary_one(whole: Path, tmp_path: Path) -> None:
    """Planted fault: a chunk that HDF5 refuses ends the verification."""
    small = tmp_path / "small.h5"
    pack(whole, small)
    assert verify(small).complete
    assert not manifest_of(small).exists()
    with h5py.File(small) as file:
        chunk = file["conditioning"].id.get_chunk_info(0)
    content = bytearray(small.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    small.chmod(0o644)
    small.write_bytes(content)
    found = verify(small)
    assert found.damaged_blocks > 0
    assert invoke("verify", small).exit_code == 3
    mended = repair(small)
    assert mended.after.whole
    assert mended.kept is not None
    assert mended.kept.read_bytes() == bytes(content)
    cases.write(small, PLAN)
    assert small.read_bytes() == whole.read_bytes()


def test_what_the_configuration_decides_is_recomputed(whole: Path) -> None:
    """Even where the manifest agrees with the file. Planted fault: the manifest's hash taken for enough."""
    for name, value in (("width", 0.75), ("channels", 2), ("slices", 5)):
        with h5py.File(whole, "r+", locking=False) as file:
            was = file[name][()]
            file[name][...] = value
        structure = find(whole)
        with whole.open("rb") as file:
            outside = hash_outside(file.fileno(), structure.extents.values())
        manifest = Manifest.load(manifest_of(whole))
        replace(manifest, metadata_sha256=outside).save(manifest_of(whole))
        assert verify(whole).faults == (f"its coordinate {name} is not that of its experiment",)
        with h5py.File(whole, "r+", locking=False) as file:
            file[name][...] = was


def test_readers_say_which_command_helps(whole: Path) -> None:
    """Planted fault: a remedy that does not work."""
    manifest_of(whole).unlink()
    with h5py.File(whole, "r+", locking=False) as file:
        del file["conductance"]
    for read in (open_results, read_progress, find):
        with pytest.raises(DamagedFileError, match="mesogpu verify"):
            read(whole)
