"""A repair keeps every block that can be trusted, and the resumed file has the bytes of one never damaged."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
import store_cases as cases
from faults.damage import behead, manifest_of, spoil
from store_commands import PLAN, invoke

from mesogpu.errors import EnvironmentFault, StoreError
from mesogpu.store import Writer, creation, pack, provenance, read_progress, repair, verify
from mesogpu.store.existing import find
from mesogpu.store.repair import UNKNOWN_SIGNATURE


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
