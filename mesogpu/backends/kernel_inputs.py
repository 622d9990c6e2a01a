"""What a transmission kernel is given for a point: the frame it starts from, and lead 1's view of the last slices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mesogpu.physics.systems import System
from mesogpu.plan.points import Point

FRAME_GROWTH = 1e4
"""Growth of a frame's fastest column over its slowest between two stabilisations: what its Gram product squares."""

LONGEST_INTERVAL = 16

LAW_KINDS = ("uniform", "gaussian", "cauchy", "binary")
LAW_PARAMETERS = 3


@dataclass(frozen=True, slots=True)
class KernelInputs:
    """Constants of a point, in the order of columns that the kernels use: decaying modes first, propagating last.

    channels      : N
    start         : (2M, M) complex128, orthonormal frame of lead 0's outgoing waves on slices -1 and 0
    start_history : (N, N) complex128, upper triangular: propagating amplitudes in lead 0 of the frame's last N columns
    incoming      : (M, 2M) complex128, incoming amplitudes of lead 1 from the last two slices
    outgoing      : (N, 2M) complex128, its propagating outgoing amplitudes
    twist         : (M,) complex128, exp(2 pi i flux y)
    law_kinds      : (laws,) int32, `LawKind` of kernels/disorder.cuh
    law_parameters : (laws, 3) float64
    """

    channels: int
    start: NDArray[np.complex128]
    start_history: NDArray[np.complex128]
    incoming: NDArray[np.complex128]
    outgoing: NDArray[np.complex128]
    twist: NDArray[np.complex128]
    law_kinds: NDArray[np.int32]
    law_parameters: NDArray[np.float64]


def estimated_interval(point: Point) -> int:
    """Slices between two stabilisations, for a pilot to start from: as many as keep the growth of the frame near 1e4.

    gamma = arccosh((|E| + 2 + W / 8) / 2) for box disorder, in units of t: growth of the fastest mode a slice
    """
    system = point.system
    spread = 0.5 * sum(law.typical_magnitude for law in system.laws)
    growth = np.arccosh(1.0 + max(1e-6, (abs(system.energy) + spread) / (2.0 * system.hopping)))
    return int(np.clip(np.log(FRAME_GROWTH) / growth, 1, LONGEST_INTERVAL))


def kernel_inputs(point: Point) -> KernelInputs:
    """The constants of a point; points that differ in their disorder alone share the costly ones."""
    laws = point.system.laws
    parameters = np.zeros((len(laws), LAW_PARAMETERS))
    for row, law in zip(parameters, laws, strict=True):
        row[: len(law.parameters)] = law.parameters
    kinds = np.array([LAW_KINDS.index(law.distribution) for law in laws], dtype=np.int32)
    return replace(_clean_inputs(replace(point.system, laws=())), law_kinds=kinds, law_parameters=parameters)


@lru_cache(maxsize=64)
def _clean_inputs(system: System) -> KernelInputs:
    modes = system.lead_modes()
    order = np.roll(np.arange(system.width), system.width - modes.channels)
    left, right = (np.vstack([waves.here[:, order], waves.ahead[:, order]]) for waves in (modes.left, modes.right))
    twist = (-system.inter_slice() / system.hopping).astype(np.complex128)
    # Only the sample's own field is in the kernel's steps: the two bonds that belong to the leads are corrected here.
    glue = -modes.inter_slice / system.hopping / twist
    around = np.ones(2 * system.width, dtype=np.complex128)
    around[: system.width] = glue
    frame, triangle = np.linalg.qr(around[:, None] * left)
    phases = np.diagonal(triangle) / np.abs(np.diagonal(triangle))
    history = np.linalg.inv(triangle / phases[:, None])
    amplitudes = np.linalg.inv(np.hstack([left, right])).astype(np.complex128, copy=False)
    amplitudes[:, system.width :] *= glue
    closed = system.width - modes.channels
    return KernelInputs(
        channels=modes.channels,
        start=np.ascontiguousarray(frame * phases),
        start_history=np.ascontiguousarray(history[closed:, closed:]),
        incoming=np.ascontiguousarray(amplitudes[: system.width]),
        outgoing=np.ascontiguousarray(amplitudes[system.width + closed :]),
        twist=twist,
        law_kinds=np.zeros(0, dtype=np.int32),
        law_parameters=np.zeros((0, LAW_PARAMETERS)),
    )
