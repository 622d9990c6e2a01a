"""The shape of the sections `model`, `leads` and `lyapunov`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from mesogpu.config import fields
from mesogpu.config.schema.values import (
    STRICT,
    BarSlices,
    Exponents,
    FieldComponent,
    Hopping,
    Multiple,
    Potential,
    Slices,
    Strength,
    Warmup,
    Width,
)

SCALAR, LIST, TIMES_WIDTH = "#scalar", "#list", "#times_width"
FORMS = (SCALAR, LIST, TIMES_WIDTH)
"""Tags of the forms of one value; they stand in pydantic's locations, and are no keys of the document."""

_SEVERAL = Field(
    min_length=1, max_length=fields.MAX_LENGTHS, description="Strictly increasing, all recorded on one pass."
)
_Lengths = Annotated[list[Slices], _SEVERAL]
_Multiples = Annotated[list[Multiple], _SEVERAL]
_CrossSection = Annotated[list[Width], Field(min_length=2, max_length=2, description="[My, Mz] of a bar.")]
_Sides = Literal["hard", "periodic"]
_PairOfSides = Annotated[list[_Sides], Field(min_length=2, max_length=2, description="Along y and along z.")]

# What the types cannot say: for editors in the JSON Schema, for readers of a file in `config.model_rules`.
_EDGE_OF_A_HONEYCOMB: dict[str, Any] = {
    "oneOf": [
        {
            "properties": {"lattice": {"const": "honeycomb"}, "edge": {"enum": ["zigzag", "armchair"]}},
            "required": ["edge"],
        },
        {"properties": {"lattice": {"enum": ["chain", "square", "cubic"]}, "edge": {"type": "null"}}},
    ]
}
_NO_STRENGTH_OF_SU2: dict[str, Any] = {
    "oneOf": [
        {"properties": {"kind": {"const": "su2"}, "strength": {"type": "null"}}},
        {
            "properties": {"kind": {"enum": ["rashba", "ando", "evangelou-ziman"]}, "strength": {"type": "number"}},
            "required": ["strength"],
        },
    ]
}


def _length_form(value: object) -> str:
    return LIST if isinstance(value, list) else TIMES_WIDTH if isinstance(value, dict) else SCALAR


def _pair_form(value: object) -> str:
    return LIST if isinstance(value, list) else SCALAR


class TimesWidthSection(BaseModel):
    """Lengths counted in widths of the sample, along y."""

    model_config = STRICT
    times_width: Annotated[
        Annotated[Multiple, Tag(SCALAR)] | Annotated[_Multiples, Tag(LIST)],
        Discriminator(_length_form),
    ] = Field(description="Length over width: one, or strictly increasing ones.")


class SpinOrbitSection(BaseModel):
    """A spin-orbit coupling of the bonds."""

    model_config = ConfigDict(**STRICT, json_schema_extra=_NO_STRENGTH_OF_SU2)
    kind: Literal["rashba", "ando", "su2", "evangelou-ziman"] = Field(
        description="rashba: -t - i lambda sigma_y along x, -t + i lambda sigma_x along y. ando: the same with "
        "t cos(theta), t sin(theta). su2: every bond a random rotation. evangelou-ziman: 1 + i mu V . sigma, V random "
        "in [-1/2, 1/2]^3. rashba and ando need lattice chain or square."
    )
    strength: Strength | None = None


class ModelSection(BaseModel):
    """The clean conductor."""

    model_config = ConfigDict(**STRICT, json_schema_extra=_EDGE_OF_A_HONEYCOMB)
    lattice: Literal["chain", "square", "honeycomb", "cubic"] = Field(
        description="chain: one site wide. square: a strip. honeycomb: a ribbon of graphene. cubic: a bar."
    )
    edge: Literal["zigzag", "armchair"] | None = Field(
        default=None, description="honeycomb alone: which of its edges runs along the current."
    )
    width: (
        Annotated[Annotated[Width, Tag(SCALAR)] | Annotated[_CrossSection, Tag(LIST)], Discriminator(_pair_form)] | None
    ) = Field(
        default=None,
        description="Sites across the current; chain: none; cubic: M (= [M, M]) or [My, Mz], at most "
        f"{fields.MAX_WIDTH} in all; honeycomb: at least 2.",
    )
    length: (
        Annotated[
            Annotated[Slices, Tag(SCALAR)]
            | Annotated[_Lengths, Tag(LIST)]
            | Annotated[TimesWidthSection, Tag(TIMES_WIDTH)],
            Discriminator(_length_form),
        ]
        | None
    ) = Field(
        default=None,
        description="Length in slices: one, several (all recorded on one pass), or {times_width: ...}; with method "
        "lyapunov none, see lyapunov.slices.",
    )
    edges: Annotated[Annotated[_Sides, Tag(SCALAR)] | Annotated[_PairOfSides, Tag(LIST)], Discriminator(_pair_form)] = (
        Field(
            default="hard",
            description="Sides of the sample; cubic: one, or a pair for y and z. periodic needs width >= 3 (honeycomb: "
            "even, >= 4) and, along y, flux * width a whole number.",
        )
    )
    hopping: Hopping = 1.0
    spin_orbit: SpinOrbitSection | None = Field(
        default=None, description="Spin-orbit coupling of the sample's bonds; null: none."
    )
    zeeman: Annotated[list[FieldComponent], Field(min_length=3, max_length=3)] | None = Field(
        default=None,
        description="[hx, hy, hz]: H = h . sigma on every site of the sample, never in the leads; null: none.",
    )


class LeadsSection(BaseModel):
    """The clean leads; random couplings, impurities and Zeeman fields are never in them."""

    model_config = STRICT
    potential: Potential = 0.0
    flux: bool = Field(default=True, description="Whether the leads carry the sample's uniform flux.")
    spin_orbit: bool = Field(
        default=True,
        description="Whether the leads carry the sample's spin-orbit coupling if it is uniform (rashba, ando); random "
        "couplings (su2, evangelou-ziman), magnetic impurities and the Zeeman field are never in the leads.",
    )


class LyapunovSection(BaseModel):
    """The bars of method lyapunov; as many as there are realizations."""

    model_config = STRICT
    slices: BarSlices = 100_000
    warmup: Warmup = 1000
    exponents: Exponents | None = Field(
        default=None, description="How many exponents to store, the smallest positive ones; null: one for each orbital."
    )
