"""Whether a plan may go on with a results file, and which of its points it finds there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.plan import Plan, Point
from mesogpu.store.existing import Existing, find
from mesogpu.store.manifest import manifest_path
from mesogpu.store.provenance import PART
from mesogpu.store.stored import stored_plan
from mesogpu.store.variables import UNSIGNED

_SHOWN: Final = 5
_NOT_COMPARED: Final = ("name", "schema", "realizations")


@dataclass(frozen=True)
class Continuation:
    """How a plan goes on with a results file.

    prior     : the file
    stored    : what the file holds, as a plan of its own
    plan      : what it is to hold
    sources   : for each point of the plan the point of the file that is the same, None for a new one
    signature : the attribute of the file to be, one arithmetic signature a line
    """

    prior: Existing
    stored: Plan
    plan: Plan
    sources: tuple[int | None, ...]
    signature: str

    @property
    def in_place(self) -> bool:
        """Whether the file needs no larger one in its place."""
        return (
            self.prior.attributes["config_sha256"] == self.plan.experiment.identity()
            and self.prior.realizations == self.plan.realizations
            and self.prior.attributes["signature"] == self.signature
        )


def in_stored_blocks(path: str | os.PathLike[str], plan: Plan) -> Plan:
    """The plan, cut into blocks of the size that the file at its path has: a file that grows keeps its B.

    raises : as `existing.find`
    """
    prior = find(Path(os.path.realpath(path)))
    return plan if prior is None or prior.block_size < 1 else replace(plan, block_size=prior.block_size)


def continuation(prior: Existing, plan: Plan, signature: str, *, grow: bool, mixed: bool) -> Continuation:
    """How the plan goes on with this file.

    signature : of the blocks to come
    grow      : whether sweep points may be added
    mixed     : whether blocks of another signature may stand beside those of the file
    raises    : StoreError where its blocks could not stand beside the plan's; DamagedFileError where that is only what
                damage made of it
    """
    if prior.packed:
        raise StoreError(
            f"{prior.path}: is packed, and a packed file is read but not gone on with; go on with the file that it was "
            "packed from, or choose another output with -o"
        )
    try:
        stored = _stored(prior, plan)
        sources = _sources(prior, stored, plan, grow=grow)
        _require_blocks(prior, plan)
        return Continuation(prior, stored, plan, sources, _signatures(prior, signature, mixed=mixed))
    except DamagedFileError:
        raise
    except StoreError as refusal:
        if manifest_path(prior.path).exists() and not prior.is_whole():
            raise prior.damage() from refusal
        raise


def _stored(prior: Existing, plan: Plan) -> Plan:
    """What the file holds, as a plan; without a look into its configuration where that must be the plan's own."""
    part = plan.part.text() if plan.part else None
    if prior.attributes.get(PART) != part:
        raise StoreError(
            f"{prior.path}: holds {'a part' if PART in prior.attributes else 'the whole'} of an experiment, to run is "
            f"{plan.part.describe() if plan.part else 'the whole'}; mesogpu resume and mesogpu merge go on with the "
            "parts of a submitted run; or choose another output with -o"
        )
    if part is not None and prior.realizations != plan.realizations:
        raise DamagedFileError(
            f"{prior.path}: holds {prior.realizations} realizations a point, this part of the run has "
            f"{plan.realizations}; remove it, it is computed again"
        )
    if prior.attributes["config_sha256"] == plan.experiment.identity():
        if part is not None:
            return replace(plan, block_size=prior.block_size)
        experiment = replace(plan.experiment, realizations=prior.realizations)
        return replace(plan, experiment=experiment, block_size=prior.block_size)
    try:
        return stored_plan(prior)
    except StoreError as error:
        raise _another(prior, plan) from error


