"""The shape of an experiment file: types, bounds and units of every key, and its JSON Schema for editors.

What combines with what stands in `config.rules`, sweeps in `config.sweeps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, get_args, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    create_model,
)

from mesogpu.config import fields
from mesogpu.config.nodes import Location
from mesogpu.config.sweep_schema import sweep_definitions
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Uniform

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


_WHOLE, _POSITIVE_ZERO = BeforeValidator(_whole), BeforeValidator(_positive_zero)
_UNIT = "in the unit of model.hopping"


def _size(highest: int, description: str) -> Any:
    return Field(ge=1, le=highest, description=description)


def _number(lowest: float, highest: float, description: str) -> Any:
    return Field(ge=lowest, le=highest, allow_inf_nan=False, description=description)


def _energy(description: str, lowest: float = -fields.MAX_ENERGY) -> Any:
    return _number(lowest, fields.MAX_ENERGY, description)


_SEVERAL = Field(
    min_length=1, max_length=fields.MAX_LENGTHS, description="Strictly increasing, all recorded on one pass."
)
Width = Annotated[int, _size(fields.MAX_WIDTH, "Sites across the current."), _WHOLE]
Slices = Annotated[int, _size(fields.MAX_SLICES, "Slices along the current, one lattice constant each."), _WHOLE]
_Lengths = Annotated[list[Slices], _SEVERAL]
Multiple = Annotated[int, _size(fields.MAX_SLICES, "Length over width of the strip."), _WHOLE]
_Multiples = Annotated[list[Multiple], _SEVERAL]
Hopping = Annotated[
    float,
    _energy("Hopping t of a bond: the unit in which all energies are given.", fields.MIN_HOPPING),
    _POSITIVE_ZERO,
]
Energy = Annotated[float, _energy(f"Fermi energy, {_UNIT}; 0 is the band centre."), _POSITIVE_ZERO]
Flux = Annotated[
    float,
    _number(-fields.MAX_FLUX, fields.MAX_FLUX, "Flux quanta h/e per plaquette; periodic in 1."),
    _POSITIVE_ZERO,
]
Potential = Annotated[float, _energy(f"Onsite potential of the leads, {_UNIT}."), _POSITIVE_ZERO]
DisorderWidth = Annotated[
    float, _energy(f"Full width W of the box: energies in [-W/2, W/2], {_UNIT}.", 0.0), _POSITIVE_ZERO
]
Deviation = Annotated[float, _energy(f"Standard deviation of the energies around 0, {_UNIT}.", 0.0), _POSITIVE_ZERO]
HalfWidth = Annotated[float, _energy(f"Half the full width at half maximum, {_UNIT}.", 0.0), _POSITIVE_ZERO]
SiteEnergy = Annotated[float, _energy(f"Energy of one of the two kinds of sites, {_UNIT}."), _POSITIVE_ZERO]
Fraction = Annotated[float, _number(0.0, 1.0, "Probability of the second value."), _POSITIVE_ZERO]


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


_DISTRIBUTION = Field(description="The law of the onsite energies.")


class LawSection(BaseModel):
    """A disorder law on the sites.

    law : its class, of `physics.disorder`, whose fields are the other keys of the section
    """

    model_config = _STRICT
    law: ClassVar[type[Any]]
    distribution: str


class UniformSection(LawSection):
    """Box disorder on the sites."""

    law = Uniform
    distribution: Literal["uniform"] = _DISTRIBUTION
    width: DisorderWidth


class GaussianSection(LawSection):
    """Normal disorder on the sites."""

    law = Gaussian
    distribution: Literal["gaussian"] = _DISTRIBUTION
    sigma: Deviation


class CauchySection(LawSection):
    """Lloyd's disorder on the sites."""

    law = Cauchy
    distribution: Literal["cauchy"] = _DISTRIBUTION
    half_width: HalfWidth


class BinarySection(LawSection):
    """Two energies on the sites, as in a binary alloy."""

    law = Binary
    distribution: Literal["binary"] = _DISTRIBUTION
    values: list[SiteEnergy] = Field(min_length=2, max_length=2, description=f"The two energies, {_UNIT}.")
    fraction: Fraction


