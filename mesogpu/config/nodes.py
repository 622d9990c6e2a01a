"""A configuration as a tree that remembers where each of its parts is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from mesogpu.config.diagnostics import Place, Problems, key_text, shown
from mesogpu.config.scalars import LONE_SURROGATE

MAX_DEPTH = 32
MAX_NODES = 40_000
"""Values and keys in one configuration, with aliases written out: about what 1 MiB of numbers holds."""

Scalar = str | int | float | bool | None
Location = tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """One value.

    value : scalar, list of nodes, or mapping to nodes
    place : where the value starts; where its key is written if it was left empty
    keys  : for a mapping, where each key is written
    size  : number of values and keys from here on
    depth : levels of nesting from here on; 0 for a scalar
    """

    value: Scalar | list[Node] | dict[str, Node]
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    size: int = 1
    depth: int = 0

    def put(self, key: str | int, place: Place, child: Node) -> None:
        """Hang a child into a mapping or at the end of a list."""
        if isinstance(self.value, dict):
            self.value[str(key)] = child
            self.keys[str(key)] = place
        elif isinstance(self.value, list):
            self.value.append(child)
        self.size += child.size + isinstance(self.value, dict)
        self.depth = max(self.depth, child.depth + 1)

    def child(self, key: str | int) -> Node | None:
        """The value under a key of a mapping or at an index of a list, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def key_place(self, key: str | int) -> Place:
        """Where a key is written or an item of a list starts; for what is missing, this node's place."""
        if str(key) in self.keys:
            return self.keys[str(key)]
        child = self.child(key)
        return child.place if child else self.place

    def find(self, location: Location) -> Node | None:
        """The node at a path from here, or None."""
        node: Node | None = self
        for key in location:
            if node is None:
                return None
            node = node.child(key)
        return node

    def plain(self) -> Any:
        """The tree as dictionaries, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def copy_to(self, place: Place) -> Node:
        """A copy that starts elsewhere, as an alias does; what is inside keeps its places."""
        return replace(deepcopy(self), place=place)


def whole(value: object) -> int | None:
    """The whole number that a scalar stands for (1e4 does), or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def as_index(text: str) -> int | None:
    """The position that a part of a dotted path stands for, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def path_text(location: Location) -> str:
    """A location as the dotted path of messages: disorder.0.width."""
    return ".".join(key_text(key) if isinstance(key, str) else str(key) for key in location)


def from_mapping(value: object, source: str, problems: Problems) -> Node:
    """The tree of a Python mapping, whose parts have no lines.

    value  : nested mappings and sequences of str, numbers, bool and None, or NumPy's scalars and arrays
    source : how messages call it
    """
    place = Place(source)
    budget = [MAX_NODES]

    def convert(part: object, location: Location) -> Node:
        budget[0] -= 1
        if hasattr(part, "tolist"):
            part = part.tolist()
        if budget[0] < 0:
            problems.add(place, "", f"more than {MAX_NODES} values; write long sweeps as linspace")
            return Node(None, place)
        if len(location) > MAX_DEPTH:
            problems.add(place, path_text(location[:4]), f"nested deeper than {MAX_DEPTH} levels; simplify it")
            return Node(None, place)
        if isinstance(part, Mapping):
            node = Node({}, place)
            for key, item in part.items():
                if not isinstance(key, str) or LONE_SURROGATE.search(key):
                    problems.add(place, path_text(location), f"key {shown(key)} is not text; use a string")
                    continue
                node.put(str(key), place, convert(item, (*location, str(key))))
            return node
        if isinstance(part, Sequence) and not isinstance(part, str | bytes):
            node = Node([], place)
            for index, item in enumerate(part):
                node.put(index, place, convert(item, (*location, index)))
            return node
        if part is None or isinstance(part, bool | int | float):
            return Node(part, place)
        if isinstance(part, str) and not LONE_SURROGATE.search(part):
            return Node(part, place)
        message = f"{shown(part)} cannot be part of an experiment; use text, numbers, lists and mappings"
        problems.add(place, path_text(location), message)
        return Node(None, place)

    return convert(value, ())
