"""Kinds of values: type, bounds, unit and description, whether a value is written once or swept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mesogpu.config import fields

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
UNIT = "in the unit of model.hopping"
_OR_FLUX = f"{UNIT} (on flux: flux quanta, at most {fields.MAX_RANDOM_FLUX:g})"


def _whole(value: object) -> object:
    """1e4 is a whole number to a reader, and to JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _positive_zero(value: object) -> object:
    """-0.0 must not make another experiment than 0.0."""
    return 0.0 if isinstance(value, float) and value == 0.0 else value


def _none_or_at_least_the_shortest(length: float) -> float:
    if 0.0 < length < fields.MIN_CORRELATION:
        least = {"ge": fields.MIN_CORRELATION}
        raise PydanticCustomError("greater_than_equal", "shorter than the shortest", least)
    return length


WHOLE, _POSITIVE_ZERO = BeforeValidator(_whole), BeforeValidator(_positive_zero)


def _size(highest: int, description: str) -> Any:
    return Field(ge=1, le=highest, description=description)


def _number(lowest: float, highest: float, description: str, **extra: Any) -> Any:
    return Field(ge=lowest, le=highest, allow_inf_nan=False, description=description, **extra)


def _energy(description: str, lowest: float = -fields.MAX_ENERGY) -> Any:
    return _number(lowest, fields.MAX_ENERGY, description)


Width = Annotated[int, _size(fields.MAX_WIDTH, "Sites across the current."), WHOLE]
Slices = Annotated[int, _size(fields.MAX_SLICES, "Slices along the current, one lattice constant each."), WHOLE]
BarSlices = Annotated[
    int,
    Field(
        ge=fields.MIN_BAR_SLICES, le=fields.MAX_SLICES, description="Slices recorded of each bar, after the warm-up."
    ),
    WHOLE,
]
Warmup = Annotated[
    int,
    Field(
        ge=0,
        le=fields.MAX_SLICES,
        description="Slices at the start of each bar that are left out; without them every exponent has a bias of the "
        "order of 1 / slices.",
    ),
    WHOLE,
]
Exponents = Annotated[int, _size(fields.MAX_EXPONENTS, "How many exponents to store, the smallest ones."), WHOLE]
Multiple = Annotated[int, _size(fields.MAX_SLICES, "Length over width (along y) of the sample."), WHOLE]
Hopping = Annotated[
    float,
    _energy("Hopping t of a bond: the unit in which all energies are given.", fields.MIN_HOPPING),
    _POSITIVE_ZERO,
]
Strength = Annotated[
    float,
    _energy(
        f"rashba: energy lambda, {UNIT}. ando: mixing angle in radians, -pi to pi. evangelou-ziman: mu, "
        f"0 to {fields.MAX_MIXING:g}. su2: none."
    ),
    _POSITIVE_ZERO,
]
FieldComponent = Annotated[float, _energy(f"One component of the Zeeman field h of h . sigma, {UNIT}."), _POSITIVE_ZERO]
Energy = Annotated[float, _energy(f"Fermi energy, {UNIT}; 0 is the band centre."), _POSITIVE_ZERO]
Flux = Annotated[
    float,
    _number(
        -fields.MAX_FLUX,
        fields.MAX_FLUX,
        "Flux quanta h/e per x-y plaquette (a hexagon has two); periodic in 1.",
    ),
    _POSITIVE_ZERO,
]
Potential = Annotated[float, _energy(f"Onsite potential of the leads, {UNIT}."), _POSITIVE_ZERO]
DisorderWidth = Annotated[
    float, _energy(f"Full width W of the box: values in [-W/2, W/2], {_OR_FLUX}.", 0.0), _POSITIVE_ZERO
]
Deviation = Annotated[float, _energy(f"Standard deviation of the values around 0, {_OR_FLUX}.", 0.0), _POSITIVE_ZERO]
CorrelationLength = Annotated[
    float,
    _number(
        0.0,
        fields.MAX_CORRELATION,
        "c of <V V'> = sigma^2 exp(-r^2 / 2 c^2) on the sites, in lattice constants; 0: uncorrelated.",
        json_schema_extra={"anyOf": [{"const": 0}, {"minimum": fields.MIN_CORRELATION}]},
    ),
    _POSITIVE_ZERO,
    AfterValidator(_none_or_at_least_the_shortest),
]
HalfWidth = Annotated[float, _energy(f"Half the full width at half maximum, {_OR_FLUX}.", 0.0), _POSITIVE_ZERO]
BinaryValue = Annotated[
    float,
    _energy(f"One of the two values, {UNIT} (on flux: flux quanta, -{fields.MAX_FLUX:g} to {fields.MAX_FLUX:g})."),
    _POSITIVE_ZERO,
]
Fraction = Annotated[float, _number(0.0, 1.0, "Probability of the second value."), _POSITIVE_ZERO]
Density = Annotated[
    float,
    Field(ge=0.0, lt=1.0, allow_inf_nan=False, description="Probability that a site is missing, below 1."),
    _POSITIVE_ZERO,
]
Exchange = Annotated[float, _energy(f"J of H = J n . sigma, n uniform on the sphere, {UNIT}.", 0.0), _POSITIVE_ZERO]
