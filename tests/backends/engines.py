"""The engines that this machine has: each is a row of every test of them all."""

from __future__ import annotations

import pytest

from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.native.compiler import find_compiler
from mesogpu.backends.reference.backend import ReferenceBackend
from mesogpu.errors import BackendUnavailable


def missing_compiler() -> str:
    """Why there are no compiled kernels; empty where there are."""
    try:
        find_compiler()
    except BackendUnavailable as missing:
        return str(missing)
    return ""


needs_kernels = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())
NATIVE = pytest.param(NativeBackend, id="native", marks=needs_kernels)
ENGINES = [pytest.param(ReferenceBackend, id="numpy"), NATIVE]
