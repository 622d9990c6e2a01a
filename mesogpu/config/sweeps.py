"""The `sweep` section: which paths vary, over which values, together or crossed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mesogpu.config.diagnostics import Place, shown
from mesogpu.config.experiment import SweepAxis
from mesogpu.config.fields import FIELDS, MAX_SWEEP_POINTS
from mesogpu.config.messages import explain
from mesogpu.config.nodes import Location, Node, path_text, whole
from mesogpu.config.paths import path_refusal, swept_key
from mesogpu.config.review import Review
from mesogpu.config.rules import swept_objection
from mesogpu.config.schema import check_values

_SIZES = ("model.width", "model.length", "lyapunov.slices", "lyapunov.warmup")


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one swept path.

    path     : such as "disorder.0.width"
    location : of the list in the document
    values   : integers for sizes, floats for all else
    places   : where each value is written; one place if they are spaced evenly between two
    """

    path: str
    location: Location
    values: tuple[float, ...]
    places: tuple[Place, ...]

    def place(self, index: int) -> Place:
        """Where a value is written."""
        return self.places[index] if len(self.places) > 1 else self.places[0]


def read_sweep(found: Review) -> tuple[SweepAxis, ...]:
    """The axes of a sweep in canonical order, plain ones before coupled ones; complaints go to `found`."""
    sweep = found.root.child("sweep")
    if sweep is None:
        return ()
    if not isinstance(sweep.value, dict) or not sweep.value:
        what = "nothing to sweep" if not sweep.value else "not a mapping of paths"
        example = FIELDS["sweep"].example
        found.refuse(sweep.place, ("sweep",), f"{what}; write for example {example}, or remove the key")
        return ()
    seen: dict[str, Place] = {}
    plain: list[tuple[Node, Location]] = [(sweep, ("sweep", path)) for path in sweep.value if path != "zip"]
    zipped = sweep.child("zip")
    groups = _zip_groups(found, zipped) if zipped else []
    _check_points(found, plain, groups)
    axes = []
    for node, location in plain:
        column = _column(found, node, location, seen)
        _check_listed_once(found, node.child(location[-1]), location)
        axes += _axis(found, [column])
    for node, location in groups:
        same = _check_equally_many(found, node, location)
        columns = [_column(found, node, (*location, path), seen) for path in node.keys]
        axes += _axis(found, columns) if same else []
    return tuple(axes)


def _axis(found: Review, columns: Sequence[Column | None]) -> list[SweepAxis]:
    """The axis of columns that vary together; none where one of them has been complained about."""
    good = [column for column in columns if column]
    if len(good) < len(columns):
        return []
    rows = tuple(zip(*(column.values for column in good), strict=True))
    _check_rows(found, good, rows)
    return [SweepAxis(tuple(column.path for column in good), rows)]


def _check_points(found: Review, plain: list[tuple[Node, Location]], groups: list[tuple[Node, Location]]) -> None:
    """The number of points, before any of their values is made."""
    counts = [_count(node.child(location[-1])) for node, location in plain]
    counts += [max(_count(node.child(path)) for path in node.keys) for node, _ in groups]
    points = math.prod(counts)
    if points > MAX_SWEEP_POINTS:
        message = f"{shown(points)} points, at most {MAX_SWEEP_POINTS}; sweep fewer values or split the experiment"
        found.refuse(found.root.key_place("sweep"), ("sweep",), message)


def _count(node: Node | None) -> int:
    """How many values a list or a linspace has, as far as can be told; at least 1."""
    if node is None or isinstance(node.value, list):
        return max(1, len(node.value)) if node and isinstance(node.value, list) else 1
    number = node.find(("linspace", 2))
    steps = whole(number.value) if number else None
    return steps if steps is not None and 1 <= steps <= MAX_SWEEP_POINTS else 1


def _check_equally_many(found: Review, group: Node, location: Location) -> bool:
    """Coupled lists need one length; each that differs from the first is complained about."""
    first, *others = group.keys
    expected = _count(group.child(first))
    different = [path for path in others if _count(group.child(path)) != expected]
    for path in different:
        node = group.child(path)
        message = f"number of values {shown(_count(node))}, but '{first}' has {shown(expected)}; zip needs equally many"
        found.problems.add(node.place if node else group.place, path_text((*location, path)), message)
    return not different


def _zip_groups(found: Review, node: Node) -> list[tuple[Node, Location]]:
    """The mappings under `zip`, one or a list of them."""
    location: Location = ("sweep", "zip")
    entries = [(node, location)]
    if isinstance(node.value, list):
        entries = [(entry, (*location, index)) for index, entry in enumerate(node.value)]
    if not entries:
        found.refuse(node.place, location, "nothing to couple; list the paths that vary together, or remove the key")
    groups = []
    for entry, where in entries:
        if isinstance(entry.value, dict) and len(entry.value) > 1:
            groups.append((entry, where))
            continue
        example = "{energy: [0.5, 0.8], flux: [0.0, 0.006]}"
        found.refuse(entry.place, where, f"needs at least two paths, with a list each; write for example {example}")
    return groups


