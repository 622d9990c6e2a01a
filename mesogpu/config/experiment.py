"""The resolved experiment: plain frozen dataclasses that every later stage reads.

Built by `config.load` from YAML; needs no parsing library, so that the numerical core imports on a bare machine.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from mesogpu.physics.disorder import Law, MagneticImpurity
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit

SCHEMA = 1
_OF_BARS = ("lyapunov.slices", "lyapunov.warmup")
_UNWRITTEN = (("on", "sites"), ("correlation_length", 0.0))


@dataclass(frozen=True, slots=True)
class Model:
    """The clean conductor.

    lattice     : "chain", "square", "honeycomb" or "cubic"
    width       : sites along y; 1 for a chain
    lengths     : strictly increasing; slices, or multiples of the width where times_width; none for bars
    times_width : whether `lengths` counts widths (along y)
    edges       : "hard" or "periodic"; of a bar whose sides differ, a pair for y and z
    hopping     : t, the unit of energy
    depth       : sites along z; 1 but for "cubic"
    edge        : "zigzag" or "armchair" of a honeycomb, "" of other lattices
    spin_orbit  : coupling of the sample's bonds, or None
    zeeman      : (h_x, h_y, h_z) of h . sigma on every site of the sample, units of t; None without
    """

    lattice: str
    width: int
    lengths: tuple[int, ...]
    times_width: bool
    edges: str | tuple[str, str]
    hopping: float
    depth: int = 1
    edge: str = ""
    spin_orbit: SpinOrbit | None = None
    zeeman: tuple[float, float, float] | None = None

    @property
    def slices(self) -> tuple[int, ...]:
        """The lengths in slices."""
        return tuple(length * self.width for length in self.lengths) if self.times_width else self.lengths

    @property
    def geometry(self) -> Lattice:
        """The lattice cut to its width."""
        along_y, along_z = (self.edges, self.edges) if isinstance(self.edges, str) else self.edges
        return Lattice(
            kind=self.edge or self.lattice,
            width=self.width,
            depth=self.depth,
            periodic=(along_y == "periodic", along_z == "periodic" and self.lattice == "cubic"),
        )


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
class Bars:
    """Long bars without leads, whose Lyapunov exponents are recorded; realizations counts them.

    slices    : recorded of each bar, after the warm-up
    warmup    : slices at its start that are left out, until the frame has turned into the growing directions
    exponents : how many are stored, the smallest positive ones; None for all, one for each orbital of a slice
    """

    slices: int
    warmup: int
    exponents: int | None

    def stored(self, orbitals: int) -> int:
        """Number of exponents stored.

        orbitals : D, those of a slice
        """
        return orbitals if self.exponents is None else self.exponents


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
    """Everything that fixes the numbers in a results file, defaults filled in.

    method : "transmission", or "lyapunov", which has `bars` in place of lengths, leads and observables
    bars   : of method lyapunov, else None
    """

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
    bars: Bars | None = None

    def document(self) -> dict[str, Any]:
        """The experiment in the form of its YAML, every default written out."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self.name,
            "seed": self.seed,
            "model": _model_document(self.model),
            "disorder": [_law_document(law) for law in self.disorder],
            "energy": self.energy,
            "flux": self.flux,
        }
        if self.bars is None:
            document["leads"] = asdict(self.leads)
        if self.sweep:
            document["sweep"] = _sweep_document(self.sweep)
        document |= {"randomness": self.randomness, "realizations": self.realizations, "method": self.method}
        if self.bars is None:
            return document | {"observables": list(self.observables)}
        return document | {"lyapunov": asdict(self.bars)}

    def identity(self) -> str:
        """SHA-256 of the canonical JSON: equal for the same experiment.

        Leaves out the name, the number of realizations, the order of the observables and the schema version.
        """
        document = self.document()
        for key in ("schema", "name", "realizations"):
            del document[key]
        document["observables"] = sorted(self.observables)
        # The order of the axes is the order of the points, so it belongs to the identity; a JSON object would lose it.
        document["sweep"] = [[axis.paths, axis.values] for axis in self.sweep]
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def with_value(self, path: str, value: float) -> Experiment:
        """The experiment with one scalar replaced, as a sweep does.

        path   : as in the YAML: "energy", "flux", "leads.potential", "model.width" (of a bar: both), "model.length",
                 "model.hopping", "model.spin_orbit.strength", "model.zeeman.2", "lyapunov.slices", "lyapunov.warmup",
                 or any number of a law, such as "disorder.0.width"
        raises : KeyError for a path that cannot be swept; `config.load` refuses those before
        """
        if path == "energy":
            return replace(self, energy=float(value))
        if path == "flux":
            return replace(self, flux=float(value))
        if path == "leads.potential":
            return replace(self, leads=replace(self.leads, potential=float(value)))
        if path in _OF_BARS and self.bars:
            return replace(self, bars=replace(self.bars, **{path.partition(".")[2]: int(value)}))
        section, _, rest = path.partition(".")
        if section == "model":
            return replace(self, model=_changed_model(self.model, rest, value))
        index, _, field = rest.partition(".")
        if section != "disorder" or field not in _numbers(self.disorder[int(index)]):
            raise KeyError(path)
        laws = list(self.disorder)
        changes: dict[str, Any] = {field: float(value)}
        laws[int(index)] = replace(laws[int(index)], **changes)
        return replace(self, disorder=tuple(laws))


