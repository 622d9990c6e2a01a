"""The shape of an experiment file: types, bounds and units of every key, and its JSON Schema for editors.

What combines with what stands in `config.rules`, sweeps in `config.sweeps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
)

from mesogpu.config import fields
from mesogpu.config.nodes import Location
from mesogpu.config.sweep_schema import sweep_definitions

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
_SCALAR, _LIST, _TIMES_WIDTH = "#scalar", "#list", "#times_width"


def _whole(value: object) -> object:
    """1e4 is a whole number to a reader, and to JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _positive_zero(value: object) -> object:
    """-0.0 must not make another experiment than 0.0."""
    return 0.0 if isinstance(value, float) and value == 0.0 else value


def _length_form(value: object) -> str:
    return _LIST if isinstance(value, list) else _TIMES_WIDTH if isinstance(value, dict) else _SCALAR


Width = Annotated[
    int,
    Field(ge=1, le=fields.MAX_WIDTH, description="Sites across the current."),
    BeforeValidator(_whole),
]
Slices = Annotated[
    int,
    Field(ge=1, le=fields.MAX_SLICES, description="Slices along the current, one lattice constant each."),
    BeforeValidator(_whole),
]
_Lengths = Annotated[
    list[Slices],
    Field(min_length=1, max_length=fields.MAX_LENGTHS, description="Strictly increasing, all recorded on one pass."),
]
Multiple = Annotated[
    int,
    Field(ge=1, le=fields.MAX_SLICES, description="Length over width of the strip."),
    BeforeValidator(_whole),
]
_Multiples = Annotated[
    list[Multiple],
    Field(min_length=1, max_length=fields.MAX_LENGTHS, description="Strictly increasing, all recorded on one pass."),
]


def _number(lowest: float, highest: float, description: str) -> Any:
    return Field(ge=lowest, le=highest, allow_inf_nan=False, description=description)


_UNIT = "in the unit of model.hopping"
Hopping = Annotated[
    float,
    _number(fields.MIN_HOPPING, fields.MAX_ENERGY, "Hopping t of a bond: the unit in which all energies are given."),
    BeforeValidator(_positive_zero),
]
Energy = Annotated[
    float,
    _number(-fields.MAX_ENERGY, fields.MAX_ENERGY, f"Fermi energy, {_UNIT}; 0 is the band centre."),
    BeforeValidator(_positive_zero),
]
Flux = Annotated[
    float,
    _number(-fields.MAX_FLUX, fields.MAX_FLUX, "Flux quanta h/e per plaquette; periodic in 1."),
    BeforeValidator(_positive_zero),
]
Potential = Annotated[
    float,
    _number(-fields.MAX_ENERGY, fields.MAX_ENERGY, f"Onsite potential of the leads, {_UNIT}."),
    BeforeValidator(_positive_zero),
]
DisorderWidth = Annotated[
    float,
    _number(0.0, fields.MAX_ENERGY, f"Full width W of the box: energies in [-W/2, W/2], {_UNIT}."),
    BeforeValidator(_positive_zero),
]


class TimesWidthSection(BaseModel):
    """Lengths counted in widths of the strip."""

    model_config = _STRICT
    times_width: Annotated[
        Annotated[Multiple, Tag(_SCALAR)] | Annotated[_Multiples, Tag(_LIST)],
        Discriminator(_length_form),
    ] = Field(description="Length over width: one, or strictly increasing ones.")


class ModelSection(BaseModel):
    """The clean conductor."""

    model_config = _STRICT
    lattice: Literal["chain", "square"] = Field(description="chain: one site wide. square: a strip.")
    width: Width | None = None
    length: Annotated[
        Annotated[Slices, Tag(_SCALAR)]
        | Annotated[_Lengths, Tag(_LIST)]
        | Annotated[TimesWidthSection, Tag(_TIMES_WIDTH)],
        Discriminator(_length_form),
    ] = Field(description="Length in slices: one, several (all recorded on one pass), or {times_width: ...}.")
    edges: Literal["hard", "periodic"] = Field(
        default="hard", description="Sides of the strip; periodic needs width >= 3."
    )
    hopping: Hopping = 1.0
    spin_orbit: None = Field(default=None, description="Not in this version: null.")
    zeeman: None = Field(default=None, description="Not in this version: null.")


class UniformSection(BaseModel):
    """Box disorder on the sites."""

    model_config = _STRICT
    distribution: Literal["uniform"] = Field(description="The law of the onsite energies.")
    width: DisorderWidth


