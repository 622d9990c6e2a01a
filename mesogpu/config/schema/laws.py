"""The shape of the entries of the disorder list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, get_args, get_type_hints

from pydantic import BaseModel, Discriminator, Field, Tag, create_model

from mesogpu.config.schema.values import (
    STRICT,
    BinaryValue,
    CorrelationLength,
    Density,
    Deviation,
    DisorderWidth,
    Exchange,
    Fraction,
    HalfWidth,
)
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, MagneticImpurity, Uniform, Vacancy

_DISTRIBUTION = Field(description="The law of the random numbers.")
_ANYWHERE: Any = Field(
    default="sites",
    description="What is random. sites: onsite energies. bonds: hoppings, t + v on each bond. flux: flux quanta of "
    "each x-y plaquette, added to the uniform flux; needs hard sides along y, and no chain.",
)


class LawSection(BaseModel):
    """A disorder law.

    law : its class, of `physics.disorder`, whose fields are the keys of the section but `distribution`
    """

    model_config = STRICT
    law: ClassVar[type[Any]]


class UniformSection(LawSection):
    """Box disorder."""

    law = Uniform
    distribution: Literal["uniform"] = _DISTRIBUTION
    on: Literal["sites", "bonds", "flux"] = _ANYWHERE
    width: DisorderWidth


class GaussianSection(LawSection):
    """Normal disorder; on sites it can be correlated."""

    law = Gaussian
    distribution: Literal["gaussian"] = _DISTRIBUTION
    on: Literal["sites", "bonds", "flux"] = _ANYWHERE
    sigma: Deviation
    correlation_length: CorrelationLength = 0.0


class CauchySection(LawSection):
    """Lloyd's disorder."""

    law = Cauchy
    distribution: Literal["cauchy"] = _DISTRIBUTION
    on: Literal["sites", "bonds", "flux"] = _ANYWHERE
    half_width: HalfWidth


class BinarySection(LawSection):
    """Two values, as in a binary alloy."""

    law = Binary
    distribution: Literal["binary"] = _DISTRIBUTION
    on: Literal["sites", "bonds", "flux"] = _ANYWHERE
    values: list[BinaryValue] = Field(min_length=2, max_length=2, description="The two values.")
    fraction: Fraction


class VacancySection(LawSection):
    """Missing sites."""

    law = Vacancy
    distribution: Literal["vacancy"] = _DISTRIBUTION
    on: Literal["sites"] = Field(default="sites", description="A vacancy is a missing site.")
    density: Density


class ImpuritySection(LawSection):
    """Magnetic impurities: a classical spin on every site."""

    law = MagneticImpurity
    on: Literal["spins"] = Field(description="A spin n on every site, uniform on the sphere.")
    exchange: Exchange


SPINS = "disorder on spins"

LAWS: dict[str, type[LawSection]] = {
    "uniform": UniformSection,
    "gaussian": GaussianSection,
    "cauchy": CauchySection,
    "binary": BinarySection,
    "vacancy": VacancySection,
    SPINS: ImpuritySection,
}
"""Every disorder law by its name; what it takes and what of that can be swept are read off its section."""

DISTRIBUTIONS = tuple(law for law in LAWS if law != SPINS)
"""Names that stand under `distribution`."""


def law_name(entry: object) -> str | None:
    """The name in `LAWS` of an entry of the disorder list, or None where it has no good one."""
    if not isinstance(entry, dict):
        return None
    if entry.get("on") == "spins" or ("exchange" in entry and "distribution" not in entry):
        return SPINS
    name = entry.get("distribution")
    return name if isinstance(name, str) and name in DISTRIBUTIONS else None


def law_keys(law: str) -> list[str]:
    """The keys that a law takes beside `distribution` and `on`."""
    return [key for key in LAWS[law].model_fields if key not in ("distribution", "on")]


def swept_types(law: str) -> dict[str, Any]:
    """The type of each key of a law that a sweep can vary: the scalar numbers."""
    hints = get_type_hints(LAWS[law], include_extras=True)
    return {key: hints[key] for key in law_keys(law) if get_args(hints[key])[0] is float}


def swept_law_keys(law: str) -> list[str]:
    """The keys of a law that a sweep can vary."""
    return list(swept_types(law))


def owners(key: str) -> list[str]:
    """The laws that take a key."""
    return [law for law in LAWS if key in law_keys(law)]


if TYPE_CHECKING:
    AnyLawSection = LawSection
else:
    _TAGGED = tuple(Annotated[section, Tag(law)] for law, section in LAWS.items())
    AnyLawSection = Annotated[Union[_TAGGED], Discriminator(law_name)]  # noqa: UP007

_literal: Any = Literal
_takes: dict[str, Any] = {key: (Any, None) for law in LAWS for key in law_keys(law)}
UnnamedLaw: type[BaseModel] = create_model(
    "UnnamedLaw", __config__=STRICT, distribution=(_literal[DISTRIBUTIONS], ...), on=(Any, None), **_takes
)
"""A law whose distribution is missing or unknown: that is refused, and keys that no law takes."""
