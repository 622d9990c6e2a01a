"""Lattices, slice by slice: which sites a slice has, and which bonds there are inside it and to the next one.

Sites of a slice are numbered y * depth + z. A honeycomb is a brick wall on the same grid: the bonds alone tell it from
a square lattice, so its pattern repeats after two slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LINE_STRIDE = 65536
"""Random numbers of a cubic slice are counted y * 65536 + z, so that growing a width keeps those of the old sites."""

PREVIOUS_Y, NEXT_Y, PREVIOUS_Z, NEXT_Z = range(4)
"""Places of a site's neighbours in its slice."""

KINDS = ("chain", "square", "cubic", "zigzag", "armchair")


@dataclass(frozen=True, slots=True)
class Lattice:
    """A lattice cut to a strip or a bar.

    kind     : one of `KINDS`; "zigzag" and "armchair" are ribbons of a honeycomb
    width    : sites along y (1 for a chain)
    depth    : sites along z (1 but for "cubic")
    periodic : whether the sides are joined, along y and along z; a joined direction has at least three sites
    """

    kind: str
    width: int
    depth: int = 1
    periodic: tuple[bool, bool] = (False, False)

    @property
    def sites(self) -> int:
        """M, sites of a slice."""
        return self.width * self.depth

    @property
    def period(self) -> int:
        """Slices after which the bonds repeat."""
        return 2 if self.kind in ("zigzag", "armchair") else 1

    def rows(self) -> NDArray[np.int64]:
        """y of each site, (M,): what the flux couples to."""
        return np.arange(self.sites) // self.depth

    def numbers(self) -> NDArray[np.int64]:
        """What a site's random numbers are counted by, (M,)."""
        if self.kind != "cubic":
            return np.arange(self.sites)
        return LINE_STRIDE * self.rows() + np.arange(self.sites) % self.depth

    def neighbours(self, x: int) -> NDArray[np.int64]:
        """The bonds inside slice x: for each site its neighbours, -1 where there is none.

        returns : (M, 4); columns `PREVIOUS_Y`, `NEXT_Y`, `PREVIOUS_Z`, `NEXT_Z`
        """
        y, z = np.divmod(np.arange(self.sites), self.depth)
        next_y = np.where(self._joined_to_next(x, y), (y + 1) % self.width * self.depth + z, -1)
        next_z = np.where((z + 1 < self.depth) | self.periodic[1], y * self.depth + (z + 1) % self.depth, -1)
        table = np.full((self.sites, 4), -1, dtype=np.int64)
        for following, forward, back in ((next_y, NEXT_Y, PREVIOUS_Y), (next_z, NEXT_Z, PREVIOUS_Z)):
            table[:, forward] = following
            here = np.flatnonzero(following >= 0)
            table[following[here], back] = here
        return table

    def linked(self, x: int) -> NDArray[np.bool_]:
        """Which sites of slice x have a bond to slice x + 1, (M,)."""
        if self.kind != "armchair":
            return np.ones(self.sites, dtype=np.bool_)
        return np.asarray((x + self.rows()) % 2 == 0)

    @property
    def fully_linked(self) -> bool:
        """Whether every site has a bond to the next slice: a slice can then be stepped from the two before it."""
        return self.kind != "armchair"

    def _joined_to_next(self, x: int, y: NDArray[np.int64]) -> NDArray[np.bool_]:
        inside = (y + 1 < self.width) | self.periodic[0]
        return np.asarray(inside & ((x + y) % 2 == 0) if self.kind == "zigzag" else inside)
