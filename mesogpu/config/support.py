"""What combines with what: from these tables the rules of a file and the section of README.md are made.

python -m mesogpu.config.support     prints that section
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mesogpu.physics.disorder import PLACES, Binary, Cauchy, Gaussian, Uniform, Vacancy
from mesogpu.physics.lattices import KINDS, Lattice

UNIFORM_COUPLINGS = ("rashba", "ando")
RANDOM_COUPLINGS = ("su2", "evangelou-ziman")
HONEYCOMBS = ("zigzag", "armchair")


@dataclass(frozen=True, slots=True)
class Sides:
    """What a lattice asks of the sites along y, and of a bar's along z.

    narrowest : sites at least
    ring      : sites at least where the sides are joined; 0 where there are none to join
    even_ring : whether joined sides need an even number of sites
    """

    narrowest: int = 1
    ring: int = 3
    even_ring: bool = False


SIDES = {
    "chain": Sides(ring=0),
    "square": Sides(),
    "cubic": Sides(),
    "zigzag": Sides(narrowest=2, ring=4, even_ring=True),
    "armchair": Sides(narrowest=2, ring=4, even_ring=True),
}
"""By kind of lattice, as in `physics.lattices`."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a model can have.

    what     : as the table calls it
    lattices : the kinds that have it
    missing  : why the others have not, and what to use there; "" where all have it
    needs    : a condition beside the lattice
    """

    what: str
    lattices: tuple[str, ...] = KINDS
    missing: str = ""
    needs: str = "yes"

    def refusal(self, kind: str) -> str:
        """The complaint about this on a kind of lattice, or ""; "" too for a lattice without a good name."""
        return self.missing if kind in KINDS and kind not in self.lattices else ""


UNIFORM_SPIN_ORBIT = Feature(
    f"spin-orbit coupling: {', '.join(UNIFORM_COUPLINGS)}",
    lattices=("chain", "square"),
    missing="is for the bonds of lattice chain and square; use su2 or evangelou-ziman here, or lattice: square",
)
RANDOM_FLUX = Feature(
    "disorder on the flux",
    lattices=("square", "cubic", *HONEYCOMBS),
    missing="needs plaquettes, and a chain has none; use lattice: square, honeycomb or cubic",
    needs="hard sides along y",
)
TRANSMISSION_INSTEAD = "use method: transmission, whose <ln g>(L) gives the localization length"
LYAPUNOV = Feature(
    "`method: lyapunov`",
    lattices=tuple(kind for kind in KINDS if Lattice(kind, SIDES[kind].narrowest).fully_linked),
    missing=f"needs a transfer matrix, and an armchair ribbon has none; {TRANSMISSION_INSTEAD}",
    needs="no vacancies, no cut bonds",
)
FEATURES = (
    UNIFORM_SPIN_ORBIT,
    Feature(f"spin-orbit coupling: {', '.join(RANDOM_COUPLINGS)}"),
    Feature("Zeeman field; magnetic impurities (`on: spins`)"),
    Feature("disorder on the sites, on the bonds"),
    RANDOM_FLUX,
)

LAW_PLACES: dict[str, tuple[str, ...]] = {law.distribution: PLACES for law in (Uniform, Gaussian, Cauchy, Binary)} | {
    Vacancy.distribution: PLACES[:1]
}
"""What each law can be on."""
CORRELATED_PLACES = PLACES[:1]
"""What a gaussian law with a correlation length can be on."""


def kind_of(lattice: object, edge: object) -> str:
    """The kind of lattice that a file means; a honeycomb without a good edge counts as zigzag; "" for no good name."""
    if lattice == "honeycomb":
        return str(edge) if edge in HONEYCOMBS else HONEYCOMBS[0]
    return str(lattice) if lattice in KINDS and lattice not in HONEYCOMBS else ""


def section() -> str:
    """Two tables in Markdown: features by lattice, and disorder laws by what they are on."""
    heads = ["", *("honeycomb, " * (kind in HONEYCOMBS) + kind for kind in KINDS)]
    laws: dict[str, tuple[str, ...]] = {", ".join(law for law in LAW_PLACES if LAW_PLACES[law] == PLACES): PLACES}
    laws |= {"gaussian with correlation_length": CORRELATED_PLACES}
    laws |= {law: places for law, places in LAW_PLACES.items() if places != PLACES}
    return (
        _markdown(heads, [*_sides_rows(), *map(_row, FEATURES), *_engine_rows(), _row(LYAPUNOV)])
        + "\n"
        + _markdown(
            ["disorder", *(f"on: {place}" for place in PLACES)],
            [[name, *("yes" if place in places else "no" for place in PLACES)] for name, places in laws.items()],
        )
    )


def _row(feature: Feature) -> list[str]:
    return [feature.what, *("no" if feature.refusal(kind) else feature.needs for kind in KINDS)]


def _sides_rows() -> list[list[str]]:
    widths, rings, closed = ["sites across"], ["periodic sides"], ["flux, with periodic sides along y"]
    for kind in KINDS:
        sides, bar = SIDES[kind], kind == "cubic"
        widths.append("1" if kind == "chain" else f"{sides.narrowest} or more" + " each way" * bar)
        rings.append(
            f"{'even, ' * sides.even_ring}{sides.ring} or more" + ", y and z apart" * bar if sides.ring else "no"
        )
        closed.append("flux * width whole" if sides.ring else "no")
    flux = ["flux", *({"chain": "no effect", "cubic": "along z"}.get(kind, "yes") for kind in KINDS)]
    return [widths, rings, flux, closed]


def _engine_rows() -> list[list[str]]:
    stepped = [Lattice(kind, SIDES[kind].narrowest).fully_linked for kind in KINDS]
    return [
        ["recursion", *("transfer matrix" if each else "Green's function" for each in stepped)],
        ["recursion with vacancies or cut bonds", *["Green's function"] * len(KINDS)],
    ]


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(heads)
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (heads, rule, *rows))


if __name__ == "__main__":
    sys.stdout.write(section())
