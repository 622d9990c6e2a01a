"""From an `Experiment` to points, canonical blocks, and what they cost; computes no physics."""

from mesogpu.plan.blocks import Block, BlockResult, Status
from mesogpu.plan.parts import Part
from mesogpu.plan.plan import Plan, make_plan
from mesogpu.plan.points import Point

__all__ = ["Block", "BlockResult", "Part", "Plan", "Point", "Status", "make_plan"]
