"""What messages say about each key: an example of it, and the remedy for a value out of its bounds.

Keys are paths with `*` for a position in a list.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesogpu.config.nodes import Location

MAX_WIDTH = 4096
MAX_SLICES = 10_000_000
MAX_LENGTHS = 4096
MAX_REALIZATIONS = 2**32 - 1
MAX_SEED = 2**32 - 1
MAX_LAWS = 16
MAX_SWEEP_POINTS = 1_000_000
MAX_ENERGY = 1e9
MIN_HOPPING = 1e-9
MAX_FLUX = 0.5
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


_ENERGY_BOUNDS = f"use -{MAX_ENERGY:g} to {MAX_ENERGY:g}, in the unit of model.hopping"

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
    "disorder": Field("[{distribution: uniform, width: 1.0}]", f"at most {MAX_LAWS} laws"),
    "disorder.*": Field("{distribution: uniform, width: 1.0}"),
    "disorder.*.distribution": Field("uniform"),
    "disorder.*.width": Field(
        "1.0", f"use 0 (clean) to {MAX_ENERGY:g}, in the unit of model.hopping: values fill [-width/2, width/2]"
    ),
    "disorder.*.sigma": Field("0.5", f"use 0 (clean) to {MAX_ENERGY:g}, in the unit of model.hopping"),
    "disorder.*.half_width": Field("0.5", f"use 0 (clean) to {MAX_ENERGY:g}, in the unit of model.hopping"),
    "disorder.*.values": Field("[-1.0, 1.0]", "use two energies"),
    "disorder.*.values.*": Field("1.0", _ENERGY_BOUNDS),
    "disorder.*.fraction": Field("0.5", "use 0 to 1: the probability of the second value"),
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
    "observables": Field("[transmission_eigenvalues, shot_noise]"),
    "observables.*": Field("shot_noise"),
}


def field_key(location: Location) -> str:
    """The key of `FIELDS` for a place in the document; all forms of the length share one."""
    if location[:2] == ("model", "length"):
        return "model.length"
    return ".".join("*" if isinstance(key, int) else key for key in location)