LAWS: dict[str, type[LawSection]] = {
    "uniform": UniformSection,
    "gaussian": GaussianSection,
    "cauchy": CauchySection,
    "binary": BinarySection,
}
"""Every disorder law by its name; what it takes and what of that can be swept are read off its section."""


def law_keys(law: str) -> list[str]:
    """The keys that a law takes beside `distribution`."""
    return [key for key in LAWS[law].model_fields if key != "distribution"]


def _swept_types(law: str) -> dict[str, Any]:
    hints = get_type_hints(LAWS[law], include_extras=True)
    return {key: hints[key] for key in law_keys(law) if get_args(hints[key])[0] is float}


def swept_law_keys(law: str) -> list[str]:
    """Those of them that a sweep can vary: the scalar numbers."""
    return list(_swept_types(law))


if TYPE_CHECKING:
    AnyLawSection = LawSection
else:
    AnyLawSection = Annotated[Union[tuple(LAWS.values())], Field(discriminator="distribution")]  # noqa: UP007

_literal: Any = Literal
_takes: dict[str, Any] = {key: (Any, None) for law in LAWS for key in law_keys(law)}
UnnamedLaw: type[BaseModel] = create_model(
    "UnnamedLaw", __config__=_STRICT, distribution=(_literal[tuple(LAWS)], ...), **_takes
)
"""A law whose distribution is missing or unknown: that is refused, and keys that no law takes."""


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
}
_SWEPT |= {
    f"disorder.*.{key}": TypeAdapter(list[kind], config=_VALUES)  # type: ignore[valid-type]
    for law in LAWS
    for key, kind in _swept_types(law).items()
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
    seed: Annotated[int, Field(ge=0, le=fields.MAX_SEED), _WHOLE] = Field(description="Fixes all random numbers.")
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
    realizations: Annotated[int, Field(ge=1, le=fields.MAX_REALIZATIONS), _WHOLE] = Field(
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
    "disorder.*": UnnamedLaw,
    "leads": LeadsSection,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of the schema.

    location : path of the offending or missing key
    kind     : pydantic's name of the error
    context  : its parameters, such as the bound
    value    : what was found
    law      : of `LAWS`, the one that it is about; "" for none and for a law without a good name
    """

    location: Location
    kind: str
    context: dict[str, Any]
    value: Any
    law: str = ""


def check_document(data: object) -> tuple[Document | None, list[Finding]]:
    """Validate the whole document but its sweep."""
    try:
        return Document.model_validate(data), []
    except ValidationError as error:
        return None, _judge_laws(_findings(error))


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


def _judge_laws(findings: Sequence[Finding]) -> list[Finding]:
    """The findings about laws, located as in the document; each of another law's keys instead of what it left out."""
    judged: list[Finding] = []
    for finding in findings:
        entry, inside = finding.location[:2], finding.location[2:]
        if entry[0] != "disorder" or len(entry) < 2:
            judged.append(finding)
        elif inside:
            # The union of the laws puts the name of the one it took behind the position.
            judged.append(replace(finding, location=entry + inside[1:], law=str(inside[0])))
        else:
            judged += _unnamed(finding) or [finding]
    mixed = {
        finding.location[:2] for finding in judged if finding.kind == "extra_forbidden" and is_of_another_law(finding)
    }
    return [finding for finding in judged if finding.kind != "missing" or finding.location[:2] not in mixed]


def _unnamed(finding: Finding) -> list[Finding]:
    """What is wrong with a law that the union cannot tell from the others."""
    try:
        UnnamedLaw.model_validate(finding.value)
    except ValidationError as error:
        return [replace(inner, location=finding.location + inner.location) for inner in _findings(error)]
    return []


def owners(key: str) -> list[str]:
    """The laws that take a key."""
    return [law for law in LAWS if key in law_keys(law)]


def is_of_another_law(finding: Finding) -> bool:
    """Whether an unknown key of a law is one that another law takes."""
    return bool(finding.law) and len(finding.location) == 3 and bool(owners(str(finding.location[-1])))


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
    schema["$defs"] |= sweep_definitions({key: adapter.json_schema()["items"] for key, adapter in _SWEPT.items()})
    schema["properties"]["sweep"] = {"$ref": "#/$defs/Sweep"}
    return schema
