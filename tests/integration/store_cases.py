"""Small experiments and a deterministic stand-in for a backend, shared by the store's tests.

As a script it is a writer process: `store_cases.py PATH SEED GROUP [LIMIT]` commits every missing block in an order
drawn from SEED, GROUP blocks a commit, and says `done P B` for what it finds and `ack P B` for what it has committed.
LIMIT is "create:BYTES" or "commit:BYTES": the largest file that the process may write, at first or once it is open.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mesogpu.config.dump import dump_yaml
from mesogpu.config.experiment import Experiment, Leads, Model, SweepAxis
from mesogpu.errors import EnvironmentFault
from mesogpu.physics.disorder import Uniform
from mesogpu.plan import BlockResult, Plan, Status, make_plan
from mesogpu.store import Writer, provenance

SIGNATURE = "stand-in 1"
BLOCK = 16


def experiment(**changes: object) -> Experiment:
    """Four-site strips at two widths of the disorder, two lengths."""
    base = Experiment(
        name="tiny",
        seed=7,
        model=Model("square", 4, (4, 8), False, "hard", 1.0),
        disorder=(Uniform(1.0),),
        energy=0.8,
        flux=0.0,
        leads=Leads(0.0, True, True),
        sweep=(SweepAxis(("disorder.0.width",), ((0.5,), (2.0,))),),
        randomness="common",
        realizations=200,
        method="transmission",
        observables=("transmission_eigenvalues", "shot_noise"),
    )
    return replace(base, **changes)


def text(plan: Plan) -> str:
    """The configuration that the file of a plan stores."""
    return dump_yaml(plan.experiment)


CONFIG = dump_yaml(experiment())


def plan(**changes: object) -> Plan:
    """The plan of `experiment`, cut into blocks small enough to have many."""
    return replace(make_plan(experiment(**changes)), block_size=BLOCK)


def compute(plan: Plan, point: int, index: int) -> BlockResult:
    """What a backend would return: numbers drawn for what this point is and the block, and nothing else."""
    block = plan.block(point, index)
    system = zlib.crc32(repr(block.point.system).encode())
    rng = np.random.default_rng([plan.experiment.seed, system, block.point.stream_point, block.first])
    shape = (plan.lengths, block.count)
    eigenvalues = -np.sort(-rng.random((*shape, plan.channels[point])), axis=-1)
    conductance = eigenvalues.sum(axis=-1)
    arrays = {
        "conductance": conductance,
        "log_conductance": np.log(conductance + 1e-300),
        "conditioning": rng.random(shape),
        "status": rng.choice(
            [Status.CERTIFIED, Status.REDONE, Status.FAILED_UNITARITY], shape, p=[0.6, 0.1, 0.3]
        ).astype("u1"),
    }
    if block.point.shot_noise:
        arrays["shot_noise"] = (eigenvalues * (1 - eigenvalues)).sum(axis=-1)
    if block.point.eigenvalues:
        arrays["transmission_eigenvalues"] = eigenvalues
    audit = np.where(block.first // BLOCK % 3 == 0, rng.random(plan.lengths) * 1e-12, np.nan)
    return BlockResult(point, index, block.first, block.count, arrays, audit, rng.random())


def every_block(plan: Plan) -> list[tuple[int, int]]:
    """(point, index) of every block, in canonical order."""
    return [(block.point.index, block.index) for block in plan.blocks()]


def write(path: Path, plan: Plan, blocks: list[tuple[int, int]] | None = None, group: int = 4, **options: str) -> None:
    """Create or resume a file and commit some blocks, or all of them."""
    chosen = every_block(plan) if blocks is None else blocks
    with Writer(path, plan, **({"config_text": text(plan), "signature": SIGNATURE} | options)) as writer:
        for start in range(0, len(chosen), group):
            writer.commit([compute(plan, *block) for block in chosen[start : start + group]])


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _limit(what: str, limits: list[str]) -> None:
    for limit in limits:
        stage, size = limit.split(":")
        if stage == what:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))


def _say(word: str, block: Sequence[int]) -> None:
    sys.stdout.write(f"{word} {block[0]} {block[1]}\n")
    sys.stdout.flush()


def _main(path: str, seed: str, group: str, *limits: str) -> None:
    # The checkout may gain a commit while files of two processes are compared byte for byte.
    commit = os.environ["STORE_CASES_COMMIT"]
    provenance.git_sha = lambda: commit
    whole = plan()
    order = random.Random(int(seed))
    _limit("create", list(limits))
    with Writer(path, whole, config_text=CONFIG, signature=SIGNATURE) as writer:
        _limit("commit", list(limits))
        missing = [block for block in every_block(whole) if not writer.done[block]]
        for block in np.argwhere(writer.done):
            _say("done", block)
        order.shuffle(missing)
        for start in range(0, len(missing), int(group)):
            blocks = missing[start : start + int(group)]
            writer.commit([compute(whole, *block) for block in blocks])
            for block in blocks:
                _say("ack", block)
            time.sleep(order.random() * 0.01)


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except EnvironmentFault as fault:
        sys.exit(f"{type(fault).__name__}: {fault}")
