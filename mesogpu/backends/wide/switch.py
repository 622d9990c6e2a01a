"""Which way is faster for a sample's frames on a processor core: the vector kernel's, or that of wide frames.

Both count the same operations, so that their rates decide. Those of the kernel fall once the frames of its lanes leave
the second-level cache; those of the libraries rise with the size of their matrices. benchmarks/wide.py measures both.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

GROUP_BYTES = {"complex": 8 * 16 * 3, "real": 8 * 8 * 3}
"""Of the kernel's frames and their Gram product, for each square orbital: eight lanes of numbers, 2 + 1 D^2."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates on one core, in GFLOP/s of the algorithm's operations, for frames of D orbitals.

    numbers : of frames: complex, as those of a transmission, or real, as those of most bars
    cache   : bytes of second-level cache
    kernel  : of the vector kernel, as long as GROUP_BYTES D^2 fit the cache
    decay   : beyond, its rate is lower by (cache / GROUP_BYTES D^2)^decay
    wide    : of wide frames, in the limit of large D
    half    : D where their rate is half of that
    """

    numbers: str
    cache: float
    kernel: float
    decay: float
    wide: float
    half: float

    def of_kernel(self, orbitals: int) -> float:
        """Rate of the vector kernel."""
        return float(self.kernel * min(1.0, self.cache / (GROUP_BYTES[self.numbers] * orbitals**2)) ** self.decay)

    def of_wide_frames(self, orbitals: int) -> float:
        """Rate of wide frames."""
        return self.wide / (1.0 + self.half / orbitals)

    def crossing(self) -> int:
        """Smallest D where wide frames are faster: their rate rises with D, that of the kernel never does."""
        return next(orbitals for orbitals in count(1) if self.of_wide_frames(orbitals) > self.of_kernel(orbitals))


MEASURED = (
    Rates("complex", cache=2**20, kernel=59.52, decay=0.2456, wide=42.23, half=89.9),
    Rates("real", cache=2**20, kernel=39.58, decay=0.2723, wide=46.88, half=343.6),
)
"""What benchmarks/results/wide.json says."""

FIRST_WIDE = {rates.numbers: rates.crossing() for rates in MEASURED}
"""Orbitals from which on wide frames are taken: on every processor, as a run's bytes must not depend on its cache."""


def wide_frames_are_faster(orbitals: int, numbers: str = "complex") -> bool:
    """Whether wide frames, real or complex, are the faster way for so many orbitals."""
    return orbitals >= FIRST_WIDE[numbers]
