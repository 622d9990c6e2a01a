"""Verification tells what is whole, what is left and what is damaged, and disturbs no run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
import store_cases as cases
from faults.damage import manifest_of, spoil
from store_commands import PLAN, SOME, invoke
from test_store_commits import writer_process

from mesogpu.errors import DamagedFileError
from mesogpu.store import Writer, open_results, pack, provenance, read_progress, verify
from mesogpu.store.existing import find
from mesogpu.store.layout import make_layout
from mesogpu.store.manifest import Manifest, hash_outside
from mesogpu.store.raw import BlockFile
from mesogpu.store.scan import State, scan


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
