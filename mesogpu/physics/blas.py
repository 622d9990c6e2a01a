"""BLAS with one thread: how many share a product decides its last bits, and those decide the bytes of a file."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# Every BLAS that this package calls has to be loaded before it is looked for.
import scipy.linalg  # noqa: F401


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, and around a function that it decorates, BLAS and LAPACK use one thread.

    Does nothing where threadpoolctl is not installed, as on a bare machine for measuring kernels.
    """
    if importlib.util.find_spec("threadpoolctl") is None:
        yield
        return
    with _controller().limit(limits=1):
        yield


@cache
def _controller() -> Any:
    # Looking for the libraries takes milliseconds, a limit microseconds.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
