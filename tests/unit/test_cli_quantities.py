"""Numbers as a person reads them."""

from __future__ import annotations

import pytest

from mesogpu.cli.quantities import counted, human_bytes, human_operations, human_rate, human_seconds


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (14_200_000, "14.2 MB"), (3.2e9, "3.2 GB"), (2e15, "2,000 TB")],
)
def test_bytes_have_a_decimal_prefix(count: float, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (22.4, "22 s"),
        (119.6, "2 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (4e7, "1 y 97 d"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert human_seconds(seconds) == text


def test_operations_have_a_prefix() -> None:
    assert human_operations(2.5e12) == "2.5 Tflop"


@pytest.mark.parametrize(("rate", "text"), [(0.0421, "0.0421/s"), (12.34, "12.3/s"), (12_345.6, "12,346/s")])
def test_rates_keep_three_digits(rate: float, text: str) -> None:
    assert human_rate(rate) == text


def test_one_is_singular() -> None:
    assert [counted(1, "point"), counted(2048, "point")] == ["1 point", "2,048 points"]
