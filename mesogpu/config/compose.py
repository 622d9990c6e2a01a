"""YAML events to a tree with places: bounded in depth, size and aliases, and never constructing an object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from mesogpu.config.diagnostics import Place, Problems, key_text, shown
from mesogpu.config.nodes import MAX_DEPTH, MAX_NODES, Location, Node, path_text
from mesogpu.config.scalars import LONE_SURROGATE, resolve

MAX_ALIASES = 100


@dataclass(frozen=True, slots=True)
class Event:
    """What a YAML parser reports next.

    kind   : what starts or ends here
    place  : where
    value  : text of a scalar, name of an alias
    plain  : whether a scalar is unquoted
    anchor : name given to it, or None
    tag    : explicit tag, or None
    """

    kind: Literal["document", "scalar", "list", "mapping", "end", "alias"]
    place: Place
    value: str = ""
    plain: bool = False
    anchor: str | None = None
    tag: str | None = None


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet.

    key  : of a mapping, the key that waits for its value
    drop : whether that value belongs to no usable key
    """

    node: Node
    anchor: str | None
    key: str | None = None
    key_place: Place | None = None
    drop: bool = False


@dataclass(slots=True)
class Composer:
    """One document under construction.

    problems : where complaints go; those that leave no sensible tree stop the reading at once
    above    : where in the whole document this part of it belongs
    root     : the finished tree, None where there was nothing
    """

    problems: Problems
    above: Location = ()
    root: Node | None = None
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _documents: int = 0
    _size: int = 0
    _aliases: int = 0

    def compose(self, events: Iterable[Event]) -> Node | None:
        """The tree of all events, None for an empty document.

        raises : ConfigError beyond the limits on depth, size and aliases, and for several documents
        """
        for event in events:
            self._take(event)
        return self.root

    def _take(self, event: Event) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.add(event.place, self._path(), f"tag {shown(tag)} is not allowed; remove it")
        match event.kind:
            case "document":
                self._documents += 1
                if self._documents > 1:
                    self._fail(event.place, "a second document; keep one experiment a file, without '---' between")
            case "list" | "mapping":
                if len(self._stack) >= MAX_DEPTH:
                    self._fail(event.place, f"nested deeper than {MAX_DEPTH} levels; simplify it")
                node = Node([] if event.kind == "list" else {}, event.place)
                self._count(1, event.place)
                self._stack.append(_Open(node, event.anchor))
            case "end":
                closed = self._stack.pop()
                self._finish(closed.node, closed.anchor)
            case "scalar":
                self._count(1, event.place)
                self._finish(self._scalar(event), event.anchor)
            case "alias":
                self._finish(self._alias(event), None)

    def _scalar(self, event: Event) -> Node:
        if LONE_SURROGATE.search(event.value):
            self.problems.add(event.place, self._path(), f"{shown(event.value)} has half a character; write it in full")
        text = LONE_SURROGATE.sub("?", event.value)
        value = resolve(text) if event.plain else text
        waiting = self._stack[-1].key_place if self._stack and self._stack[-1].key is not None else None
        # A value left empty has no place of its own in the text.
        empty = event.plain and event.value == "" and waiting is not None
        node = Node(value, waiting if empty and waiting else event.place)
        if self._wants_key():
            node.value = text
        return node

    def _alias(self, event: Event) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._fail(event.place, f"more than {MAX_ALIASES} aliases; write the values out")
        if any(frame.anchor == event.value for frame in self._stack):
            self._fail(event.place, f"alias *{key_text(event.value)} contains itself; write the values out")
        target = self._anchors.get(event.value)
        if target is None:
            message = f"alias *{key_text(event.value)} is not defined; define it above with &, or quote the text"
            self._fail(event.place, message)
        if len(self._stack) + target.depth > MAX_DEPTH:
            self._fail(event.place, f"nested deeper than {MAX_DEPTH} levels; simplify it")
        self._count(target.size, event.place)
        return target.copy_to(event.place)

    def _finish(self, node: Node, anchor: str | None) -> None:
        """Hang a complete node where it belongs."""
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if self._wants_key():
            self._take_key(frame, node)
            return
        if not frame.drop:
            frame.node.put(frame.key or "", frame.key_place or node.place, node)
        frame.key, frame.drop = None, False

    def _take_key(self, frame: _Open, node: Node) -> None:
        if isinstance(node.value, dict | list):
            self.problems.add(
                node.place, self._path(), "a list or mapping cannot be a key; quote text that has braces in it"
            )
            frame.key, frame.key_place, frame.drop = "", node.place, True
            return
        frame.key, frame.key_place = str(node.value), node.place
        if frame.key in frame.node.keys:
            first = frame.node.keys[frame.key]
            where = f", first at line {first.line}" if first.line else ""
            self.problems.add(node.place, self._path(), f"duplicate key{where}; remove one of them")
            frame.drop = True
        elif frame.key == "<<" and not frame.drop:
            self.problems.add(node.place, self._path(), "merge keys are not part of YAML 1.2; write the keys out")
            frame.drop = True

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node.value, dict) and self._stack[-1].key is None

    def _count(self, nodes: int, place: Place) -> None:
        self._size += nodes
        if self._size > MAX_NODES:
            self._fail(place, f"more than {MAX_NODES} values, aliases written out; write long sweeps as linspace")

    def _path(self) -> str:
        location = self.above
        for frame in self._stack:
            if isinstance(frame.node.value, list):
                location += (len(frame.node.value),)
            elif frame.key is not None:
                location += (frame.key,)
        return path_text(location)

    def _fail(self, place: Place, message: str) -> NoReturn:
        self.problems.add(place, self._path(), message)
        self.problems.stop()
