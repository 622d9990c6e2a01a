"""What an entry of the disorder list cannot say key by key: what a law can be on, and with which model."""

from __future__ import annotations

from mesogpu.config.diagnostics import shown
from mesogpu.config.fields import MAX_FLUX, MAX_RANDOM_FLUX
from mesogpu.config.model_rules import joined_sides, lattice_of
from mesogpu.config.nodes import Location, Node
from mesogpu.config.review import Review
from mesogpu.config.support import CORRELATED_PLACES, LAW_PLACES, RANDOM_FLUX
from mesogpu.physics.disorder import PLACES

_MAGNITUDES = ("width", "sigma", "half_width")


def review_disorder(found: Review) -> None:
    """Apply the rules of the disorder list."""
    for index, law in enumerate(found.items("disorder")):
        if isinstance(law.value, dict):
            _check_place(found, law, ("disorder", index))


def _check_place(found: Review, law: Node, entry: Location) -> None:
    place, distribution = found.scalar(*entry, "on"), found.scalar(*entry, "distribution")
    if place == "spins" and law.child("distribution"):
        message = "spins have no distribution: each points anywhere on the sphere; write {on: spins, exchange: 0.5}"
        found.refuse(law.key_place("distribution"), (*entry, "distribution"), message, entry)
        return
    able = LAW_PLACES.get(str(distribution), PLACES)
    if place in PLACES and place not in able:
        message = f"{distribution} disorder is on the {', '.join(able)} alone; remove 'on'"
        if place == "bonds":
            message += ", or cut bonds with {on: bonds, distribution: binary, values: [0.0, -t], fraction: p}"
        found.refuse(law.key_place("on"), (*entry, "on"), message)
    length = found.scalar(*entry, "correlation_length")
    if distribution == "gaussian" and length and (message := correlation_objection(found, entry)):
        found.refuse(law.key_place("correlation_length"), (*entry, "correlation_length"), message)
    if place == "flux" and place in able:
        _check_random_flux(found, law, entry)


def correlation_objection(found: Review, entry: Location) -> str:
    """The complaint about a correlation length of this entry, or ""."""
    place = found.scalar(*entry, "on")
    if place in CORRELATED_PLACES or place not in PLACES:
        return ""
    return f"disorder on {place} has no correlation length; remove it, or put the law on the sites"


def _check_random_flux(found: Review, law: Node, entry: Location) -> None:
    refusal = RANDOM_FLUX.refusal(lattice_of(found))
    if refusal:
        found.refuse(law.key_place("on"), (*entry, "on"), f"disorder on the flux {refusal}")
    elif joined_sides(found)[0] and lattice_of(found):
        what = "around periodic sides the random fluxes would have to add up to a whole number"
        found.refuse(law.key_place("on"), (*entry, "on"), f"{what}; use edges: hard (along y)")
    for key in _MAGNITUDES:
        node = law.child(key)
        if node and (message := flux_objection(key, node.value)):
            found.refuse(node.place, (*entry, key), message)
    for index, node in enumerate(found.items(*entry, "values")):
        if message := flux_objection("values", node.value):
            found.refuse(node.place, (*entry, "values", index), message)


def flux_objection(key: str, value: object) -> str:
    """The complaint about a number of a law on the flux, within its bounds as an energy, or ""."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < float("inf"):
        return ""
    if key in _MAGNITUDES and value > MAX_RANDOM_FLUX:
        remedy = f"on flux it counts quanta h/e, and the flux is periodic in 1: use 0 to {MAX_RANDOM_FLUX:g}"
        return f"{shown(value)} is above the largest, {MAX_RANDOM_FLUX:g}; {remedy}"
    if key == "values" and abs(value) > MAX_FLUX:
        remedy = f"on flux it counts quanta h/e, and the flux is periodic in 1: use -{MAX_FLUX:g} to {MAX_FLUX:g}"
        return f"{shown(value)} is beyond {MAX_FLUX:g}; {remedy}"
    return ""
