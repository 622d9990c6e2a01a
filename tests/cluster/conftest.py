"""One real SLURM for all tests of a session, and the file that a single process makes of their experiment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench, digest, make_bench
from slurm_cluster import SlurmCluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    missing = SlurmCluster.missing()
    if missing:
        reason = f"not on this machine: {missing} (apt-get install --no-install-recommends slurm-wlm munge)"
        if os.environ.get("MESOGPU_REQUIRE_SLURM") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    # A short path: sockets have names of a hundred characters at most.
    found = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def bench(cluster: SlurmCluster, tmp_path: Path) -> Iterator[Bench]:
    made = make_bench(tmp_path, cluster.environment)
    yield made
    made.shell("scancel", "--full", "-u", os.environ.get("USER") or made.shell("id", "-un").strip())


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    """SHA-256 of the file of one process that nobody disturbed."""
    made = make_bench(tmp_path_factory.mktemp("reference"), {})
    made.mesogpu("run", "wire.yaml", "--backend", "native", "--workers", "1", "-q")
    return digest(made.folder / "wire.h5")
