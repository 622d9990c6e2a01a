"""The plan: every point and block of an experiment in canonical order, and whether this machine can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from mesogpu.config.experiment import Experiment
from mesogpu.errors import ConfigError, PhysicsError
from mesogpu.physics.leads import SAFE_DISTANCE, THRESHOLD
from mesogpu.plan.blocks import Block
from mesogpu.plan.cost import block_size, realization_flops
from mesogpu.plan.parts import Part
from mesogpu.plan.points import MAX_POINTS, Point, count_points, points


@dataclass(frozen=True)
class Plan:
    """An experiment cut into canonical blocks, all of it or a part.

    A part counts its points and blocks from 0; what a block computes is that of the whole plan.

    experiment : what was asked, of the whole
    points     : in canonical order
    channels   : N of each point, the propagating modes of its leads; for bars, the exponents that are stored
    block_size : B, realizations a block; independent of their number and of the machine
    part       : which part of the whole this is, None for the whole
    """

    experiment: Experiment
    points: tuple[Point, ...]
    channels: tuple[int, ...]
    block_size: int
    part: Part | None = None

    @property
    def first_block(self) -> int:
        """Number in the whole plan of each point's block 0."""
        return self.part.first_block if self.part else 0

    @property
    def realizations(self) -> int:
        """Realizations a point."""
        total = self.experiment.realizations
        return self.part.realizations(self.block_size, total) if self.part else total

    @property
    def blocks_per_point(self) -> int:
        """Number of blocks of each point; the last one may be short."""
        return -(-self.realizations // self.block_size)

    @property
    def lengths(self) -> int:
        """Number of recorded lengths, the same at every point."""
        return len(self.points[0].lengths)

    @cached_property
    def max_channels(self) -> int:
        """The largest of them, at least 1: extent of the channel dimension."""
        return max(1, *self.channels)

    @cached_property
    def flops(self) -> float:
        """Real operations of the whole plan."""
        return self.realizations * sum(realization_flops(point) for point in self.points)

    def block(self, point: int, index: int) -> Block:
        """Block `index` of point number `point`."""
        first = index * self.block_size
        count = min(self.block_size, self.realizations - first)
        return Block(self.points[point], index, self.first_block * self.block_size + first, count)

    def blocks(self) -> Iterator[Block]:
        """Every block, in canonical order."""
        for point in range(len(self.points)):
            for index in range(self.blocks_per_point):
                yield self.block(point, index)

    def only(self, part: Part) -> Plan:
        """The part as a plan of its own.

        raises : ValueError where the whole has no such part
        """
        chosen, blocks = part.window
        if self.part or chosen.stop > len(self.points) or blocks.stop > self.blocks_per_point:
            raise ValueError(
                f"{part.describe()}: this plan has {len(self.points)} points of {self.blocks_per_point} blocks"
            )
        points = tuple(replace(point, index=index) for index, point in enumerate(self.points[chosen]))
        return replace(self, points=points, channels=self.channels[chosen], part=part)


def make_plan(experiment: Experiment) -> Plan:
    """Resolve an experiment into its points and blocks.

    raises : ConfigError for more than 1e6 points, or a point whose field does not close around periodic sides;
             PhysicsError where a point's energy is at the band edge of a lead mode, or its bars cannot be stepped
    """
    count = count_points(experiment)
    if count > MAX_POINTS:
        raise ConfigError(f"sweep: {count} points, at most {MAX_POINTS}; sweep fewer values or split the experiment")
    resolved = tuple(points(experiment))
    channels = tuple(_channels(point) for point in resolved)
    largest = max(realization_flops(point) for point in resolved)
    return Plan(experiment, resolved, channels, block_size(largest))


def _channels(point: Point) -> int:
    system = point.system
    where = ", ".join(f"{path} = {value!r}" for path, value in point.parameters)
    at = f" (at {where})" if where else ""
    turns = system.flux * system.lattice.width
    if system.lattice.periodic[0] and abs(turns - round(turns)) > 1e-9:
        raise ConfigError(
            f"flux: {system.flux!r}{at}: with periodic edges flux * width must be an integer, it is {turns!r}; "
            f"use a multiple of {1 / system.lattice.width!r}, or edges: hard"
        )
    if point.bars:
        if not system.has_transfer_matrix:
            raise PhysicsError(f"method: lyapunov needs a transfer matrix, this model has none{at}; use transmission")
        return point.bars.stored(system.orbitals)
    if system.has_zero_modes and abs(system.energy) < THRESHOLD * system.hopping:
        raise PhysicsError(
            f"energy: {system.energy!r}{at}: where sites or bonds are missing and nothing else shifts the sites, "
            f"levels that no lead reaches lie exactly there; use {SAFE_DISTANCE * system.hopping!r} instead"
        )
    try:
        return system.channels()
    except PhysicsError as error:
        raise PhysicsError(f"{error}{at}") from None
