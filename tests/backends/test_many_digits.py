"""Both engines against fifty-digit arithmetic, where the transmission is exponentially small."""

from __future__ import annotations

import numpy as np
import pytest
from models import block, strip

from mesogpu.backends.native import compiler
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference.backend import ReferenceBackend, conducting_slices
from mesogpu.errors import BackendUnavailable
from mesogpu.physics.disorder import Gaussian, Uniform

mpmath = pytest.importorskip("mpmath")
try:
    compiler.find_compiler()
    ENGINES = [ReferenceBackend, NativeBackend]
except BackendUnavailable:
    ENGINES = [ReferenceBackend]


def exact_log_conductance(system, potential: np.ndarray) -> float:
    """ln Tr t t^dagger of a hard-walled strip without field: the recursion in fifty digits, modes by their formula."""
    length, width = potential.shape
    energy, identity = mpmath.mpf(system.energy), mpmath.eye(width)
    modes = mpmath.matrix(width, width)
    factors, velocities = [], []
    for m in range(width):
        transverse = -2 * mpmath.cos(mpmath.pi * (m + 1) / (width + 1))
        for y in range(width):
            modes[y, m] = mpmath.sqrt(mpmath.mpf(2) / (width + 1)) * mpmath.sin(
                mpmath.pi * (m + 1) * (y + 1) / (width + 1)
            )
        cosine = (transverse - energy) / 2
        sine = mpmath.sqrt(abs(1 - cosine**2))
        propagates = abs(cosine) < 1
        factors.append(mpmath.mpc(cosine, sine) if propagates else cosine - mpmath.sign(cosine) * sine)
        velocities.append(2 * sine if propagates else mpmath.mpf(0))
    self_energy = -modes * mpmath.diag(factors) * modes.T
    across, behind = identity, mpmath.matrix(width, width)
    for x in range(length):
        inverse = energy * identity - behind
        for y in range(width):
            inverse[y, y] -= mpmath.mpf(float(potential[x, y]))
            if y:
                inverse[y, y - 1] += 1
                inverse[y - 1, y] += 1
        inverse -= self_energy * ((x == 0) + (x == length - 1))
        behind = inverse**-1
        across = behind * across * (1 if x == 0 else -1)
    amplitudes = modes.T * across * modes
    total = sum(velocities[n] * velocities[m] * abs(amplitudes[n, m]) ** 2 for n in range(width) for m in range(width))
    return float(mpmath.log(total))


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_logarithms_agree_with_fifty_digits(engine):
    # Seen to fail with the power of two of P left out in the kernel, and in the recursion.
    seen = []
    for system, lengths in (
        (strip(3, laws=(Uniform(6.0),), energy=0.3), (30, 150, 400)),
        (strip(2, laws=(Uniform(9.0),), energy=-1.1), (20, 90, 600)),
        (strip(4, laws=(Gaussian(2.5),), energy=0.9), (25, 160)),
    ):
        sample = block(system, lengths, count=2)
        (result,) = engine().run([sample])
        potential = conducting_slices(sample.point, [0, 1])[0].onsite
        with mpmath.workdps(50):
            for position, length in enumerate(lengths):
                for row in range(2):
                    exact = exact_log_conductance(system, potential[row, :length])
                    seen.append(exact)
                    assert abs(result.arrays["log_conductance"][position, row] - exact) < 1e-9
    assert min(seen) < -400
    assert max(seen) > -40
