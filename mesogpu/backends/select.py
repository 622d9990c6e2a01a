"""Which backend runs, and why."""

from __future__ import annotations

from functools import cache

from mesogpu.backends.base import Backend
from mesogpu.backends.cuda.backend import CudaBackend
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference.backend import ReferenceBackend
from mesogpu.errors import BackendUnavailable

NAMES = ("auto", "cuda", "native", "numpy")


@cache
def select_backend(name: str) -> Backend:
    """The engine for a name of the command line; "auto" takes the fastest that this machine has.

    raises : BackendUnavailable for a backend that cannot run here, or an unknown name
    """
    if name == "auto":
        return _fastest()[0]
    if name == "cuda":
        return CudaBackend()
    if name == "native":
        return NativeBackend()
    if name == "numpy":
        return ReferenceBackend()
    raise BackendUnavailable(f"--backend {name}: unknown; one of {', '.join(NAMES)}")


def choice_reason(name: str) -> str:
    """One sentence for the user: which backend `name` stands for here, and why."""
    if name != "auto":
        return f"backend {name}: as asked"
    backend, reason = _fastest()
    return f"backend {backend.name}: {reason}"


@cache
def _fastest() -> tuple[Backend, str]:
    try:
        cuda = CudaBackend()
        return cuda, f"kernels on this machine's GPU, {cuda.device_name}"
    except BackendUnavailable as missing:
        no_gpu = str(missing)
    try:
        return NativeBackend(), f"compiled kernels on this machine's processor; no GPU is used ({no_gpu})"
    except BackendUnavailable as missing:
        return ReferenceBackend(), (
            f"the NumPy reference engine, because there are no compiled kernels ({missing}); no GPU is used ({no_gpu})"
        )
