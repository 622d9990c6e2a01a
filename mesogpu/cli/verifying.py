"""`mesogpu verify`: whether a results file is what was committed, and how it becomes that again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesogpu.cli.exit_codes import DAMAGED, INCOMPLETE
from mesogpu.cli.options import json_option, verbosity
from mesogpu.cli.quantities import counted
from mesogpu.cli.render import Sheet, emit, emit_json, emit_sheet, tell

if TYPE_CHECKING:
    from mesogpu.store import PointBlocks, Repair, Verification


_MOST_POINTS = 50
"""Points that are listed one by one where there is nothing special about them."""

_MOST_NUMBERS = 8


@click.command()
@click.argument("results", metavar="OUT.h5", type=click.Path(path_type=Path))
@click.option("--repair", "mend", is_flag=True, help="Make a damaged file whole again, ready to go on.")
@click.option(
    "--config",
    metavar="CONFIG",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --repair: the YAML file of the run, where neither OUT.h5 nor its manifest tells any more.",
)
@click.option("--digest", is_flag=True, help="Print a SHA-256 of the results, equal for equal results however kept.")
@json_option
@verbosity
def verify(results: Path, mend: bool, config: Path | None, digest: bool, as_json: bool) -> int:
    """Check every byte of OUT.h5, also while its run is going on.

    The file is held against its manifest, its configuration and the checksum of every block. Exits with 3 where
    something is damaged, with 1 where it is whole and work is left.
    """
    if config is not None and not mend:
        raise click.UsageError("--config goes with --repair.")
    from mesogpu.store import repair
    from mesogpu.store import verify as verify_results

    if not mend:
        found = verify_results(results, digest=digest)
        _emit(results, found, None, as_json=as_json, digest=digest)
        return _verdict(found)
    experiment = None
    if config is not None:
        from mesogpu.config.load import load_experiment

        experiment = load_experiment(config)
    mended = repair(results, experiment, digest=digest)
    _emit(results, mended.after, mended, as_json=as_json, digest=digest)
    return _verdict(mended.after)


def _verdict(found: Verification) -> int:
    if not found.whole:
        return DAMAGED
    return 0 if found.complete else INCOMPLETE


def _emit(path: Path, found: Verification, mended: Repair | None, *, as_json: bool, digest: bool) -> None:
    if as_json:
        data = _data(found) | ({"digest": found.digest} if digest else {})
        if mended is not None:
            kept = None if mended.kept is None else str(mended.kept)
            data["repair"] = {"faults": mended.before.faults, "changed": mended.changed, "kept": kept}
        emit_json(data)
        return
    for fault in mended.before.faults if mended else ():
        tell(f"mesogpu: {path}: found: {fault}")
    for change in mended.changed if mended else ():
        tell(f"mesogpu: {path}: {change}")
    if mended is not None and mended.kept is not None:
        tell(f"mesogpu: {path}: the damaged original is kept as {mended.kept}; remove it when you need it no more")
    emit_sheet(_sheet(path, found))
    if digest:
        emit(f"\ndigest: {found.digest or 'none, the file is damaged'}")
    for fault in found.faults:
        tell(f"mesogpu: error: {path}: {fault}")
    if found.remedy:
        tell(f"mesogpu: {found.remedy}")


def _data(found: Verification) -> dict[str, Any]:
    return {
        "whole": found.whole,
        "complete": found.complete,
        "done": found.done,
        "total": found.total,
        "faults": found.faults,
        "remedy": found.remedy,
        "points": [asdict(point) for point in found.points],
    }


def _sheet(path: Path, found: Verification) -> Sheet:
    names = list(found.points[0].parameters) if found.points else []
    brief = len(found.points) > _MOST_POINTS
    rows = [
        [
            str(number),
            *(f"{value:g}" for value in point.parameters.values()),
            *(f"{count:,}" for count in (point.committed, len(point.damaged), point.touched + point.empty)),
        ]
        for number, point in enumerate(found.points)
        if not brief or point.damaged
    ]
    state = "damaged" if not found.whole else "whole and complete" if found.complete else "whole, work is left"
    title = f"{path}: {state}; {found.done:,} of {counted(found.total, 'realization')} committed"
    notes = list(_notes(found.points))
    notes += ["Shown are the points with damaged blocks."] if brief else []
    return Sheet(title, ["point", *names, "committed", "damaged", "unfinished"], rows, notes, keys=1 + len(names))


def _notes(points: tuple[PointBlocks, ...]) -> list[str]:
    """What the numbers of blocks do not tell."""
    notes = [
        f"Damaged blocks of point {number}: {', '.join(map(str, point.damaged[:_MOST_NUMBERS]))}"
        + (" and others" if len(point.damaged) > _MOST_NUMBERS else "")
        for number, point in enumerate(points)
        if point.damaged
    ]
    touched = sum(point.touched for point in points)
    begun = f"{counted(touched, 'block')} begun but not committed, by a run that goes on or was cut off: no damage."
    return notes[:_MOST_NUMBERS] + ([begun] if touched else [])
