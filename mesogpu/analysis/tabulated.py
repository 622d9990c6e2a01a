"""Finite-size reference values of systems that others have computed, where an asymptotic law is still off.

Quickstart strip: square lattice, 30 sites wide, hard sides, box disorder W = 1, E = 0.8, leads with the sample's field.
From two independently written programs (complex recursive Green's function; propagated frames), 8 800 to 40 000
realizations, the first one agreeing with Kwant per sample to 3e-10. Statistical errors as listed; those of F were not
recorded and are taken as 0.001.
"""

from __future__ import annotations

from typing import Final

from mesogpu.physics.disorder import Uniform
from mesogpu.physics.systems import System

SOURCE: Final = "the finite-size table of this strip (two independent programs)"

_LENGTHS = (30, 60, 120, 180, 240)
_QUICKSTART: Final[dict[float, dict[str, tuple[tuple[float, ...], tuple[float, ...]]]]] = {
    0.0: {
        "conductance_mean": ((11.953, 8.355, 5.153, 3.680, 2.833), (0.003, 0.003, 0.003, 0.003, 0.002)),
        "conductance_variance": ((0.1896, 0.1703, 0.1434, 0.1330, 0.1284), (0.0019, 0.0017, 0.0014, 0.0013, 0.0008)),
        "fano": ((0.2576, 0.3073, 0.3368, 0.3499, 0.3599), (0.001,) * 5),
    },
    0.006: {
        "conductance_variance": ((0.1516, 0.1134, 0.0824, 0.0746, 0.0715), (0.0018, 0.0013, 0.0010, 0.0009, 0.0006)),
    },
}


def tabulated(system: System, length: int) -> dict[str, tuple[float, float]]:
    """Reference value and its standard error of each tabulated quantity; empty for a system without a table.

    length : slices
    """
    quickstart = System(
        width=30,
        periodic=False,
        hopping=1.0,
        flux=system.flux,
        energy=0.8,
        lead_potential=0.0,
        lead_flux=system.lead_flux or system.flux == 0.0,
        laws=(Uniform(width=1.0),),
    )
    if system != quickstart or length not in _LENGTHS or (system.flux != 0.0 and not system.lead_flux):
        return {}
    position = _LENGTHS.index(length)
    table = _QUICKSTART.get(system.flux, {})
    return {quantity: (values[position], errors[position]) for quantity, (values, errors) in table.items()}
