"""A plan of small blocks, a writer in memory, and computations that fail as asked; workers import it too."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from mesogpu.config.experiment import Experiment, Leads, Model, SweepAxis
from mesogpu.errors import BackendUnavailable, EnvironmentFault, PhysicsError
from mesogpu.physics.disorder import Uniform
from mesogpu.plan import BlockResult, make_plan

POISONED = 7


def small_plan(realizations=96, block_size=4):
    """Two points of a strip of width 4, cut into blocks far smaller than canonical ones."""
    experiment = Experiment(
        name="small",
        seed=1,
        model=Model("square", 4, (4, 8), False, "hard", 1.0),
        disorder=(Uniform(1.0),),
        energy=0.3,
        flux=0.0,
        leads=Leads(0.0, True, True),
        sweep=(SweepAxis(("flux",), ((0.0,), (0.01,))),),
        randomness="common",
        realizations=realizations,
        method="transmission",
        observables=("transmission_eigenvalues", "shot_noise"),
    )
    return replace(make_plan(experiment), block_size=block_size)


class MemoryWriter:
    """The store's writer without a file."""

    def __init__(self, plan):
        self.done = np.zeros((len(plan.points), plan.blocks_per_point), dtype=bool)
        self.committed = {}
        self.groups = []

    def commit(self, results):
        for result in results:
            key = result.point, result.index
            assert key not in self.committed
            self.committed[key] = result
            self.done[key] = True
        self.groups.append(len(results))

    def bytes(self):
        return {
            key: {name: array.tobytes() for name, array in result.arrays.items()} | {"audit": result.audit.tobytes()}
            for key, result in self.committed.items()
        }


def fake_result(block, seconds=0.0, status=0):
    shape = len(block.point.lengths), block.count
    realizations = np.broadcast_to(np.arange(block.first, block.first + block.count, dtype=float), shape)
    return BlockResult(
        point=block.point.index,
        index=block.index,
        first=block.first,
        count=block.count,
        arrays={
            "conductance": realizations + 1000 * block.point.index,
            "status": np.full(shape, status, dtype=np.uint8),
        },
        audit=np.full(len(block.point.lengths), np.nan),
        seconds=seconds,
    )


def compute(blocks):
    for block in blocks:
        yield fake_result(block)


def compute_slowly(blocks):
    for block in blocks:
        time.sleep(0.05)
        yield fake_result(block, 0.05)


def compute_very_slowly(blocks):
    for block in blocks:
        time.sleep(0.5)
        yield fake_result(block, 0.5)


def compute_then_hang(blocks):
    """A few quick blocks, then some that take a minute each."""
    for block in blocks:
        if block.index >= 4:
            time.sleep(60)
        yield fake_result(block)


def compute_where_the_gpu_is_broken(blocks):
    """Every task fails on the GPU named "broken"; another waits for two failures, then tells its last character."""
    failures = Path(os.environ["FAILURES"])
    if os.environ["CUDA_VISIBLE_DEVICES"] == "broken":
        (failures / str(os.getpid())).touch()
        raise BackendUnavailable("GPU 0: device lost")
    while len(list(failures.iterdir())) < 2:
        time.sleep(0.05)
    for block in blocks:
        time.sleep(0.05)
        result = fake_result(block, 0.05)
        result.arrays["conductance"][:] = ord(os.environ["CUDA_VISIBLE_DEVICES"][-1])
        yield result


def compute_and_end_workers(blocks):
    """The poisoned block of the first point kills every worker; that of the second finds no memory on any."""
    for block in blocks:
        if block.index == POISONED and block.point.index == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if block.index == POISONED:
            raise EnvironmentFault("GPU 0: device memory is short")
        yield fake_result(block)


def compute_with_bug(blocks):
    for block in blocks:
        if block.index == POISONED:
            raise ZeroDivisionError("a bug with a message")
        yield fake_result(block)


def compute_with_refusal(blocks):
    for block in blocks:
        if block.index == POISONED:
            raise PhysicsError("energy: 2.0 is at a band edge; choose another")
        yield fake_result(block)
