"""What no single key can say: combinations that make no sense, and parts of the format that this version lacks.

The checks read the tree, not the validated document, so that they speak up beside every other mistake in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mesogpu.config.diagnostics import Place, Problems, nearest, shown
from mesogpu.config.fields import FIELDS, MAX_SLICES, MAX_WIDTH
from mesogpu.config.nodes import Location, Node, path_text, whole
from mesogpu.config.schema import LAWS

_LATER_LATTICES = ("honeycomb", "cubic")
_LATER_DISTRIBUTIONS = ("vacancy",)
_LATER_PLACES = ("bonds", "flux", "spins")
_SMALLEST_RING = 3


@dataclass(slots=True)
class Review:
    """One reading of a tree by the rules.

    root     : the document
    problems : where complaints go
    settled  : locations already complained about; what the schema says of them or below is noise
    """

    root: Node
    problems: Problems
    settled: set[Location] = field(default_factory=set)

    def refuse(self, place: Place, location: Location, message: str, settles: Location | None = None) -> None:
        """Complain, and keep the schema quiet about `settles` (the location itself where not given)."""
        self.problems.add(place, path_text(location), message)
        self.settled.add(location if settles is None else settles)

    def is_settled(self, location: Location) -> bool:
        """Whether a location lies at or below one that was complained about."""
        return any(location[:length] in self.settled for length in range(len(location) + 1))

    def scalar(self, *location: str | int) -> object:
        """The scalar at a location; None where there is none."""
        node = self.root.find(location)
        return node.value if node and not isinstance(node.value, dict | list) else None

    def later(
        self, place: Place, location: Location, what: str, supported: str, settles: Location | None = None
    ) -> None:
        """Refuse by name what the format has and this version has not."""
        self.refuse(place, location, f"{what} is not in this version; supported: {supported}", settles)


def _named(node: Node) -> str:
    return "a section" if isinstance(node.value, dict | list) else shown(node.value)


def review(root: Node, problems: Problems) -> Review:
    """Apply every rule but those of the sweep."""
    found = Review(root, problems)
    _check_schema(found)
    _refuse_later_model(found)
    _refuse_later_disorder(found)
    _refuse_later_method(found)
    _check_lattice(found)
    _check_lengths(found)
    _check_observables(found)
    return found


def _refuse_later_model(found: Review) -> None:
    model = found.root.child("model")
    if model is None:
        return
    lattice = model.child("lattice")
    if lattice and lattice.value in _LATER_LATTICES:
        found.later(lattice.place, ("model", "lattice"), f"lattice '{lattice.value}'", "chain, square")
    if model.child("edge"):
        found.later(
            model.key_place("edge"), ("model", "edge"), "'edge' (honeycomb)", "lattice chain, square without it"
        )
    width = model.child("width")
    if width and isinstance(width.value, list):
        remedy = "one whole number; to vary the width put 'model.width' into the sweep"
        found.later(width.place, ("model", "width"), "a list of widths (cubic)", remedy)
    edges = model.child("edges")
    if edges and isinstance(edges.value, list):
        found.later(edges.place, ("model", "edges"), "a pair of edges (cubic)", "hard, periodic")
    for key in ("spin_orbit", "zeeman"):
        node = model.child(key)
        if node and node.value is not None:
            found.later(node.place, ("model", key), f"'{key}'", "null, a spinless model")


def _refuse_later_disorder(found: Review) -> None:
    disorder, supported = found.root.child("disorder"), ", ".join(LAWS)
    for index, law in enumerate(disorder.value if disorder and isinstance(disorder.value, list) else ()):
        entry: Location = ("disorder", index)
        kind, where = law.child("distribution"), law.child("on")
        if where:
            what = f"disorder on {where.value}" if where.value in _LATER_PLACES else "'on'"
            found.later(where.place, (*entry, "on"), what, "disorder on the sites, without 'on'", entry)
        if kind and kind.value in _LATER_DISTRIBUTIONS:
            what = f"distribution '{kind.value}'"
            found.later(kind.place, (*entry, "distribution"), what, supported, entry)
        if law.child("correlation_length"):
            place = law.key_place("correlation_length")
            key = (*entry, "correlation_length")
            found.later(place, key, "'correlation_length'", f"uncorrelated {supported}")


def _refuse_later_method(found: Review) -> None:
    method = found.root.child("method")
    if method and method.value == "lyapunov":
        remedy = "transmission, whose <ln g>(L) gives the localization length"
        found.later(method.place, ("method",), "method 'lyapunov'", remedy)
    if found.root.child("lyapunov"):
        found.later(found.root.key_place("lyapunov"), ("lyapunov",), "'lyapunov'", "method transmission without it")


def _check_schema(found: Review) -> None:
    node = found.root.child("schema")
    # The schema would take true for 1.
    if node is None or whole(node.value) == 1:
        return
    version = whole(node.value)
    if version is not None and version > 1:
        message = f"{shown(version)} is newer than this version of mesogpu, which reads 1; install a newer mesogpu"
    else:
        message = f"{_named(node)} is no version of this format; write schema: 1"
    found.refuse(node.place, ("schema",), message)


def _check_lattice(found: Review) -> None:
    model = found.root.child("model")
    if model is None or not isinstance(model.value, dict):
        return
    lattice, edges, width = found.scalar("model", "lattice"), found.scalar("model", "edges"), model.child("width")
    has_width = width is not None and width.value is not None
    if lattice == "chain" and has_width:
        message = "a chain has no width; remove it, or use lattice: square"
        found.refuse(model.key_place("width"), ("model", "width"), message)
    if lattice == "chain" and edges == "periodic":
        message = "a chain has no edges; remove it, or use lattice: square"
        found.refuse(model.key_place("edges"), ("model", "edges"), message)
    # A misspelt width is told as such.
    if (
        lattice == "square"
        and not has_width
        and not any(nearest(key, ["width"]) for key in model.keys if key != "width")
    ):
        message = f"missing; add for example 'width: {FIELDS['model.width'].example}'"
        place = model.key_place("width") if width else found.root.key_place("model")
        found.refuse(place, ("model", "width"), message)
    if lattice == "square" and edges == "periodic" and width and (message := ring_too_small(width.value)):
        found.refuse(width.place, ("model", "width"), message)


def ring_too_small(width: object) -> str:
    """The complaint about a width too small for periodic edges, or ""."""
    sites = whole(width)
    if sites is None or not 1 <= sites < _SMALLEST_RING:
        return ""
    return f"{sites} is too small for edges: periodic; use at least {_SMALLEST_RING}, or edges: hard"


def _check_lengths(found: Review) -> None:
    for location in (("model", "length"), ("model", "length", "times_width")):
        node = found.root.find(location)
        previous: int | None = None
        for index, item in enumerate(node.value if node and isinstance(node.value, list) else ()):
            length = whole(item.value)
            if length is not None and previous is not None and length <= previous:
                what = f"{shown(length)} comes after {shown(previous)}"
                message = f"{what}; lengths must increase strictly: sort them, remove duplicates"
                found.refuse(item.place, (*location, index), message)
            previous = previous if length is None else length
    width, largest = found.root.find(("model", "width")), largest_multiple(found.root)
    if largest and width and found.scalar("model", "lattice") == "square" and not found.is_settled(("model", "width")):
        message = too_long(width.value, largest.value)
        if message:
            found.refuse(largest.place, ("model", "length", "times_width"), message)


def largest_multiple(root: Node) -> Node | None:
    """The last and largest of the lengths counted in widths, or None."""
    node = root.find(("model", "length", "times_width"))
    if node and isinstance(node.value, list):
        return node.value[-1] if node.value else None
    return node


def too_long(width: object, multiple: object) -> str:
    """The complaint about a sample of `multiple` widths that is too long, or ""."""
    sites, times = whole(width), whole(multiple)
    # Beyond their own bounds, the schema speaks.
    if sites is None or times is None or not 1 <= sites <= MAX_WIDTH or not 1 <= times <= MAX_SLICES:
        return ""
    if sites * times <= MAX_SLICES:
        return ""
    return f"{times} times {sites} sites is {sites * times} slices, at most {MAX_SLICES}; shorten or narrow the sample"


def _check_observables(found: Review) -> None:
    observables = found.root.child("observables")
    seen: set[str] = set()
    for index, item in enumerate(observables.value if observables and isinstance(observables.value, list) else ()):
        if isinstance(item.value, str) and item.value in seen:
            found.refuse(item.place, ("observables", index), f"{shown(item.value)} is listed twice; remove one")
        elif isinstance(item.value, str):
            seen.add(item.value)
