"""Cutting a plan into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogpu.plan import Part
from mesogpu.plan.parts import cut


@given(
    costs=st.lists(st.floats(0.01, 100.0), min_size=1, max_size=40),
    blocks=st.integers(1, 60),
    shards=st.integers(1, 300),
)
def test_every_block_is_in_exactly_one_part(costs: list[float], blocks: int, shards: int) -> None:
    parts = cut(costs, blocks, shards)
    cells = [
        (point, block)
        for part in parts
        for point in range(part.first_point, part.first_point + part.points)
        for block in range(part.first_block, part.first_block + part.blocks)
    ]
    assert len(cells) == len(set(cells)) == len(costs) * blocks
    assert len(parts) <= shards
    assert len(parts) >= min(shards, len(costs) * blocks) / 2


def test_parts_cost_about_the_same() -> None:
    # One expensive point among cheap ones: fails where points are cut by their number (planted).
    costs = [1.0] * 10 + [8.0] + [1.0] * 10
    sums = [sum(costs[part.first_point : part.first_point + part.points]) for part in cut(costs, 1, 3)]
    assert max(sums) <= 10.0
    assert [part.blocks for part in cut([1.0], 10, 4)] == [2, 3, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"first_point": 0, "points": 0, "first_block": 0, "blocks": 1}',
        '{"points": 1}',
        "[1, 2, 3, 4]",
        '{"first_point": 0.5, "points": 1, "first_block": 0, "blocks": 1}',
    ],
)
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Part.parse(text)


def test_a_part_survives_being_written() -> None:
    part = Part(3, 2, 7, 5)
    assert Part.parse(part.text()) == part
    assert part.describe() == "points 3 to 4, blocks 7 to 11"
