"""The arithmetic signature of the oracle: two machines that share it give the same bytes."""

from __future__ import annotations

import importlib.util
import platform

import numpy as np
import scipy


def arithmetic_signature() -> str:
    """NumPy, SciPy, the BLAS libraries they call with the processor kind these chose, and the precision."""
    parts = [f"numpy {np.__version__}", f"scipy {scipy.__version__}", *_blas(), platform.machine(), "float64"]
    return "; ".join(parts)


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
