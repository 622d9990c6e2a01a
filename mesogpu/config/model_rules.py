"""What the section `model` cannot say key by key: lattices, their widths and sides, and spin-orbit couplings."""

from __future__ import annotations

from mesogpu.config.diagnostics import shown
from mesogpu.config.fields import FIELDS, MAX_ANGLE, MAX_MIXING, MAX_SLICES, MAX_WIDTH
from mesogpu.config.nodes import Location, Node, whole
from mesogpu.config.review import Review
from mesogpu.config.support import SIDES, UNIFORM_COUPLINGS, UNIFORM_SPIN_ORBIT, kind_of

_STRENGTHS = {
    "ando": (-MAX_ANGLE, MAX_ANGLE, "an angle in radians, periodic in 2 pi"),
    "evangelou-ziman": (0.0, MAX_MIXING, "a ratio, whose sign would change nothing"),
}
"""Bounds within those of the schema, and what the number is."""


def review_model(found: Review) -> None:
    """Apply the rules of the model."""
    model = found.root.child("model")
    if model is None or not isinstance(model.value, dict):
        return
    _check_edge(found, model)
    _check_edges(found, model)
    _check_width(found, model)
    _check_lengths(found)
    _check_spin_orbit(found)


def lattice_of(found: Review) -> str:
    """The kind of lattice, of `support.SIDES`; "" for none and for one without a good name."""
    return kind_of(found.scalar("model", "lattice"), found.scalar("model", "edge"))


def joined_sides(found: Review) -> tuple[bool, bool]:
    """Whether the sides are periodic along y, and along z."""
    pair = [item.value for item in found.items("model", "edges")]
    along_y, along_z = pair if len(pair) == 2 else [found.scalar("model", "edges")] * 2
    return along_y == "periodic", along_z == "periodic" and lattice_of(found) == "cubic"


def _check_edge(found: Review, model: Node) -> None:
    lattice, edge = found.scalar("model", "lattice"), model.child("edge")
    if lattice == "honeycomb":
        found.require(("model",), "edge", FIELDS["model.edge"].example)
    elif edge and edge.value is not None and lattice_of(found):
        hint = "; did you mean 'edges'?" if edge.value in ("hard", "periodic") else "; remove it"
        message = f"'edge' (zigzag, armchair) belongs to lattice: honeycomb{hint}"
        found.refuse(model.key_place("edge"), ("model", "edge"), message)


def _check_edges(found: Review, model: Node) -> None:
    kind, edges = lattice_of(found), model.child("edges")
    if edges is None or kind in ("", "cubic"):
        return
    paired = isinstance(edges.value, list)
    if kind == "chain" and (paired or edges.value == "periodic"):
        message = "a chain has no edges; remove it, or use lattice: square"
        found.refuse(model.key_place("edges"), ("model", "edges"), message)
    elif paired:
        what = "a pair of edges is for lattice: cubic, other samples have sides along y alone"
        found.refuse(edges.place, ("model", "edges"), f"{what}; write edges: hard or edges: periodic")


def _check_width(found: Review, model: Node) -> None:
    kind, width, location = lattice_of(found), model.child("width"), ("model", "width")
    given = width is not None and width.value is not None
    if kind == "chain" and given:
        message = "a chain has no width; remove it, or use lattice: square"
        found.refuse(model.key_place("width"), location, message)
    if kind in ("", "chain"):
        return
    found.require(("model",), "width", FIELDS["model.width"].example)
    if width is None or not given:
        return
    if isinstance(width.value, list) and kind != "cubic":
        what = "a list of widths is for lattice: cubic"
        remedy = "write one whole number, and to vary it, put 'model.width' into the sweep"
        found.refuse(width.place, location, f"{what}; {remedy}")
        return
    for where, node, joined in _extents(found, width):
        if message := _extent_objection(kind, node.value, joined):
            found.refuse(node.place, where, message)
    if message := _too_many_sites(kind, _cross_section(width)):
        found.refuse(width.place, location, message)


def _extents(found: Review, width: Node) -> list[tuple[Location, Node, bool]]:
    """Each written width with its location, and whether the sides along it are joined."""
    joined = joined_sides(found)
    if isinstance(width.value, list):
        return [(("model", "width", k), item, joined[k]) for k, item in enumerate(width.value[:2])]
    return [(("model", "width"), width, any(joined))]


def _cross_section(width: Node) -> list[object]:
    return [item.value for item in width.value] if isinstance(width.value, list) else [width.value] * 2


