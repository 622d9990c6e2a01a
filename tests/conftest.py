"""What every test shares; needs pytest alone, so that the kernel tests run on a bare GPU machine."""

from __future__ import annotations

import importlib.util

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make property tests draw the same examples everywhere, where hypothesis is installed at all."""
    del config
    if importlib.util.find_spec("hypothesis") is None:
        return
    from hypothesis import settings

    settings.register_profile("mesogpu", derandomize=True, deadline=None, database=None)
    settings.load_profile("mesogpu")
