"""The shape of the whole document, its JSON Schema for editors, and what a sweep can vary of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mesogpu.config import fields
from mesogpu.config.schema.laws import LAWS, AnyLawSection, UnnamedLaw, swept_types
from mesogpu.config.schema.model import (
    LeadsSection,
    LyapunovSection,
    ModelSection,
    SpinOrbitSection,
    TimesWidthSection,
)
from mesogpu.config.schema.sweep import sweep_definitions
from mesogpu.config.schema.values import (
    STRICT,
    WHOLE,
    BarSlices,
    Energy,
    FieldComponent,
    Flux,
    Hopping,
    Potential,
    Slices,
    Strength,
    Warmup,
    Width,
)

_VALUES = ConfigDict(strict=True)
SWEPT: dict[str, TypeAdapter[Any]] = {
    "energy": TypeAdapter(list[Energy], config=_VALUES),
    "flux": TypeAdapter(list[Flux], config=_VALUES),
    "leads.potential": TypeAdapter(list[Potential], config=_VALUES),
    "model.width": TypeAdapter(list[Width], config=_VALUES),
    "model.length": TypeAdapter(list[Slices], config=_VALUES),
    "model.hopping": TypeAdapter(list[Hopping], config=_VALUES),
    "model.spin_orbit.strength": TypeAdapter(list[Strength], config=_VALUES),
    "model.zeeman.*": TypeAdapter(list[FieldComponent], config=_VALUES),
    "lyapunov.slices": TypeAdapter(list[BarSlices], config=_VALUES),
    "lyapunov.warmup": TypeAdapter(list[Warmup], config=_VALUES),
}
"""The values of each key that a sweep can vary."""
SWEPT |= {
    f"disorder.*.{key}": TypeAdapter(list[kind], config=_VALUES)  # type: ignore[valid-type]
    for law in LAWS
    for key, kind in swept_types(law).items()
}

SWEPT_KEYS = tuple(SWEPT)
"""What a sweep can vary, with `*` for a position in a list."""

_OfTransmission = Literal["transmission_eigenvalues", "shot_noise", "conductance", "log_conductance"]
_OfBars = Literal["lyapunov_exponents"]
OBSERVABLES: dict[str, tuple[str, ...]] = {"transmission": get_args(_OfTransmission), "lyapunov": get_args(_OfBars)}
"""What each method can record."""

# For editors in the JSON Schema; for readers of a file in `config.method_rules`.
_BY_METHOD: dict[str, Any] = {
    "oneOf": [
        {
            "properties": {
                "method": {"const": "transmission"},
                "model": {"required": ["length"], "properties": {"length": {"type": ["integer", "array", "object"]}}},
                "lyapunov": {"type": "null"},
                "observables": {"items": {"enum": [*OBSERVABLES["transmission"]]}},
            },
        },
        {
            "properties": {
                "method": {"const": "lyapunov"},
                "model": {"properties": {"length": {"type": "null"}}},
                "leads": {"type": "null"},
                "observables": {"items": {"enum": [*OBSERVABLES["lyapunov"]]}},
            },
            "required": ["method"],
        },
    ]
}


def _drop_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class Document(BaseModel):
    """A mesogpu experiment: one disordered conductor, its sweep, and how many realizations."""

    model_config = ConfigDict(**STRICT, json_schema_extra=_BY_METHOD)
    schema_: Literal[1] = Field(alias="schema", description="Version of this file format, whose defaults never change.")
    name: str = Field(
        description="Name of the experiment; the results go to NAME.h5.",
        pattern=fields.NAME_PATTERN,
        max_length=fields.LONGEST_NAME,
    )
    seed: Annotated[int, Field(ge=0, le=fields.MAX_SEED), WHOLE] = Field(description="Fixes all random numbers.")
    model: ModelSection
    disorder: Annotated[list[AnyLawSection], Field(max_length=fields.MAX_LAWS)] | None = Field(
        default=None, description="Disorder laws, which add up; none: a clean conductor."
    )
    energy: Energy
    flux: Flux = 0.0
    leads: LeadsSection = Field(default_factory=LeadsSection)
    sweep: Any = None
    randomness: Literal["common", "independent"] = Field(
        default="common",
        description="common: sweep points share their realizations (the default of method transmission). independent: "
        "each has its own (of method lyapunov).",
        json_schema_extra=_drop_default,
    )
    realizations: Annotated[int, Field(ge=1, le=fields.MAX_REALIZATIONS), WHOLE] = Field(
        description="Disorder realizations a sweep point."
    )
    method: Literal["transmission", "lyapunov"] = Field(
        default="transmission",
        description="transmission: conductance from lead to lead. lyapunov: localization length of long bars, which "
        "have no leads and take no model.length.",
    )
    lyapunov: LyapunovSection | None = Field(default=None, description="The bars of method lyapunov.")
    observables: list[Literal[_OfTransmission, _OfBars]] = Field(
        default=[],
        description="What to record; conductance and log_conductance, or lyapunov_exponents, are always there.",
        json_schema_extra={"uniqueItems": True},
    )


KNOWN_KEYS: dict[str, type[BaseModel]] = {
    "": Document,
    "model": ModelSection,
    "model.length": TimesWidthSection,
    "model.spin_orbit": SpinOrbitSection,
    "disorder.*": UnnamedLaw,
    "leads": LeadsSection,
    "lyapunov": LyapunovSection,
}


def known_keys(section: str, law: str = "") -> list[str]:
    """The keys of a section.

    section : "" for the document, else such as "model" or "disorder.*"
    law     : of a section of the disorder, where its law is known
    """
    known = LAWS[law] if law else KNOWN_KEYS[section]
    return [field.alias or name for name, field in known.model_fields.items()]


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an experiment file, with descriptions and units."""
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= Document.model_json_schema(by_alias=True) | {"title": "mesogpu experiment"}
    schema["$defs"] |= sweep_definitions({key: adapter.json_schema()["items"] for key, adapter in SWEPT.items()})
    schema["properties"]["sweep"] = {"$ref": "#/$defs/Sweep"}
    return schema
