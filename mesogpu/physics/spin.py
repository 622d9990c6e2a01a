"""Spin: bonds and fields as quaternions, and the spin-orbit couplings that a model can have.

A quaternion q stands for the 2 x 2 matrix q_0 + i (q_1 sigma_x + q_2 sigma_y + q_3 sigma_z) in the basis (up, down).
Every bond of every model is a real quaternion times a phase: phases and fields alone break time reversal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesogpu.physics.elementary import cosine_and_sine_of_turns
from mesogpu.physics.philox import unit_interval

X, Y, Z = range(3)
"""Directions of bonds: along the current, across it, and up."""

_RANDOM = ("su2", "evangelou-ziman")


@dataclass(frozen=True, slots=True)
class SpinOrbit:
    """A spin-orbit coupling: the quaternion U of each bond -t U.

    kind     : "rashba": U = 1 + i (strength / t) sigma_y along x, 1 - i (strength / t) sigma_x along y;
               "ando": the same with cos(strength) and sin(strength);
               "su2": uniform on SU(2), independent on every bond;
               "evangelou-ziman": 1 + i strength V . sigma, V uniform in [-1/2, 1/2]^3, independent on every bond
    strength : as above; rashba in units of t's unit, ando in radians; 1 and unused for su2
    source   : Ando, PRB 40, 5325 (1989); Asada, Slevin, Ohtsuki, PRL 89, 256601 (2002);
               Evangelou, Ziman, J. Phys. C 20, L235 (1987)
    """

    kind: str
    strength: float

    @property
    def random(self) -> bool:
        """Whether every bond has its own coupling; such couplings are never in the leads."""
        return self.kind in _RANDOM

    def uniform_bond(self, direction: int, hopping: float) -> NDArray[np.float64]:
        """U of every bond along X or Y, (4,) float64; only where the coupling is not random."""
        plain, coupled = 1.0, self.strength / hopping
        if self.kind == "ando":
            plain, coupled = np.cos(self.strength), np.sin(self.strength)
        return np.array([plain, 0.0, coupled, 0.0] if direction == X else [plain, -coupled, 0.0, 0.0])

    def drawn_bonds(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        """U of bonds whose random words are (..., 4), as (..., 4) float64.

        source : Shoemake, Graphics Gems III (1992), for uniform rotations from three uniform numbers
        """
        u = unit_interval(words)
        if self.kind == "evangelou-ziman":
            return np.concatenate([np.ones_like(u[..., :1]), self.strength * (u[..., :3] - 0.5)], axis=-1)
        cosine, sine = cosine_and_sine_of_turns(u[..., 1:3])
        outer, inner = np.sqrt(1.0 - u[..., 0]), np.sqrt(u[..., 0])
        return np.stack(
            [outer * cosine[..., 0], outer * sine[..., 0], inner * cosine[..., 1], inner * sine[..., 1]], axis=-1
        )


def unit_vectors(words: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Directions uniform on the sphere, two from each four words: n_z = 2 u - 1, azimuth 2 pi v.

    words   : (..., 4) uint32
    returns : (..., 2, 3) float64
    """
    u = unit_interval(words).reshape(*words.shape[:-1], 2, 2)
    height = 2.0 * u[..., 0] - 1.0
    cosine, sine = cosine_and_sine_of_turns(u[..., 1])
    radius = np.sqrt(1.0 - height * height)
    return np.stack([radius * cosine, radius * sine, height], axis=-1)


def matrices(quaternions: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The matrices of quaternions: (..., 4) to (..., 2, 2); spinless bonds (..., 1) to (..., 1, 1)."""
    if quaternions.shape[-1] == 1:
        return quaternions[..., None].astype(np.complex128)
    a, b, c, d = (quaternions[..., k] for k in range(4))
    rows = [np.stack([a + 1j * d, 1j * b + c], axis=-1), np.stack([1j * b - c, a - 1j * d], axis=-1)]
    return np.stack(rows, axis=-2)


def field_matrices(fields: NDArray[np.float64]) -> NDArray[np.complex128]:
    """h . sigma of fields (..., 3), as (..., 2, 2)."""
    zero = np.zeros_like(fields[..., :1])
    return -1j * matrices(np.concatenate([zero, fields], axis=-1))
