"""Every analysis of a sweep, in the order in which a summary shows them. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.paired import paired_differences
from mesogpu.analysis.record import Analysis

ANALYSES: Final[tuple[Callable[[Ensemble], list[Analysis]], ...]] = (paired_differences,)
"""Each takes the ensemble and returns its records: none where it does not apply to such a sweep."""


def analyses(ensemble: Ensemble) -> list[Analysis]:
    """The records of all analyses that apply."""
    return [record for each in ANALYSES for record in each(ensemble)]
