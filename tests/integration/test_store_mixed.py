"""Blocks of two arithmetics in one file: only where asked for, each marked as what it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import store_cases as cases
import xarray as xr
from click.testing import CliRunner

from mesogpu.cli.commands import main
from mesogpu.errors import StoreError
from mesogpu.store import Writer, open_results, read_progress
from mesogpu.store.variables import UNSIGNED

OTHER, THIRD = "stand-in 2", "stand-in 3"


def mixing(path: Path, signature: str, **changes: object) -> Writer:
    plan = cases.plan(**changes)
    return Writer(path, plan, config_text=cases.CONFIG, signature=signature, mixed=True)


def commit(writer: Writer, *blocks: tuple[int, int], **changes: object) -> None:
    with writer:
        writer.commit([cases.compute(cases.plan(**changes), *block) for block in blocks])


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A file with three blocks of one signature, two of a second and one of a third."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan(), [(0, 0), (0, 1), (1, 12)])
    commit(mixing(path, OTHER), (1, 0), (1, 1))
    commit(mixing(path, THIRD), (0, 4))
    return path


def test_every_block_says_which_arithmetic_it_is_of(mixed: Path) -> None:
    """Planted faults: the old blocks marked as new; the first signature for every new block."""
    expected = np.full((2, 13), UNSIGNED)
    for index, blocks in enumerate([[(0, 0), (0, 1), (1, 12)], [(1, 0), (1, 1)], [(0, 4)]]):
        for block in blocks:
            expected[block] = index
    with open_results(mixed) as results:
        np.testing.assert_array_equal(results["signature_index"].values, expected)
        assert results.attrs["signature"].split("\n") == [cases.SIGNATURE, OTHER, THIRD]
        rows = results["conductance"].isel(point=1, realization=slice(16, 32))
        np.testing.assert_array_equal(rows.values, cases.compute(cases.plan(), 1, 1).arrays["conductance"])
    for engine in ("h5netcdf", "netcdf4"):
        with xr.open_dataset(mixed, engine=engine) as theirs:
            np.testing.assert_array_equal(theirs["signature_index"].values, expected)


def test_mixing_is_asked_for_and_nothing_changes_before(tmp_path: Path) -> None:
    """Planted fault: the flag not looked at."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan(), [(0, 0)])
    before = cases.digest(path)
    with pytest.raises(StoreError, match=r"'stand-in 1', this run would use 'stand-in 2'.*--mixed.*-o"):
        cases.write(path, cases.plan(), signature=OTHER)
    assert cases.digest(path) == before


def test_a_signature_of_the_file_needs_no_leave(mixed: Path) -> None:
    """Planted fault: the first signature alone recognised."""
    inode = mixed.stat().st_ino
    for signature in (cases.SIGNATURE, OTHER, THIRD):
        with Writer(mixed, cases.plan(), config_text=cases.CONFIG, signature=signature) as writer:
            assert writer.done.sum() == 6
    assert mixed.stat().st_ino == inode
    with pytest.raises(StoreError, match="'stand-in 1' and 'stand-in 2' and 'stand-in 3', this run would use 'x'"):
        cases.write(mixed, cases.plan(), signature="x")


def test_an_unmixed_file_has_the_same_bytes_with_the_flag(tmp_path: Path) -> None:
    """Planted fault: the marks stored wherever the flag is given."""
    with mixing(tmp_path / "flag.h5", cases.SIGNATURE) as writer:
        writer.commit([cases.compute(cases.plan(), *block) for block in cases.every_block(cases.plan())])
    cases.write(tmp_path / "plain.h5", cases.plan())
    assert cases.digest(tmp_path / "flag.h5") == cases.digest(tmp_path / "plain.h5")


def test_a_mixed_file_grows_with_its_marks(mixed: Path) -> None:
    """Planted fault: the marks lost in growth."""
    with open_results(mixed) as results:
        before = results["signature_index"].values
    with Writer(mixed, cases.plan(realizations=500), config_text=cases.CONFIG, signature=OTHER) as writer:
        assert writer.done.sum() == 5, "the short last block is computed anew"
    with open_results(mixed) as results:
        after = results["signature_index"].values
    np.testing.assert_array_equal(after[:, :12], before[:, :12])
    assert (after[:, 12:] == UNSIGNED).all()


def test_a_flipped_mark_is_noticed(mixed: Path) -> None:
    """Planted fault: the marks left out of the checksum."""
    content = mixed.read_bytes()
    from mesogpu.store.existing import find

    offset = find(mixed).offsets["signature_index"]
    mixed.chmod(0o644)
    mixed.write_bytes(content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :])
    with Writer(mixed, cases.plan(), config_text=cases.CONFIG, signature=OTHER) as writer:
        assert not writer.done[0, 0]
        assert writer.done.sum() == 5


def test_status_and_analysis_say_that_a_file_is_mixed(mixed: Path, tmp_path: Path) -> None:
    """Planted fault: blocks not committed counted with the others."""
    rows = {cases.SIGNATURE: 2 * 16 + 8, OTHER: 32, THIRD: 16}
    assert read_progress(mixed).signatures == rows
    plain = tmp_path / "plain.h5"
    cases.write(plain, cases.plan(), [(0, 0)])
    assert read_progress(plain).signatures == {cases.SIGNATURE: 16}

    def invoke(*arguments: object) -> str:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False).stdout

    assert json.loads(invoke("status", mixed, "--json"))["signatures"] == rows
    for command in ("status", "analyze"):
        told = " ".join(invoke(command, mixed).split())
        assert "Mixed arithmetic" in told
        assert told.count("stand-in") == 3
        assert "Mixed" not in invoke(command, plain)
    assert json.loads(invoke("analyze", mixed, "--json"))["signatures"] == list(rows)