def _changed_model(model: Model, path: str, value: float) -> Model:
    """The model with one scalar replaced."""
    match path.split("."):
        case ["length"]:
            return replace(model, lengths=(int(value),), times_width=False)
        case ["width"]:
            return replace(model, width=int(value), depth=int(value) if model.lattice == "cubic" else 1)
        case ["hopping"]:
            return replace(model, hopping=float(value))
        case ["spin_orbit", "strength"] if model.spin_orbit:
            return replace(model, spin_orbit=replace(model.spin_orbit, strength=float(value)))
        case ["zeeman", "0" | "1" | "2" as component] if model.zeeman:
            x, y, z = (float(value) if component == str(k) else old for k, old in enumerate(model.zeeman))
            return replace(model, zeeman=(x, y, z))
    raise KeyError(f"model.{path}")


def _numbers(law: Law) -> set[str]:
    """The fields of a law that are one number."""
    return {entry.name for entry in fields(law) if isinstance(getattr(law, entry.name), float)}


def _model_document(model: Model) -> dict[str, Any]:
    """The section `model`; keys that came after version 0.1 stand only where they say something.

    Files of results are recognised by this text, so it must not change for models that could be written then.
    """
    document: dict[str, Any] = {"lattice": model.lattice}
    if model.edge:
        document["edge"] = model.edge
    if model.lattice != "chain":
        square = model.lattice != "cubic" or model.depth == model.width
        document["width"] = model.width if square else [model.width, model.depth]
        document["edges"] = model.edges if isinstance(model.edges, str) else list(model.edges)
    if model.lengths:
        lengths = list(model.lengths)
        document["length"] = {"times_width": lengths} if model.times_width else lengths
    document["hopping"] = model.hopping
    if model.spin_orbit:
        strength = {} if model.spin_orbit.kind == "su2" else {"strength": model.spin_orbit.strength}
        document["spin_orbit"] = {"kind": model.spin_orbit.kind} | strength
    if model.zeeman:
        document["zeeman"] = list(model.zeeman)
    return document


def _law_document(law: Law) -> dict[str, Any]:
    """One entry of the disorder list; `on` and `correlation_length` stand only where they say something, as above."""
    document: dict[str, Any] = {} if isinstance(law, MagneticImpurity) else {"distribution": law.distribution}
    for entry in fields(law):
        value = getattr(law, entry.name)
        if (entry.name, value) not in _UNWRITTEN:
            document[entry.name] = list(value) if isinstance(value, tuple) else value
    return document


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
