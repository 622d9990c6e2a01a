"""The shape of the whole document, its JSON Schema for editors, and what a sweep can vary of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mesogpu.config import fields
from mesogpu.config.schema.laws import LAWS, AnyLawSection, UnnamedLaw, swept_types
from mesogpu.config.schema.model import LeadsSection, ModelSection, SpinOrbitSection, TimesWidthSection
from mesogpu.config.schema.sweep import sweep_definitions
from mesogpu.config.schema.values import (
    STRICT,
    WHOLE,
    Energy,
    FieldComponent,
    Flux,
    Hopping,
    Potential,
    Slices,
    Strength,
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
}
"""The values of each key that a sweep can vary."""
SWEPT |= {
    f"disorder.*.{key}": TypeAdapter(list[kind], config=_VALUES)  # type: ignore[valid-type]
    for law in LAWS
    for key, kind in swept_types(law).items()
}

SWEPT_KEYS = tuple(SWEPT)
"""What a sweep can vary, with `*` for a position in a list."""


class Document(BaseModel):
    """A mesogpu experiment: one disordered conductor, its sweep, and how many realizations."""

    model_config = STRICT
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
        default="common", description="common: sweep points share their realizations. independent: each has its own."
    )
    realizations: Annotated[int, Field(ge=1, le=fields.MAX_REALIZATIONS), WHOLE] = Field(
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
    "model.spin_orbit": SpinOrbitSection,
    "disorder.*": UnnamedLaw,
    "leads": LeadsSection,
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
