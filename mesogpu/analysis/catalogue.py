"""Every analysis of a sweep, in the order in which a summary shows them. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mesogpu.analysis.correlation import correlations
from mesogpu.analysis.counting import current_statistics
from mesogpu.analysis.cumulants import conductance_cumulants
from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.films import film_slopes
from mesogpu.analysis.localization import localizations
from mesogpu.analysis.paired import paired_differences
from mesogpu.analysis.record import Analysis
from mesogpu.analysis.regimes import regimes

ANALYSES: Final[tuple[Callable[[Ensemble], list[Analysis]], ...]] = (
    regimes,
    paired_differences,
    correlations,
    conductance_cumulants,
    current_statistics,
    localizations,
    film_slopes,
)
"""Each takes the ensemble and returns its records: none where it does not apply to such a sweep."""


def analyses(ensemble: Ensemble) -> list[Analysis]:
    """The records of all analyses that apply."""
    return [record for each in ANALYSES for record in each(ensemble)]
