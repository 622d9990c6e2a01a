"""What the method leaves of the rest of the format: bars have no leads, and are stepped by transfer matrices."""

from __future__ import annotations

import math

from mesogpu.config.diagnostics import shown
from mesogpu.config.fields import FIELDS
from mesogpu.config.model_rules import lattice_of
from mesogpu.config.nodes import Location, Node, whole
from mesogpu.config.review import Review
from mesogpu.config.schema import OBSERVABLES, SPINS, law_name
from mesogpu.config.support import LYAPUNOV, TRANSMISSION_INSTEAD
from mesogpu.physics.disorder import Binary, Vacancy

_DEFAULT_HOPPING = 1.0
_NO_STEP = f"leave no transfer matrix, which method: lyapunov needs; {TRANSMISSION_INSTEAD}"


def review_method(found: Review) -> None:
    """Apply the rules of the method."""
    method = method_of(found)
    _check_observables(found, method)
    if method == "transmission":
        found.require(("model",), "length", FIELDS["model.length"].example)
        _refuse_bars(found)
    elif method == "lyapunov":
        _refuse_length_and_leads(found)
        _check_transfer_matrix(found)
        _check_exponents(found)


def method_of(found: Review) -> str:
    """The method of a document; "" for one without a good name."""
    method = found.root.child("method")
    if method is None:
        return "transmission"
    return method.value if isinstance(method.value, str) and method.value in OBSERVABLES else ""


def path_objection(found: Review, path: str) -> str:
    """Why a path that can be swept cannot be with this document's method, or ""."""
    method = method_of(found)
    if method == "transmission" and path.startswith("lyapunov."):
        return "there are no bars to sweep, write 'method: lyapunov' first"
    if method == "lyapunov" and path == "model.length":
        return "bars have no model.length to sweep, they are as long as lyapunov.slices says"
    if method == "lyapunov" and path.startswith("leads."):
        return "bars have no leads to sweep"
    return ""


def exponents_objection(found: Review, width: object) -> str:
    """The complaint about a swept width with fewer orbitals than exponents are asked for, or ""."""
    asked, sites = whole(found.scalar("lyapunov", "exponents")), whole(width)
    if asked is None or sites is None or sites < 1 or method_of(found) != "lyapunov":
        return ""
    orbitals = _spins(found) * (sites**2 if lattice_of(found) == "cubic" else sites)
    return f"{_too_many(asked, orbitals)}, or larger widths" if asked > orbitals else ""


def hopping_objection(found: Review, hopping: object) -> str:
    """The complaint about a swept hopping that the disorder on bonds can cancel, or ""."""
    if method_of(found) != "lyapunov":
        return ""
    cut = [value for value, _ in _cuts(found, hopping)]
    return f"bonds of hopping {shown(hopping)}, cut by {shown(cut[0].value)}, {_NO_STEP}" if cut else ""


def _check_observables(found: Review, method: str) -> None:
    seen: set[str] = set()
    for index, item in enumerate(found.items("observables")):
        if not isinstance(item.value, str):
            continue
        location = ("observables", index)
        if item.value in seen:
            found.refuse(item.place, location, f"{shown(item.value)} is listed twice; remove one")
        elif owner := _other_method(item.value, method):
            what = f"{shown(item.value)} belongs to method: {owner}"
            found.refuse(item.place, location, f"{what}; {method} records {', '.join(OBSERVABLES[method])}")
        seen.add(item.value)


def _other_method(observable: str, method: str) -> str:
    """The method that records an observable, if it is not this one; "" too where one of them has no good name."""
    owner = next((name for name, observables in OBSERVABLES.items() if observable in observables), "")
    return owner if method and owner != method else ""


def _refuse_bars(found: Review) -> None:
    section = found.root.child("lyapunov")
    if section and section.value is not None:
        message = "bars belong to method: lyapunov; remove them, or write 'method: lyapunov'"
        found.refuse(found.root.key_place("lyapunov"), ("lyapunov",), message)


def _refuse_length_and_leads(found: Review) -> None:
    model = found.root.child("model")
    length = model.child("length") if model else None
    if model and length and length.value is not None:
        message = "with method: lyapunov a bar is as long as lyapunov.slices says; remove length"
        found.refuse(model.key_place("length"), ("model", "length"), message)
    if found.root.child("leads"):
        message = "with method: lyapunov there are none, the exponents are the sample's own; remove leads"
        found.refuse(found.root.key_place("leads"), ("leads",), message)


def _check_transfer_matrix(found: Review) -> None:
    method = found.root.child("method")
    if method and (refusal := LYAPUNOV.refusal(lattice_of(found))):
        found.refuse(method.place, ("method",), f"lyapunov {refusal}")
    for index, law in enumerate(found.items("disorder")):
        if found.scalar("disorder", index, "distribution") == Vacancy.distribution:
            location: Location = ("disorder", index, "distribution")
            found.refuse(law.key_place("distribution"), location, f"vacancies {_NO_STEP}")
    if found.is_swept("model.hopping"):
        return
    hopping = found.scalar("model", "hopping")
    hopping = _DEFAULT_HOPPING if hopping is None else hopping
    for value, location in _cuts(found, hopping):
        found.refuse(
            value.place, location, f"bonds of hopping {shown(hopping)}, cut by {shown(value.value)}, {_NO_STEP}"
        )


def _cuts(found: Review, hopping: object) -> list[tuple[Node, Location]]:
    """The values of laws on bonds that take this hopping away, and where they are."""
    if not isinstance(hopping, int | float):
        return []
    cuts: list[tuple[Node, Location]] = []
    for index, law in enumerate(found.items("disorder")):
        place, distribution = (found.scalar("disorder", index, key) for key in ("on", "distribution"))
        if place == "bonds" and distribution == Binary.distribution and law.child("values"):
            values = enumerate(found.items("disorder", index, "values"))
            cuts += [(value, ("disorder", index, "values", k)) for k, value in values if value.value == -hopping]
    return cuts


def _check_exponents(found: Review) -> None:
    """Against the orbitals of the model as written; swept widths have `exponents_objection`."""
    node = found.root.find(("lyapunov", "exponents"))
    asked, sites = whole(node.value) if node else None, _sites(found)
    if node is None or asked is None or sites is None or found.is_swept("model.width"):
        return
    orbitals = sites * _spins(found)
    if asked > orbitals:
        message = f"{_too_many(asked, orbitals)}, or null for all of them"
        found.refuse(node.place, ("lyapunov", "exponents"), message)


def _too_many(asked: int, orbitals: int) -> str:
    what = f"{shown(asked)} exponents are more than the orbitals of a slice, {orbitals}"
    return f"{what}; use lyapunov.exponents: {orbitals} or fewer"


def _sites(found: Review) -> int | None:
    """Sites of a slice of the model as written, None where that cannot be told."""
    width, kind = found.root.find(("model", "width")), lattice_of(found)
    if kind == "chain":
        return 1
    if kind == "" or width is None:
        return None
    widths = [item.value for item in width.value] if isinstance(width.value, list) else [width.value]
    sites = [count for count in map(whole, widths) if count is not None and count >= 1]
    if len(sites) != len(widths):
        return None
    return math.prod(sites * 2 if kind == "cubic" and len(sites) == 1 else sites)


def _spins(found: Review) -> int:
    """Orbitals of a site."""
    couplings = [found.root.find(("model", key)) for key in ("spin_orbit", "zeeman")]
    coupled = any(node is not None and node.value is not None for node in couplings)
    return 2 if coupled or any(law_name(law.plain()) == SPINS for law in found.items("disorder")) else 1
