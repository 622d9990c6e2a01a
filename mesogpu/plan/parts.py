"""Parts of a plan: what one task of a cluster computes into a file of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a plan: consecutive points, and the same consecutive blocks of each.

    first_point, points : the first point, and how many
    first_block, blocks : the first block of each of them, and how many
    """

    first_point: int
    points: int
    first_block: int
    blocks: int

    def __post_init__(self) -> None:
        counts = (self.first_point, self.points, self.first_block, self.blocks)
        if not all(type(count) is int and count >= 0 for count in counts) or 0 in (self.points, self.blocks):
            raise ValueError(f"{counts!r} is no part of a plan: it needs four whole numbers, points and blocks above 0")

    @property
    def window(self) -> tuple[slice, slice]:
        """Where it lies in the whole: points, blocks."""
        points = slice(self.first_point, self.first_point + self.points)
        return points, slice(self.first_block, self.first_block + self.blocks)

    def realizations(self, block_size: int, total: int) -> int:
        """Realizations of each of its points, of which the whole has `total`; the last block may be short."""
        return min(total, (self.first_block + self.blocks) * block_size) - self.first_block * block_size

    def text(self) -> str:
        """As JSON, for the attribute of a results file."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text` wrote.

        raises : ValueError for anything else
        """
        document = json.loads(text)
        if not isinstance(document, dict) or tuple(document) != tuple(cls.__dataclass_fields__):
            raise ValueError(f"{text[:100]!r} does not tell a part of a plan")
        return cls(**document)

    def describe(self) -> str:
        """In words, such as "points 0 to 3, blocks 4 to 7"."""
        return f"{_range('point', self.first_point, self.points)}, {_range('block', self.first_block, self.blocks)}"


def cut(costs: Sequence[float], blocks: int, shards: int) -> tuple[Part, ...]:
    """A plan cut into at most so many parts of about equal cost, none empty.

    Cut along the blocks alone where there are enough of them, so that all parts cost the same; else into single blocks
    and, with what is left of the number, along the points.

    costs   : of a realization of each point, in any unit
    blocks  : of each point
    shards  : at least 1
    returns : every block of every point exactly once, in canonical order of their first
    """
    columns = min(blocks, shards)
    rows = min(len(costs), shards // columns)
    across = _cuts(np.ones(blocks), columns)
    down = _cuts(np.asarray(costs, dtype=float), rows)
    return tuple(Part(point, points, block, count) for point, points in down for block, count in across)


def _cuts(costs: np.ndarray[tuple[int], np.dtype[np.float64]], pieces: int) -> list[tuple[int, int]]:
    """(first, count) of consecutive pieces, each of at least one, that cost about the same."""
    reached = np.cumsum(costs)
    wanted = reached[-1] * np.arange(1, pieces) / pieces
    # The border that is nearest to each equal share, no two the same, and enough left for the pieces after it.
    borders = np.searchsorted((reached[1:] + reached[:-1]) / 2.0, wanted) + 1
    for k in range(len(borders)):
        least = borders[k - 1] + 1 if k else 1
        borders[k] = min(max(borders[k], least), len(costs) - (len(borders) - k))
    edges = [0, *(int(border) for border in borders), len(costs)]
    return [(first, last - first) for first, last in pairwise(edges)]


def _range(name: str, first: int, count: int) -> str:
    return f"{name} {first}" if count == 1 else f"{name}s {first} to {first + count - 1}"
