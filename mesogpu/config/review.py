"""One reading of a document by the rules: what they look at, and whom they complain to."""

from __future__ import annotations

from dataclasses import dataclass, field

from mesogpu.config.diagnostics import Place, Problems, nearest
from mesogpu.config.nodes import Location, Node, path_text
from mesogpu.config.schema import known_keys


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

    def items(self, *location: str | int) -> list[Node]:
        """What is in the list at a location; nothing where there is none."""
        node = self.root.find(location)
        return node.value if node and isinstance(node.value, list) else []

    def is_swept(self, path: str) -> bool:
        """Whether the sweep varies a path, by itself or coupled: what is written in its place is then not used."""
        zipped = self.root.find(("sweep", "zip"))
        groups = zipped.value if zipped and isinstance(zipped.value, list) else [zipped]
        return any(node is not None and path in node.keys for node in [self.root.child("sweep"), *groups])

    def require(self, section: Location, key: str, example: str) -> None:
        """Complain where a section that is there lacks a key, unless that is misspelt, which is told as such."""
        node = self.root.find(section)
        if node is None or not isinstance(node.value, dict):
            return
        given = node.child(key)
        known = known_keys(".".join(str(part) for part in section))
        if (given and given.value is not None) or any(
            nearest(other, known) == key for other in node.keys if other not in known
        ):
            return
        above = self.root.find(section[:-1]) or self.root
        place = node.key_place(key) if given else above.key_place(section[-1])
        self.refuse(place, (*section, key), f"missing; add for example '{key}: {example}'")
