"""The shape of an experiment file: types, bounds and units of every key, and its JSON Schema for editors.

What combines with what stands in `config.support` and `config.rules`, sweeps in `config.sweeps`.
"""

from mesogpu.config.schema.checking import Finding, check_document, check_values, is_of_another_law
from mesogpu.config.schema.document import OBSERVABLES, SWEPT_KEYS, Document, json_schema, known_keys
from mesogpu.config.schema.laws import (
    DISTRIBUTIONS,
    LAWS,
    SPINS,
    LawSection,
    law_keys,
    law_name,
    owners,
    swept_law_keys,
)
from mesogpu.config.schema.model import LyapunovSection, ModelSection, SpinOrbitSection, TimesWidthSection

__all__ = [
    "DISTRIBUTIONS",
    "LAWS",
    "OBSERVABLES",
    "SPINS",
    "SWEPT_KEYS",
    "Document",
    "Finding",
    "LawSection",
    "LyapunovSection",
    "ModelSection",
    "SpinOrbitSection",
    "TimesWidthSection",
    "check_document",
    "check_values",
    "is_of_another_law",
    "json_schema",
    "known_keys",
    "law_keys",
    "law_name",
    "owners",
    "swept_law_keys",
]