def _sources(prior: Existing, stored: Plan, plan: Plan, *, grow: bool) -> tuple[int | None, ...]:
    """Where each point of the plan stands in the file; refuses where one of the file's has no place in the plan."""
    if stored.experiment.identity() == plan.experiment.identity():
        return tuple(range(len(plan.points)))
    places = {_physics(point): point.index for point in stored.points}
    sources = tuple(places.get(_physics(point)) for point in plan.points)
    wanted = {_physics(point) for point in plan.points}
    lost = [point for point in stored.points if _physics(point) not in wanted]
    if lost:
        moved = {_physics(point, stream=False) for point in plan.points}
        independent = stored.experiment.randomness == plan.experiment.randomness == "independent"
        if independent and all(_physics(point, stream=False) in moved for point in lost):
            raise StoreError(
                f"{prior.path}: its point number {lost[0].index}{_parameters(lost[0])} would get another number, and "
                "under randomness: independent the random numbers are keyed by it; add values at the end of the first "
                "axis of the sweep, so that old points keep their numbers, or choose another output with -o"
            )
        raise _another(prior, plan, stored, lost if len(lost) < len(stored.points) or grow else ())
    if not grow:
        raise StoreError(
            f"{prior.path}: holds {len(stored.points)} of the {len(plan.points)} sweep points of this experiment; add "
            "--grow to keep what is computed of them and go on with the others, or choose another output with -o"
        )
    return sources


def _require_blocks(prior: Existing, plan: Plan) -> None:
    if prior.block_size != plan.block_size:
        raise StoreError(
            f"{prior.path}: is cut into blocks of {prior.block_size} realizations, this plan into blocks of "
            f"{plan.block_size}; run the same command again, which keeps the file's, or choose another output with -o"
        )
    if prior.realizations > plan.realizations:
        raise StoreError(
            f"{prior.path}: holds {prior.realizations} realizations a point, more than the {plan.realizations} asked "
            "for; use it as it is, or choose another output with -o"
        )


def _signatures(prior: Existing, signature: str, *, mixed: bool) -> str:
    """The attribute `signature` of the file to be."""
    known = prior.signatures
    if signature in known:
        return "\n".join(known)
    if not mixed:
        raise StoreError(
            f"{prior.path}: was computed by {' and '.join(map(repr, known))}, this run would use {signature!r}, whose "
            "results differ in the last bits; use the same backend and machine type, add --mixed to let both stand in "
            "the file with each block marked, or choose another output with -o"
        )
    if len(known) >= UNSIGNED:
        raise StoreError(
            f"{prior.path}: holds blocks of {len(known)} arithmetic signatures, as many as a file can; use one of them "
            "again, or choose another output with -o"
        )
    return "\n".join((*known, signature))


def _physics(point: Point, *, stream: bool = True) -> Point:
    """All of a point that decides its numbers; without `stream`, that decides the numbers but for its random stream."""
    return replace(point, index=0, parameters=(), stream_point=point.stream_point if stream else 0)


def _another(prior: Existing, plan: Plan, stored: Plan | None = None, lost: Sequence[Point] = ()) -> StoreError:
    """The refusal of another experiment, with the first values that differ and points that would be lost."""
    ours = dict(_leaves(plan.experiment.document()))
    theirs = dict(_leaves(stored.experiment.document())) if stored else ours
    changed = [path for path in sorted(theirs | ours) if theirs.get(path) != ours.get(path)]
    changed = [path for path in changed if path not in _NOT_COMPARED]
    shown = [f"{path}: {theirs.get(path)!r} there, {ours.get(path)!r} here" for path in changed[:_SHOWN]]
    more = [f"and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
    points = [f"its point number {lost[0].index}{_parameters(lost[0])} is not among those to run"] if lost else []
    return StoreError(
        f"{prior.path}: holds another experiment ({prior.attributes['config_sha256'][:12]}) than the one to run "
        f"({'; '.join([plan.experiment.identity()[:12], *shown, *more, *points])}); choose another output with -o"
    )


def _parameters(point: Point) -> str:
    values = ", ".join(f"{path} = {value!r}" for path, value in point.parameters)
    return f" ({values})" if values else ""


def _leaves(document: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(document, list | tuple) and any(isinstance(item, Mapping) for item in document):
        for number, item in enumerate(document):
            yield from _leaves(item, f"{path}.{number}")
    else:
        yield path, list(document) if isinstance(document, tuple) else document