class LeadsSection(BaseModel):
    """The clean leads."""

    model_config = _STRICT
    potential: Potential = 0.0
    flux: bool = Field(default=True, description="Whether the leads carry the sample's flux.")
    spin_orbit: bool = Field(default=True, description="Whether the leads carry the sample's spin-orbit coupling.")


_VALUES = ConfigDict(strict=True)
_SWEPT: dict[str, TypeAdapter[Any]] = {
    "energy": TypeAdapter(list[Energy], config=_VALUES),
    "flux": TypeAdapter(list[Flux], config=_VALUES),
    "leads.potential": TypeAdapter(list[Potential], config=_VALUES),
    "model.width": TypeAdapter(list[Width], config=_VALUES),
    "model.length": TypeAdapter(list[Slices], config=_VALUES),
    "model.hopping": TypeAdapter(list[Hopping], config=_VALUES),
    "disorder.*.width": TypeAdapter(list[DisorderWidth], config=_VALUES),
}

SWEPT_KEYS = tuple(_SWEPT)
"""What a sweep can vary, with `*` for a position in the disorder list."""


class Document(BaseModel):
    """A mesogpu experiment: one disordered conductor, its sweep, and how many realizations."""

    model_config = _STRICT
    schema_: Literal[1] = Field(alias="schema", description="Version of this file format, whose defaults never change.")
    name: str = Field(
        description="Name of the experiment; the results go to NAME.h5.",
        pattern=fields.NAME_PATTERN,
        max_length=fields.LONGEST_NAME,
    )
    seed: Annotated[int, Field(ge=0, le=fields.MAX_SEED), BeforeValidator(_whole)] = Field(
        description="Fixes all random numbers."
    )
    model: ModelSection
    disorder: Annotated[list[UniformSection], Field(max_length=fields.MAX_LAWS)] | None = Field(
        default=None, description="Disorder laws, which add up; none: a clean conductor."
    )
    energy: Energy
    flux: Flux = 0.0
    leads: LeadsSection = Field(default_factory=LeadsSection)
    sweep: Any = None
    randomness: Literal["common", "independent"] = Field(
        default="common", description="common: sweep points share their realizations. independent: each has its own."
    )
    realizations: Annotated[int, Field(ge=1, le=fields.MAX_REALIZATIONS), BeforeValidator(_whole)] = Field(
        description="Disorder realizations a sweep point."
    )
    method: Literal["transmission"] = Field(default="transmission", description="What is computed.")
    observables: list[Literal["transmission_eigenvalues", "shot_noise", "conductance", "log_conductance"]] = Field(
        default=[],
        description="What to record; conductance and log_conductance are always there.",
        json_schema_extra={"uniqueItems": True},
    )


KNOWN_KEYS: dict[str, type[BaseModel]] = {
    "": Document,
    "model": ModelSection,
    "model.length": TimesWidthSection,
    "disorder.*": UniformSection,
    "leads": LeadsSection,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of the schema.

    location : path of the offending or missing key
    kind     : pydantic's name of the error
    context  : its parameters, such as the bound
    value    : what was found
    """

    location: Location
    kind: str
    context: dict[str, Any]
    value: Any


def check_document(data: object) -> tuple[Document | None, list[Finding]]:
    """Validate the whole document but its sweep."""
    try:
        return Document.model_validate(data), []
    except ValidationError as error:
        return None, _findings(error)


def check_values(key: str, values: Sequence[object]) -> tuple[list[Any] | None, list[Finding]]:
    """Validate values for one swept key, as if each were written in its place.

    key     : of `SWEPT_KEYS`
    returns : the values as int or float, or None and what is wrong, located by position
    """
    try:
        return _SWEPT[key].validate_python(list(values)), []
    except ValidationError as error:
        return None, _findings(error)


def _findings(error: ValidationError) -> list[Finding]:
    return [
        # Tags of the forms of a length are no keys of the document.
        Finding(
            tuple(key for key in entry["loc"] if key not in (_SCALAR, _LIST, _TIMES_WIDTH)),
            entry["type"],
            entry.get("ctx", {}),
            entry["input"],
        )
        for entry in error.errors(include_url=False)
    ]


def known_keys(section: str) -> list[str]:
    """The keys of a section.

    section : "" for the document, else such as "model" or "disorder.*"
    """
    return [field.alias or name for name, field in KNOWN_KEYS[section].model_fields.items()]


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an experiment file, with descriptions and units."""
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= Document.model_json_schema(by_alias=True) | {"title": "mesogpu experiment"}
    schema["$defs"] |= sweep_definitions({key: adapter.json_schema()["items"] for key, adapter in _SWEPT.items()})
    schema["properties"]["sweep"] = {"$ref": "#/$defs/Sweep"}
    return schema
