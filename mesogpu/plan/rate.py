"""How fast this machine is at the oracle's inner step, for the time estimate of a plan."""

from __future__ import annotations

import time

import numpy as np

_LARGEST_WIDTH = 256
_BATCH_BYTES = 4_000_000
_SECONDS = 0.15


def measured_rate(width: int) -> float:
    """Real operations a second of one core at one slice of the complex recursion: an inversion and a product, 16 M^3.

    Takes about 0.2 s. Widths beyond 256 are taken as 256, where the rate has levelled off.

    width   : M, sites across the current
    returns : flop/s
    """
    from threadpoolctl import threadpool_limits

    size = min(width, _LARGEST_WIDTH)
    batch = max(1, _BATCH_BYTES // (16 * size * size))
    generator = np.random.default_rng(0)
    matrices = generator.standard_normal((batch, size, size)) + 1j * (np.eye(size) * size)
    operations = 16.0 * size**3 * batch
    with threadpool_limits(limits=1):
        np.linalg.inv(matrices) @ matrices  # the first call pays for loading LAPACK
        passes, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < _SECONDS or passes == 0:
            np.linalg.inv(matrices) @ matrices
            passes += 1
    return operations * passes / elapsed
