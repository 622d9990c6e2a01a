"""`--set key.path=value`: one value put into the tree before it is checked."""

from __future__ import annotations

from collections.abc import Callable

from mesogpu.config.diagnostics import Place, Problems, printable
from mesogpu.config.nodes import MAX_DEPTH, Location, Node, as_index, path_text

_EXAMPLE = "write for example --set disorder.0.width=2.0"


def apply_override(
    root: Node, override: str, order: int, parse: Callable[[str, Place, Location], Node], problems: Problems
) -> None:
    """Put one override into the tree.

    override : "key.path=value", the value in YAML; positions in lists count from 0, the one past the end appends
    order    : its place among the overrides
    parse    : reads the value for a location; all of it is placed at the override
    """
    place = Place(f"--set {printable(override)}", column=order)
    path, equals, text = override.partition("=")
    location = _location(path.strip())
    if not equals or not all(location) or len(location) > MAX_DEPTH:
        problems.add(place, "", f"not of the form key.path=value; {_EXAMPLE}")
        return
    value = parse(text, place, location)
    node = root
    for depth, key in enumerate(location):
        last = depth == len(location) - 1
        child = value if last else _existing(node, key)
        if child is None:
            child = Node([] if location[depth + 1] == "0" else {}, place)
        refusal = _put(node, key, place, child)
        if refusal:
            problems.add(place, path_text(location[: depth + 1]), refusal)
            return
        node = child


def _location(path: str) -> tuple[str, ...]:
    """The keys of a path; what is swept is itself a path, and one key: sweep.disorder.0.width."""
    parts = tuple(path.split("."))
    if parts[0] != "sweep":
        return parts
    keys = 1
    if parts[1:2] == ("zip",):
        keys = 3 if parts[2:3] and as_index(parts[2]) is not None else 2
    return parts if len(parts) <= keys else (*parts[:keys], ".".join(parts[keys:]))


def _existing(node: Node, key: str) -> Node | None:
    """The section under a key; None where there is none yet, or it was left empty."""
    index = as_index(key) if isinstance(node.value, list) else None
    child = node.child(key if index is None else index)
    return None if child is None or child.value is None else child


def _put(node: Node, key: str, place: Place, child: Node) -> str:
    """Set one key or position; the complaint if that cannot be, or ""."""
    if isinstance(node.value, dict):
        node.put(key, place, child)
        return ""
    if not isinstance(node.value, list):
        return f"cannot be set, because what holds it is a single value; {_EXAMPLE}"
    count, index = len(node.value), as_index(key)
    if index is None or index > count:
        return f"no such position, the list has {count} entries, counted from 0; use 0 to {count}"
    if index == count:
        node.put(count, place, child)
    else:
        node.value[index] = child
    return ""