def _extent_objection(kind: str, width: object, joined: bool) -> str:
    """The complaint about sites along one direction, or ""; beyond the schema's own bounds, the schema speaks."""
    sites, sides = whole(width), SIDES[kind]
    if sites is None or not 1 <= sites <= MAX_WIDTH:
        return ""
    if sites < sides.narrowest:
        return f"{sites} is too narrow for a honeycomb; use at least {sides.narrowest}"
    if joined and sites < sides.ring:
        return f"{sites} is too small for edges: periodic; use at least {sides.ring}, or edges: hard"
    if joined and sides.even_ring and sites % 2:
        what = f"{sites} is odd, and a honeycomb with edges: periodic closes at an even width alone"
        return f"{what}; use {sites - 1} or {sites + 1}, or edges: hard"
    return ""


def _too_many_sites(kind: str, widths: list[object]) -> str:
    """The complaint about the cross-section of a bar, or ""."""
    sites = [whole(width) for width in widths]
    if kind != "cubic" or len(sites) != 2:
        return ""
    y, z = (count if count is not None and 1 <= count <= MAX_WIDTH else 0 for count in sites)
    if y * z <= MAX_WIDTH:
        return ""
    square = int(MAX_WIDTH**0.5)
    return f"{y} x {z} is {y * z} sites a slice, at most {MAX_WIDTH}; use at most {square} x {square}"


def width_objection(found: Review, width: object) -> str:
    """The complaint about a swept width in this document, or ""."""
    kind = lattice_of(found)
    if kind in ("", "chain"):
        return ""
    message = _extent_objection(kind, width, any(joined_sides(found))) or _too_many_sites(kind, [width] * 2)
    multiple = _largest_multiple(found)
    return message or (_too_long(width, multiple.value) if multiple else "")


def _check_lengths(found: Review) -> None:
    for location in (("model", "length"), ("model", "length", "times_width")):
        previous: int | None = None
        for index, item in enumerate(found.items(*location)):
            length = whole(item.value)
            if length is not None and previous is not None and length <= previous:
                what = f"{shown(length)} comes after {shown(previous)}"
                message = f"{what}; lengths must increase strictly: sort them, remove duplicates"
                found.refuse(item.place, (*location, index), message)
            previous = previous if length is None else length
    width, largest = found.root.find(("model", "width")), _largest_multiple(found)
    if largest and width and lattice_of(found) not in ("", "chain") and not found.is_settled(("model", "width")):
        widths = _cross_section(width)
        if message := _too_long(widths[0] if widths else None, largest.value):
            found.refuse(largest.place, ("model", "length", "times_width"), message)


def _largest_multiple(found: Review) -> Node | None:
    """The last and largest of the lengths counted in widths, or None."""
    node = found.root.find(("model", "length", "times_width"))
    if node and isinstance(node.value, list):
        return node.value[-1] if node.value else None
    return node


def _too_long(width: object, multiple: object) -> str:
    """The complaint about a sample of `multiple` widths that is too long, or ""."""
    sites, times = whole(width), whole(multiple)
    # Beyond their own bounds, the schema speaks.
    if sites is None or times is None or not 1 <= sites <= MAX_WIDTH or not 1 <= times <= MAX_SLICES:
        return ""
    if sites * times <= MAX_SLICES:
        return ""
    return f"{times} times {sites} sites is {sites * times} slices, at most {MAX_SLICES}; shorten or narrow the sample"


def _check_spin_orbit(found: Review) -> None:
    location: Location = ("model", "spin_orbit")
    section, kind = found.root.find(location), found.scalar(*location, "kind")
    if section is None or not isinstance(section.value, dict):
        return
    refusal = UNIFORM_SPIN_ORBIT.refusal(lattice_of(found)) if kind in UNIFORM_COUPLINGS else ""
    if refusal:
        found.refuse(section.key_place("kind"), (*location, "kind"), f"{kind} {refusal}")
    strength = section.child("strength")
    if kind == "su2" and strength and strength.value is not None:
        message = "su2 takes no strength: every bond is a random rotation; remove it"
        found.refuse(section.key_place("strength"), (*location, "strength"), message)
    elif isinstance(kind, str) and kind != "su2":
        found.require(location, "strength", FIELDS["model.spin_orbit.strength"].example)
        if strength and (message := strength_objection(found, strength.value)):
            found.refuse(strength.place, (*location, "strength"), message)


def strength_objection(found: Review, strength: object) -> str:
    """The complaint about the strength of this document's kind of coupling, or ""."""
    kind = found.scalar("model", "spin_orbit", "kind")
    if kind not in _STRENGTHS or not isinstance(strength, int | float) or isinstance(strength, bool):
        return ""
    lowest, highest, meaning = _STRENGTHS[str(kind)]
    if lowest <= strength <= highest or not abs(strength) < float("inf"):
        return ""
    relation = "below the smallest," if strength < lowest else "above the largest,"
    bound = lowest if strength < lowest else highest
    return f"{shown(strength)} is {relation} {bound:.6g}; {kind} takes {meaning}: use {lowest:.6g} to {highest:.6g}"
