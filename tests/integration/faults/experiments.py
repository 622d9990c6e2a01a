"""Small experiments of both methods, for whole runs, and the files that undisturbed runs make of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from faults.launching import Seed

TRANSMISSION = """\
schema: 1
name: wire
seed: 41
model: {lattice: square, width: 6, length: [8, 20]}
disorder: [{distribution: uniform, width: 1.5}]
energy: 0.4
sweep: {flux: [0.0, 0.03]}
realizations: 296
observables: [transmission_eigenvalues, shot_noise]
"""

LYAPUNOV = """\
schema: 1
name: bars
seed: 43
model: {lattice: square, width: 2}
disorder: [{distribution: uniform, width: 4.0}]
energy: 0.3
sweep: {disorder.0.width: [3.0, 5.0]}
realizations: 40
method: lyapunov
lyapunov: {slices: 64, warmup: 4}
"""

TEXTS = {"transmission": TRANSMISSION, "lyapunov": LYAPUNOV}

Whole = tuple[str, str, int]
"""(method, backend, realizations)."""


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_words(config: str, out: str, backend: str, workers: int, realizations: int = 0) -> list[object]:
    """Arguments of a run."""
    more = ["--set", f"realizations={realizations}"] if realizations else []
    return ["run", config, "-o", out, "--backend", backend, "--workers", workers, *more]


class Undisturbed:
    """Digests of files that no fault has touched, each computed once."""

    def __init__(self, folder: Path, seed: Seed) -> None:
        self._folder = folder
        self._seed = seed
        self._known: dict[Whole, str] = {}

    def digest(self, method: str, backend: str, realizations: int) -> str:
        """SHA-256 of the whole file."""
        whole = method, backend, realizations
        if whole not in self._known:
            name = "-".join(map(str, whole))
            (self._folder / f"{method}.yaml").write_text(TEXTS[method])
            words = run_words(f"{method}.yaml", f"{name}.h5", backend, 1, realizations)
            run = self._seed.start(self._folder, *words)
            assert run.wait() == 0, run.said
            self._known[whole] = digest(self._folder / f"{name}.h5")
        return self._known[whole]
