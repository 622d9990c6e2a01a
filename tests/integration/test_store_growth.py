"""A file that needs more realizations keeps what it has and becomes the file of the larger run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import store_cases as cases

from mesogpu.errors import EnvironmentFault, StoreError
from mesogpu.store import Writer, creation, read_progress


@pytest.mark.parametrize("realizations", [160, 200, 201])
def test_a_grown_file_equals_one_made_at_once(tmp_path: Path, realizations: int) -> None:
    """Planted fault: no block taken over."""
    small, large = cases.plan(realizations=realizations), cases.plan(realizations=500)
    grown, direct = tmp_path / "grown.h5", tmp_path / "direct.h5"
    cases.write(grown, small)
    with Writer(grown, large, config_text=cases.text(large), signature=cases.SIGNATURE) as writer:
        kept = np.zeros_like(writer.done)
        kept[:, : realizations // cases.BLOCK] = True
        np.testing.assert_array_equal(writer.done, kept)
    assert read_progress(grown).done == 2 * (realizations // cases.BLOCK) * cases.BLOCK
    cases.write(grown, large)
    cases.write(direct, large)
    assert cases.digest(grown) == cases.digest(direct)
    manifests = [Path(f"{path}.manifest.json").read_bytes() for path in (grown, direct)]
    assert manifests[0] == manifests[1]


def test_a_damaged_block_does_not_grow_along(tmp_path: Path) -> None:
    """Planted fault: blocks taken over without their checksum."""
    path, large = tmp_path / "run.h5", cases.plan(realizations=500)
    cases.write(path, cases.plan())
    content = bytearray(path.read_bytes())
    content[content.index(cases.compute(cases.plan(), 1, 3).arrays["conductance"].tobytes()[:64])] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    with Writer(path, large, config_text=cases.text(large), signature=cases.SIGNATURE) as writer:
        assert not writer.done[1, 3]
        assert writer.done[1, :3].all()


def test_fewer_realizations_than_stored_are_refused(tmp_path: Path) -> None:
    """Planted fault: the smaller plan written into the larger file."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan())
    before = cases.digest(path)
    with pytest.raises(StoreError, match="holds 200 realizations a point, more than the 100 asked for"):
        cases.write(path, cases.plan(realizations=100))
    assert cases.digest(path) == before


def test_growth_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the old file removed before the new one is whole."""
    path = tmp_path / "run.h5"
    cases.write(path, cases.plan())
    before = cases.digest(path)

    def refuse(path: Path, _: int) -> None:
        raise EnvironmentFault(f"{path}: no room")

    monkeypatch.setattr(creation, "require_space", refuse)
    with pytest.raises(EnvironmentFault, match="no room"):
        cases.write(path, cases.plan(realizations=500))
    monkeypatch.undo()
    assert cases.digest(path) == before
    cases.write(path, cases.plan())
    assert cases.digest(path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.h5", "run.h5.lock", "run.h5.manifest.json"]
