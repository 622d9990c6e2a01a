"""What several of the store's tests begin with."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A complete results file that may be written to."""
    # Here and not above: other tests of this folder run without the store.
    import store_cases as cases

    path = tmp_path / "run.h5"
    cases.write(path, cases.plan())
    path.chmod(0o644)
    return path
