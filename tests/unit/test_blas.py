"""One thread for what is computed once and kept."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_limits

from mesogpu.backends.kernel_inputs import _lead_arrays
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.modes import lead_modes
from mesogpu.physics.systems import System


def arrays(threads: int, width: int) -> bytes:
    system = System(Lattice("square", width), 1.0, 0.006, 0.8, 0.0, True, ())
    lead_modes.cache_clear()
    _lead_arrays.cache_clear()
    with threadpool_limits(limits=threads):
        lead_modes(system.lead(), 0)  # as a plan does, which counts channels
        found = _lead_arrays(system.lead())
    return b"".join(found[name].tobytes() for name in sorted(found))


@pytest.mark.parametrize("width", [30, 60, 100])
def test_what_is_kept_of_leads_has_the_same_bits_for_any_number_of_threads(width: int) -> None:
    # Seen to fail without `one_thread` around the modes: so a plan, outside of all limits, changed a run's last bits.
    assert arrays(2, width) == arrays(1, width)
