"""One thread for what is computed once and kept."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from mesogpu.backends.kernel_inputs import _lead_arrays
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.modes import lead_modes
from mesogpu.physics.systems import System


def arrays(threads: int) -> bytes:
    system = System(Lattice("square", 30), 1.0, 0.006, 0.8, 0.0, True, ())
    lead_modes.cache_clear()
    _lead_arrays.cache_clear()
    with threadpool_limits(limits=threads):
        found = _lead_arrays(system.lead())
    return b"".join(found[name].tobytes() for name in sorted(found))


def test_lead_modes_have_the_same_bits_for_any_number_of_threads() -> None:
    # A run's plan asks for them first, outside of all limits. Seen to fail as it was found: without `one_thread`.
    assert arrays(2) == arrays(1)
