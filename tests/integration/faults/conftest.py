"""Seeds of processes, one for all tests of this package; others look for processes that are left over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.experiments import Undisturbed
from faults.launching import Seed


@pytest.fixture(scope="package")
def ordinary() -> Iterator[Seed]:
    """Starts runs with the permissions of an ordinary user."""
    with Seed(ordinary=True) as seed:
        yield seed


@pytest.fixture(scope="package")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, ordinary: Seed) -> Undisturbed:
    """What undisturbed runs make."""
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"), ordinary)
