"""A folder with an experiment in it and a shell that speaks to a cluster, for the tests on SLURM."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mesogpu
from mesogpu.store import read_progress

MESOGPU = [sys.executable, "-P", "-m", "mesogpu"]
PACKAGE_HOME = str(Path(mesogpu.__file__).parents[1])

CONFIG = """\
schema: 1
name: wire
seed: 7
model: {lattice: square, width: 30, length: [60, 120]}
disorder: [{distribution: uniform, width: 1.0}]
energy: 0.8
sweep: {flux: [0.0, 0.006]}
realizations: 9000
observables: [transmission_eigenvalues]
"""


@dataclass(frozen=True)
class Bench:
    """A folder with an experiment and a profile in it, and a shell that speaks to the cluster."""

    folder: Path
    environment: dict[str, str]

    def mesogpu(self, *arguments: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; `status` is the exit status to expect, None for any."""
        done = subprocess.run(
            [*MESOGPU, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def shell(self, *command: str) -> str:
        """Run one of SLURM's commands."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def status(self, run: str = "run") -> dict[str, Any]:
        """What `mesogpu status --json` tells."""
        return dict(json.loads(self.mesogpu("status", run, "--json", status=None).stdout))

    def wait(self, condition: Callable[[], bool], seconds: float = 150) -> None:
        """Wait until a condition is met."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.status(), self.mesogpu("logs", "run", status=None).stdout)
            time.sleep(0.1)

    def merged(self, seconds: float = 150) -> str:
        """Wait for the merged file; its SHA-256."""
        results = self.folder / "run" / "wire.h5"
        self.wait(results.exists, seconds)
        self.wait(lambda: not self.queue(), seconds)
        assert self.status()["merged"] == str(results)
        return digest(results)

    def queue(self) -> list[str]:
        """Jobs that wait or run."""
        return self.shell("squeue", "-h", "-o", "%i").split()

    def submit(self, *arguments: str) -> None:
        """Submit the experiment as `run`."""
        self.mesogpu("submit", "wire.yaml", "--profile", "profile.yaml", "-o", "run", "--backend", "native", *arguments)

    def profile(self, **keys: object) -> None:
        """Write the profile anew."""
        document = {"partition": "main", "walltime": "00:10:00"} | keys
        (self.folder / "profile.yaml").write_text(json.dumps(document))

    def under_way(self, shards: int = 2) -> int:
        """Wait until every shard has committed something; the number of its array."""
        files = [self.folder / "run" / "shards" / f"{number:05d}.h5" for number in range(shards)]
        end = time.monotonic() + 60
        while not all(path.exists() and read_progress(path).done for path in files):
            assert time.monotonic() < end, self.mesogpu("logs", "run", status=None).stdout
            time.sleep(0.05)
        assert not any(read_progress(path).complete for path in files), "too fast for this test"
        submitted = (self.folder / "run" / "submissions.jsonl").read_text().splitlines()[0]
        return int(json.loads(submitted)["job"])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_bench(folder: Path, environment: dict[str, str]) -> Bench:
    """Write the experiment and a profile into a folder.

    environment : what commands need to speak to the cluster
    """
    (folder / "wire.yaml").write_text(CONFIG)
    made = Bench(folder, os.environ | {"PYTHONPATH": PACKAGE_HOME} | environment)
    made.profile()
    return made
