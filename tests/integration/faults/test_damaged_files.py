"""Files damaged at random: each damage is noticed, and the file repaired and resumed has the bytes it should have."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import store_cases as cases
from click.testing import CliRunner

from faults import counts
from faults.damage import KINDS, Damage, flip, manifest_of
from mesogpu.cli.commands import main
from mesogpu.store import Writer, provenance

DEFAULT, LONG = range(4), range(1000, 1045)
NEVER_COMPUTED = 10
"""Blocks of the last point that the unfinished file does not have."""

LEFT, DAMAGED = 1, 3


@pytest.fixture(autouse=True)
def one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout may gain a commit while files are compared byte for byte; and looking it up takes time."""
    monkeypatch.setattr(provenance, "git_sha", lambda: "0" * 40)
    monkeypatch.setattr(provenance, "packages", dict)


@pytest.fixture
def originals(tmp_path: Path) -> dict[str, dict[str, bytes]]:
    """Contents of a finished and of an unfinished file, each with its manifest, by the ends of their names."""
    plan = cases.plan()
    found = {}
    for name, blocks in (("whole", None), ("part", cases.every_block(plan)[:-NEVER_COMPUTED])):
        path = tmp_path / f"{name}.h5"
        cases.write(path, plan, blocks)
        found[name] = {"": path.read_bytes(), ".manifest.json": manifest_of(path).read_bytes()}
    return found


def copied(folder: Path, content: dict[str, bytes], name: str) -> Path:
    """The file in a folder of its own, as after a copy by hand: writable, without its lock."""
    (folder / name).mkdir()
    path = folder / name / "run.h5"
    for end, data in content.items():
        Path(f"{path}{end}").write_bytes(data)
    return path


def verify(path: Path, *options: str) -> int:
    result = CliRunner().invoke(main, ["verify", str(path), *options])
    assert "Traceback" not in result.output
    return result.exit_code


def mended(path: Path, whole: dict[str, bytes]) -> bool:
    """Whether the file, gone on with, has the bytes of one that was never damaged."""
    cases.write(path, cases.plan())
    return path.read_bytes() == whole[""] and manifest_of(path).read_bytes() == whole[".manifest.json"]


def damage_one_by_one(folder: Path, originals: dict[str, dict[str, bytes]], seeds: range) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in seeds:
        for damage in KINDS:
            path = copied(folder, originals["whole"], f"{damage.__name__}-{seed}")
            where = damage(path, random.Random(seed))
            assert verify(path) == DAMAGED, where
            assert verify(path, "--repair") in (0, LEFT), where
            assert mended(path, originals["whole"]), where
            seen[damage.__name__] += 1
    return seen


def test_any_damage_is_noticed_and_repaired(tmp_path: Path, originals: dict[str, dict[str, bytes]]) -> None:
    """Planted faults: bytes outside the blocks not hashed; the attributes of a new skeleton in another order."""
    assert damage_one_by_one(tmp_path, originals, DEFAULT).total() == len(DEFAULT) * len(KINDS)


@pytest.mark.faults
def test_hundreds_of_damages_are_noticed_and_repaired(tmp_path: Path, originals: dict[str, dict[str, bytes]]) -> None:
    """As above."""
    seen = damage_one_by_one(tmp_path, originals, LONG)
    counts.info("damaged files: %d, all noticed with exit 3, all repaired and resumed: %s", seen.total(), dict(seen))
    assert seen.total() >= 300


def damage_unfinished(folder: Path, originals: dict[str, dict[str, bytes]], seeds: range) -> Counter[str]:
    """Flips of an unfinished file: noticed, or in bytes that a resume writes anew."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        for part in range(4):
            path = copied(folder, originals["part"], f"{part}-{seed}")
            size = path.stat().st_size
            where = flip(path, random.Random(4 * seed + part), part * size // 4, (part + 1) * size // 4)
            code = verify(path)
            assert code in (LEFT, DAMAGED), where
            if code == DAMAGED:
                assert verify(path, "--repair") == LEFT, where
            assert mended(path, originals["whole"]), where
            seen["noticed" if code == DAMAGED else "harmless"] += 1
    return seen


def test_a_flip_of_an_unfinished_file_is_noticed_or_harmless(
    tmp_path: Path, originals: dict[str, dict[str, bytes]]
) -> None:
    """Planted fault: a touched block taken for done by a resume."""
    assert set(damage_unfinished(tmp_path, originals, range(2))) == {"noticed", "harmless"}


@pytest.mark.faults
def test_a_hundred_flips_of_an_unfinished_file_are_noticed_or_harmless(
    tmp_path: Path, originals: dict[str, dict[str, bytes]]
) -> None:
    """As above."""
    counts.info("flips of unfinished files: %s", dict(damage_unfinished(tmp_path, originals, range(2000, 2030))))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_damage_leaves_is_told_to_every_command(
    tmp_path: Path, originals: dict[str, dict[str, bytes]], kind: Damage
) -> None:
    """Commands that read give what is there or say that it is damaged; none ends in a traceback.

    Planted fault: h5py's errors let through.
    """
    path = copied(tmp_path, originals["whole"], kind.__name__)
    kind(path, random.Random(3))
    for arguments in (
        ["status", str(path)],
        ["analyze", str(path)],
        ["plot", str(path), "-o", str(tmp_path / "f.png")],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code in (0, 2, DAMAGED), result.output
        assert "Traceback" not in result.output


def test_a_missing_lock_is_no_damage(tmp_path: Path, originals: dict[str, dict[str, bytes]]) -> None:
    """It comes back with the next run. Planted fault: the lock counted among the parts of a file."""
    path = copied(tmp_path, originals["whole"], "unlocked")
    assert verify(path) == 0
    assert not Path(f"{path}.lock").exists()
    with Writer(path, cases.plan(), config_text=cases.CONFIG, signature=cases.SIGNATURE) as writer:
        assert writer.done.all()
    assert Path(f"{path}.lock").exists()
