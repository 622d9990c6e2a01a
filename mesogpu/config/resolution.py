"""A checked document to the `Experiment` that every later stage reads."""

from __future__ import annotations

from mesogpu.config.experiment import Experiment, Leads, Model, SweepAxis
from mesogpu.config.schema import Document, LawSection, ModelSection, TimesWidthSection
from mesogpu.physics.disorder import Law

ALWAYS_RECORDED = ("conductance", "log_conductance")


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
        randomness=document.randomness,
        realizations=document.realizations,
        method=document.method,
        observables=tuple(name for name in document.observables if name not in ALWAYS_RECORDED),
    )


def _law(section: LawSection) -> Law:
    values = section.model_dump(exclude={"distribution"})
    law: Law = section.law(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    return law


def _model(section: ModelSection) -> Model:
    in_widths = isinstance(section.length, TimesWidthSection)
    lengths = section.length.times_width if isinstance(section.length, TimesWidthSection) else section.length
    return Model(
        lattice=section.lattice,
        width=section.width or 1,
        lengths=tuple(lengths) if isinstance(lengths, list) else (lengths,),
        times_width=in_widths,
        edges=section.edges,
        hopping=section.hopping,
    )
