"""The arithmetic signature of the oracle: two machines that share it give the same bytes."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
from functools import cache
from pathlib import Path

import numpy as np
import scipy


def arithmetic_signature() -> str:
    """Our own arithmetic, NumPy, SciPy, the BLAS that they call with the processor kind it chose, the precision."""
    own = f"mesogpu {arithmetic_digest()[:16]}"
    parts = [own, f"numpy {np.__version__}", f"scipy {scipy.__version__}", *_blas(), platform.machine(), "float64"]
    return "; ".join(parts)


@cache
def arithmetic_digest() -> str:
    """SHA-256 of the sources that draw the samples and solve them: another order of operations is another last bit."""
    package = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for path in sorted([*package.glob("physics/*.py"), *package.glob("backends/**/*.py")]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _blas() -> list[str]:
    """Each BLAS in this process as `name version kernel`; what NumPy was built with where threadpoolctl is absent."""
    if importlib.util.find_spec("threadpoolctl") is None:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return [f"{built['name']} {built['version']}"]
    from threadpoolctl import threadpool_info

    libraries = {
        f"{library['internal_api']} {library['version']} {library.get('architecture', 'unknown')}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return sorted(libraries)