def _column(found: Review, parent: Node, location: Location, seen: dict[str, Place]) -> Column | None:
    """One path with its values, or None after a complaint."""
    path = str(location[-1])
    node, place = parent.child(path), parent.key_place(path)
    refusal = path_refusal(found, path)
    if not refusal and path in seen:
        refusal = f"swept twice, first at {seen[path]}; keep one of them"
    seen.setdefault(path, place)
    if refusal or node is None:
        found.refuse(place, location, refusal)
        return None
    key = swept_key(path)
    if isinstance(node.value, dict) and "linspace" in node.value:
        return _linspace(found, node, location, key)
    if isinstance(node.value, list) and node.value:
        return _listed(found, node, location, key)
    what = "an empty list" if node.value == [] else "empty" if node.value is None else "not a list of values"
    example = FIELDS[key].example.strip("[]")
    found.refuse(node.place, location, f"{what}; write for example [{example}] or {{linspace: [first, last, number]}}")
    return None


def _listed(found: Review, node: Node, location: Location, key: str) -> Column | None:
    items = node.value if isinstance(node.value, list) else []
    places = tuple(item.place for item in items)
    _check_in_context(found, location, [item.value for item in items], places)
    values = _checked(found, items, location, key)
    return None if values is None else Column(str(location[-1]), location, values, places)


def _checked(found: Review, items: Sequence[Node], location: Location, key: str) -> tuple[Any, ...] | None:
    """The values of nodes, each valid as if written in its place."""
    values, findings = check_values(key, [item.plain() for item in items])
    for finding in findings:
        index = int(finding.location[0])
        found.refuse(items[index].place, (*location, index), explain(finding, key))
    return None if values is None else tuple(values)


def _linspace(found: Review, node: Node, location: Location, key: str) -> Column | None:
    """Evenly spaced values from [first, last, number]."""
    inside = (*location, "linspace")
    for other in node.keys:
        if other != "linspace":
            found.refuse(node.keys[other], (*location, other), "unknown key; known keys: linspace")
    terms = node.child("linspace")
    if terms is None or not isinstance(terms.value, list) or len(terms.value) != 3:
        place = terms.place if terms else node.place
        found.refuse(place, inside, "needs three entries; write [first, last, number of values]")
        return None
    ends = _checked(found, terms.value[:2], inside, key)
    number = terms.value[2]
    steps = whole(number.value)
    if steps is None or not 2 <= steps <= MAX_SWEEP_POINTS:
        message = f"{shown(number.plain())} is not a possible number of values; use 2 to {MAX_SWEEP_POINTS}"
        found.refuse(number.place, (*inside, 2), message)
        return None
    if ends is None:
        return None
    first, last = ends
    if key in _SIZES and (last - first) % (steps - 1):
        message = f"{steps} values from {first} to {last} are not all whole numbers"
        found.refuse(number.place, (*inside, 2), f"{message}; choose a number of values that divides evenly")
        return None
    if found.is_settled(("sweep",)):
        return None  # far too many points, nothing will come of these
    values = evenly_spaced(first, last, steps)
    _check_in_context(found, location, values, [terms.place] * steps)
    return Column(str(location[-1]), inside, values, (terms.place,))


def evenly_spaced(first: float, last: float, number: int) -> tuple[float, ...]:
    """Evenly spaced values, ends included: the floats nearest to the exact decimals (0 to 0.3 passes 0.1 itself).

    number  : at least 2
    returns : integers for integer ends at integer distances, else floats
    """
    if isinstance(first, int) and isinstance(last, int):
        step = (last - first) // (number - 1)
        return tuple(first + step * index for index in range(number))
    a, b = Fraction(repr(first)), Fraction(repr(last))
    denominator = math.lcm(a.denominator, b.denominator)
    start, stop = int(a * denominator), int(b * denominator)
    whole_denominator = denominator * (number - 1)
    # Quotients of Python's integers are correctly rounded, whatever their size.
    return tuple((start * (number - 1 - index) + stop * index) / whole_denominator for index in range(number))


def _check_in_context(found: Review, location: Location, values: Sequence[object], places: Sequence[Place]) -> None:
    """Swept values must suit the rest of the document, as written ones must."""
    objection = swept_objection(found, str(location[-1]))
    for value, place in zip(values, places, strict=True):
        if message := objection(value):
            found.problems.add(place, path_text(location), message)


def _check_rows(found: Review, columns: Sequence[Column], rows: Sequence[tuple[float, ...]]) -> None:
    """No point may come twice; rows of several columns may repeat a value in one of them."""
    if len(columns) == 1 and len(columns[0].places) == len(rows):
        return  # told value by value, see `_check_listed_once`
    seen: set[tuple[float, ...]] = set()
    for index, row in enumerate(rows):
        if row in seen:
            message = f"{', '.join(shown(value) for value in row)} appears twice; remove one"
            found.problems.add(columns[0].place(index), path_text(columns[0].location), message)
        seen.add(row)


def _check_listed_once(found: Review, node: Node | None, location: Location) -> None:
    """The same for a plain list, whether or not its values are any good."""
    seen: set[float] = set()
    for index, item in enumerate(node.value if node and isinstance(node.value, list) else ()):
        if not isinstance(item.value, int | float) or isinstance(item.value, bool):
            continue
        if item.value in seen:
            found.problems.add(
                item.place, path_text((*location, index)), f"{shown(item.value)} appears twice; remove one"
            )
        seen.add(item.value)
