"""The native backend: the kernels on this processor, one thread, a vector lane for each realization."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.bar_inputs import bar_slots, has_real_frames
from mesogpu.backends.bars import BarOutput
from mesogpu.backends.conductor import ARRAYS, KernelOutput, make_conductor
from mesogpu.backends.kernel_backend import KernelBackend
from mesogpu.backends.native import wide
from mesogpu.backends.native.bars_library import follow
from mesogpu.backends.native.compiler import find_compiler
from mesogpu.backends.native.greens_library import recurse
from mesogpu.backends.native.library import transmission_library, transmit
from mesogpu.backends.reference.signature import arithmetic_signature
from mesogpu.backends.sources import source_digest
from mesogpu.backends.wide.switch import FIRST_WIDE, wide_frames_are_faster
from mesogpu.plan.points import Point


class NativeBackend(KernelBackend):
    """Kernels compiled for this machine.

    raises : BackendUnavailable where no C++ compiler is found or it fails
    """

    def __init__(self) -> None:
        super().__init__()
        transmission_library()

    @property
    def name(self) -> str:
        return "native"

    @cached_property
    def signature(self) -> str:
        """Kernel sources, compiler and instruction set; and NumPy, which prepares leads and multiplies wide frames."""
        compiler = find_compiler()
        widths = "; ".join(f"wide {numbers} {orbitals}" for numbers, orbitals in FIRST_WIDE.items())
        kernels = f"kernels {source_digest()[:16]}; {compiler.identity}; {compiler.instruction_set}; {widths}"
        return f"native; {kernels}; {arithmetic_signature()}"

    def launch(self, point: Point, interval: int, realizations: NDArray[np.uint32]) -> KernelOutput:
        way = wide.transmit if wide_frames_are_faster(point.system.orbitals) else transmit
        return way(point, interval, realizations)

    def recurse(
        self, point: Point, split: bool, realizations: NDArray[np.uint32]
    ) -> tuple[KernelOutput, NDArray[np.bool_]]:
        return recurse(point, split, realizations)

    def follow(self, point: Point, ends: tuple[int, ...], interval: int, realizations: NDArray[np.uint32]) -> BarOutput:
        conductor = make_conductor(point, bar_slots(point, interval), dict.fromkeys(ARRAYS))
        numbers = "real" if has_real_frames(conductor) else "complex"
        way = wide.follow if wide_frames_are_faster(point.system.orbitals, numbers) else follow
        return way(point, ends, interval, realizations)
