"""A checked document to the `Experiment` that every later stage reads."""

from __future__ import annotations

from collections.abc import Sequence

from mesogpu.config.experiment import Bars, Experiment, Leads, Model, SweepAxis
from mesogpu.config.schema import (
    Document,
    LawSection,
    LyapunovSection,
    ModelSection,
    SpinOrbitSection,
    TimesWidthSection,
)
from mesogpu.physics.disorder import Law
from mesogpu.physics.spin import SpinOrbit

ALWAYS_RECORDED = ("conductance", "log_conductance", "lyapunov_exponents")
_RANDOMNESS = {"transmission": "common", "lyapunov": "independent"}
"""Where a document does not say."""
_UNUSED_STRENGTH = 1.0
"""Of a random rotation, which has none."""


def resolve_document(document: Document, sweep: tuple[SweepAxis, ...]) -> Experiment:
    """The experiment of a document that has passed `config.rules`, and of its sweep.

    Asking for what is always recorded does not make another experiment, so it is left out.
    """
    return Experiment(
        name=document.name,
        seed=document.seed,
        model=_model(document.model),
        disorder=tuple(_law(section) for section in document.disorder or ()),
        energy=document.energy,
        flux=document.flux,
        leads=Leads(
            potential=document.leads.potential,
            flux=document.leads.flux,
            spin_orbit=document.leads.spin_orbit,
        ),
        sweep=sweep,
        randomness=document.randomness if "randomness" in document.model_fields_set else _RANDOMNESS[document.method],
        realizations=document.realizations,
        method=document.method,
        observables=tuple(name for name in document.observables if name not in ALWAYS_RECORDED),
        bars=_bars(document.lyapunov or LyapunovSection()) if document.method == "lyapunov" else None,
    )


def _bars(section: LyapunovSection) -> Bars:
    return Bars(slices=section.slices, warmup=section.warmup, exponents=section.exponents)


def _law(section: LawSection) -> Law:
    values = section.model_dump(exclude={"distribution"})
    law: Law = section.law(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    return law


def _model(section: ModelSection) -> Model:
    in_widths = isinstance(section.length, TimesWidthSection)
    lengths = section.length.times_width if isinstance(section.length, TimesWidthSection) else section.length
    width, depth = section.width if isinstance(section.width, list) else [section.width or 1] * 2
    return Model(
        lattice=section.lattice,
        width=width,
        lengths=tuple(lengths) if isinstance(lengths, list) else () if lengths is None else (lengths,),
        times_width=in_widths,
        edges=_edges(section.edges),
        hopping=section.hopping,
        depth=depth if section.lattice == "cubic" else 1,
        edge=section.edge or "",
        spin_orbit=_spin_orbit(section.spin_orbit),
        zeeman=(section.zeeman[0], section.zeeman[1], section.zeeman[2]) if section.zeeman else None,
    )


def _edges(sides: str | Sequence[str]) -> str | tuple[str, str]:
    """A pair of equal sides is one word, so that both spellings make one experiment."""
    if isinstance(sides, str):
        return sides
    along_y, along_z = sides
    return along_y if along_y == along_z else (along_y, along_z)


def _spin_orbit(section: SpinOrbitSection | None) -> SpinOrbit | None:
    if section is None:
        return None
    return SpinOrbit(section.kind, _UNUSED_STRENGTH if section.strength is None else section.strength)
