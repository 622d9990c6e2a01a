"""The resolved experiment: plain frozen dataclasses that every later stage reads.

Built by `config.load` from YAML; needs no parsing library, so that the numerical core imports on a bare machine.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from typing import Any

from mesogpu.physics.disorder import Law

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Model:
    """The clean conductor.

    lattice     : "chain" or "square"
    width       : M, sites across the current; 1 for a chain
    lengths     : strictly increasing; slices, or multiples of the width where times_width
    times_width : whether `lengths` counts widths
    edges       : "hard" or "periodic"
    hopping     : t, the unit of energy
    """

    lattice: str
    width: int
    lengths: tuple[int, ...]
    times_width: bool
    edges: str
    hopping: float

    @property
    def slices(self) -> tuple[int, ...]:
        """The lengths in slices."""
        return tuple(length * self.width for length in self.lengths) if self.times_width else self.lengths


@dataclass(frozen=True, slots=True)
class Leads:
    """The clean leads.

    potential  : onsite energy, units of t
    flux       : whether they carry the sample's flux
    spin_orbit : whether they carry the sample's spin-orbit coupling
    """

    potential: float
    flux: bool
    spin_orbit: bool


@dataclass(frozen=True, slots=True)
class SweepAxis:
    """Parameters that vary together: one path for a plain axis, several for a `zip`.

    paths  : where in the YAML the values go, such as "disorder.0.width"
    values : (steps, len(paths)), one row a step; integers for sizes, floats for all else
    """

    paths: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that fixes the numbers in a results file, defaults filled in."""

    name: str
    seed: int
    model: Model
    disorder: tuple[Law, ...]
    energy: float
    flux: float
    leads: Leads
    sweep: tuple[SweepAxis, ...]
    randomness: str
    realizations: int
    method: str
    observables: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The experiment in the form of its YAML, every default written out."""
        lengths = list(self.model.lengths)
        model: dict[str, Any] = {"lattice": self.model.lattice}
        if self.model.lattice != "chain":
            model |= {"width": self.model.width, "edges": self.model.edges}
        model |= {
            "length": {"times_width": lengths} if self.model.times_width else lengths,
            "hopping": self.model.hopping,
        }
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self.name,
            "seed": self.seed,
            "model": model,
            "disorder": [_law_document(law) for law in self.disorder],
            "energy": self.energy,
            "flux": self.flux,
            "leads": {"potential": self.leads.potential, "flux": self.leads.flux, "spin_orbit": self.leads.spin_orbit},
        }
        if self.sweep:
            document["sweep"] = _sweep_document(self.sweep)
        return document | {
            "randomness": self.randomness,
            "realizations": self.realizations,
            "method": self.method,
            "observables": list(self.observables),
        }

    def identity(self) -> str:
        """SHA-256 of the canonical JSON: equal for the same experiment.

        Leaves out the name, the number of realizations, the order of the observables and the schema version.
        """
        document = self.document()
        for key in ("schema", "name", "realizations"):
            del document[key]
        document["observables"] = sorted(document["observables"])
        # The order of the axes is the order of the points, so it belongs to the identity; a JSON object would lose it.
        document["sweep"] = [[axis.paths, axis.values] for axis in self.sweep]
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def with_value(self, path: str, value: float) -> Experiment:
        """The experiment with one scalar replaced, as a sweep does.

        path   : as in the YAML: "energy", "flux", "leads.potential", "model.width", "model.length", "model.hopping" or
                 any number of a law, such as "disorder.0.width"
        raises : KeyError for a path that cannot be swept; `config.load` refuses those before
        """
        if path == "energy":
            return replace(self, energy=float(value))
        if path == "flux":
            return replace(self, flux=float(value))
        if path == "leads.potential":
            return replace(self, leads=replace(self.leads, potential=float(value)))
        if path == "model.length":
            return replace(self, model=replace(self.model, lengths=(int(value),), times_width=False))
        if path == "model.width":
            return replace(self, model=replace(self.model, width=int(value)))
        if path == "model.hopping":
            return replace(self, model=replace(self.model, hopping=float(value)))
        section, _, rest = path.partition(".")
        index, _, field = rest.partition(".")
        if section != "disorder" or field not in {entry.name for entry in fields(self.disorder[int(index)])}:
            raise KeyError(path)
        laws = list(self.disorder)
        laws[int(index)] = replace(laws[int(index)], **{field: float(value)})
        return replace(self, disorder=tuple(laws))


def _law_document(law: Law) -> dict[str, Any]:
    values = {entry.name: getattr(law, entry.name) for entry in fields(law)}
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {"distribution": law.distribution} | lists


def _sweep_document(sweep: tuple[SweepAxis, ...]) -> dict[str, Any]:
    """Plain axes by their path, in order; then the coupled ones under `zip` (a list where there are several)."""
    document: dict[str, Any] = {}
    zips = []
    for axis in sweep:
        columns = {path: [row[k] for row in axis.values] for k, path in enumerate(axis.paths)}
        if len(axis.paths) == 1:
            document |= columns
        else:
            zips.append(columns)
    if zips:
        document["zip"] = zips[0] if len(zips) == 1 else zips
    return document
