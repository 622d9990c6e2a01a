"""What messages say about each key: an example of it, and the remedy for a value out of its bounds.

Keys are paths with `*` for a position in a list.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mesogpu.config.nodes import Location

MAX_WIDTH = 4096
"""Sites of a slice; for a bar My * Mz, so that each of them is below `physics.lattices.LINE_STRIDE`."""
MAX_SLICES = 10_000_000
MAX_LENGTHS = 4096
MIN_BAR_SLICES = 32
"""One for each of the batches whose scatter gives an exponent's error."""
MAX_EXPONENTS = 2 * MAX_WIDTH
MAX_REALIZATIONS = 2**32 - 1
MAX_SEED = 2**32 - 1
MAX_LAWS = 16
MAX_SWEEP_POINTS = 1_000_000
MAX_ENERGY = 1e9
MIN_HOPPING = 1e-9
MAX_FLUX = 0.5
MAX_RANDOM_FLUX = 1.0
"""Magnitude of a random flux, in quanta: a box of this width makes every flux equally likely."""
MAX_ANGLE = math.pi
"""Mixing angle of ando's coupling, in radians."""
MAX_MIXING = 1000.0
"""mu of evangelou-ziman's coupling: there the spin-dependent part of a bond is hundreds of times the plain one."""
MIN_CORRELATION = 0.1
MAX_CORRELATION = 100.0
"""What `physics.draws.smoothing` is made for, in lattice constants."""
LONGEST_NAME = 100
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"


@dataclass(frozen=True, slots=True)
class Field:
    """Help for one key.

    example : a value in YAML
    bounds  : what is allowed, as a remedy
    """

    example: str
    bounds: str = ""


_UNIT = "in the unit of model.hopping"
_ENERGY_BOUNDS = f"use -{MAX_ENERGY:g} to {MAX_ENERGY:g}, {_UNIT}"
_MAGNITUDE_BOUNDS = f"use 0 (clean) to {MAX_ENERGY:g}, {_UNIT}"

FIELDS = {
    "schema": Field("1", "this version reads schema: 1"),
    "name": Field(
        "my-wire", f"use 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 . _ - and do not start with . or -"
    ),
    "seed": Field("20261120", "use 0 to 4294967295"),
    "model": Field("{lattice: square, width: 30, length: 60}"),
    "model.lattice": Field("square"),
    "model.width": Field("30", f"use 1 to {MAX_WIDTH} sites"),
    "model.length": Field("[30, 60, 120]", f"use 1 to {MAX_SLICES} slices"),
    "model.edges": Field("hard"),
    "model.hopping": Field(
        "1.0", f"use {MIN_HOPPING:g} to {MAX_ENERGY:g}; it is a magnitude, a bond is minus the hopping"
    ),
    "model.edge": Field("zigzag"),
    "model.spin_orbit": Field("{kind: rashba, strength: 0.3}"),
    "model.spin_orbit.kind": Field("rashba"),
    "model.spin_orbit.strength": Field("0.3", _ENERGY_BOUNDS),
    "model.zeeman": Field("[0.0, 0.0, 0.1]"),
    "model.zeeman.*": Field("0.1", _ENERGY_BOUNDS),
    "disorder": Field("[{distribution: uniform, width: 1.0}]", f"at most {MAX_LAWS} laws"),
    "disorder.*": Field("{distribution: uniform, width: 1.0}"),
    "disorder.*.distribution": Field("uniform"),
    "disorder.*.on": Field("spins"),
    "disorder.*.width": Field("1.0", f"{_MAGNITUDE_BOUNDS}: values fill [-width/2, width/2]"),
    "disorder.*.sigma": Field("0.5", _MAGNITUDE_BOUNDS),
    "disorder.*.correlation_length": Field(
        "2.0",
        f"use {MIN_CORRELATION:g} to {MAX_CORRELATION:g} lattice constants, or 0 (uncorrelated)",
    ),
    "disorder.*.half_width": Field("0.5", _MAGNITUDE_BOUNDS),
    "disorder.*.values": Field("[-1.0, 1.0]", "use two values"),
    "disorder.*.values.*": Field("1.0", _ENERGY_BOUNDS),
    "disorder.*.fraction": Field("0.5", "use 0 to 1: the probability of the second value"),
    "disorder.*.density": Field("0.05", "use 0 (none) to below 1: the probability that a site is missing"),
    "disorder.*.exchange": Field("0.5", f"{_MAGNITUDE_BOUNDS}; its sign would change nothing"),
    "energy": Field("0.8", _ENERGY_BOUNDS),
    "flux": Field("0.006", "the flux is periodic in 1: use -0.5 to 0.5 quanta h/e per plaquette"),
    "leads": Field("{potential: 0.0}"),
    "leads.potential": Field("0.0", _ENERGY_BOUNDS),
    "leads.flux": Field("true"),
    "leads.spin_orbit": Field("true"),
    "sweep": Field("{flux: [0.0, 0.006]}"),
    "randomness": Field("common"),
    "realizations": Field("4096", f"use 1 to {MAX_REALIZATIONS}"),
    "method": Field("transmission"),
    "lyapunov": Field("{slices: 100000, warmup: 1000}"),
    "lyapunov.slices": Field("100000", f"use {MIN_BAR_SLICES} to {MAX_SLICES} slices, in 32 batches"),
    "lyapunov.warmup": Field("1000", f"use 0 to {MAX_SLICES} slices, which are left out"),
    "lyapunov.exponents": Field("1", f"use 1 to {MAX_EXPONENTS}, or null: one for each orbital of a slice"),
    "observables": Field("[transmission_eigenvalues, shot_noise]"),
    "observables.*": Field("shot_noise"),
}


_OF_SEVERAL_FORMS = ("model.length", "model.width", "model.edges")


def field_key(location: Location) -> str:
    """The key of `FIELDS` for a place in the document; all forms of a length, a width or of edges share one."""
    start = ".".join(map(str, location[:2]))
    if start in _OF_SEVERAL_FORMS:
        return start
    return ".".join("*" if isinstance(key, int) else key for key in location)
