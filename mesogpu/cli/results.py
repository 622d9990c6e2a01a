"""`mesogpu status`, `analyze` and `plot`: what a results file holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesogpu.cli.exit_codes import INCOMPLETE
from mesogpu.cli.options import json_option, results_argument, verbosity
from mesogpu.cli.quantities import counted
from mesogpu.cli.render import Sheet, emit, emit_json, emit_sentences, emit_sheet, narrate

if TYPE_CHECKING:
    from mesogpu.store import Progress


_MOST_POINTS = 50
"""Points that a status lists one by one."""


@click.command()
@click.argument("results", metavar="OUT.h5|RUN/", type=click.Path(exists=True, path_type=Path))
@json_option
@verbosity
def status(results: Path, as_json: bool) -> int:
    """How much of OUT.h5 is there, also while its run is going on; how far the jobs of RUN/ are.

    Exits with 1 while work is left.
    """
    if results.is_dir():
        from mesogpu.cli.run_status import show_run

        return show_run(results, as_json=as_json)
    from mesogpu.store import read_progress

    progress = read_progress(results)
    if as_json:
        counts = {"done": progress.done, "total": progress.total, "failed": progress.failed}
        emit_json(counts | {"signatures": progress.signatures, "points": [asdict(point) for point in progress.points]})
    else:
        emit_sheet(_status_sheet(results, progress))
    return 0 if progress.complete else INCOMPLETE


@click.command()
@results_argument
@json_option
@verbosity
def analyze(results: Path, as_json: bool) -> None:
    """Statistics of OUT.h5, beside the theory.

    Every number has its error: one standard error.
    """
    if not as_json:
        show_results(results, None)
        return
    from mesogpu.analysis import analyze as analyze_results
    from mesogpu.store import open_results

    with open_results(results) as dataset:
        emit_json(analyze_results(dataset))


@click.command()
@results_argument
@click.option(
    "-o",
    "figure",
    metavar="FIG.png|pdf|svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Figure.",
)
@click.option("--analysis", metavar="KIND", help="Draw this analysis instead; --list names them.")
@click.option("--list", "list_analyses", is_flag=True, help="Name the analyses that have a figure; draw nothing.")
@verbosity
def plot(results: Path, figure: Path | None, analysis: str | None, list_analyses: bool) -> None:
    """Draw the figure of OUT.h5: conductance, its variance and histograms, or localization lengths; theory beside."""
    if list_analyses:
        _list_analyses(results)
        return
    if figure is None:
        raise click.UsageError("Missing option '-o': name the figure, such as -o figure.pdf.")
    if figure.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise click.BadParameter(f"{str(figure)!r} must end in .png, .pdf or .svg.", param_hint="'-o'")
    from mesogpu import api

    api.plot(results, figure, analysis=analysis)
    emit(f"Figure: {figure}")


def _list_analyses(path: Path) -> None:
    from mesogpu.analysis import analyze as analyze_results
    from mesogpu.report import drawable, heading
    from mesogpu.store import open_results

    with open_results(path) as dataset:
        found = drawable(analyze_results(dataset))
    for name, record in found.items():
        emit(f"{name}: {heading(record)}")
    if not found:
        narrate(f"{path} has no analysis with a figure of its own")


def show_results(path: Path, figure: Path | None, *, brief: bool = False) -> dict[str, Any]:
    """Print the summary table and the verdicts of a results file; draw its figure if a path is given.

    brief   : whether each kind of analysis has one line
    returns : the summary
    """
    from mesogpu.analysis import analyze as analyze_results
    from mesogpu.report import plot_results, summary_table, verdicts
    from mesogpu.store import open_results

    with open_results(path) as dataset:
        summary = analyze_results(dataset)
        table = summary_table(summary)
        emit_sheet(Sheet(table.title, table.columns, table.rows, table.footnotes, keys=table.keys))
        sentences = verdicts(summary, brief=brief)
        if sentences:
            emit("")
            emit_sentences(sentences)
        if figure is not None:
            plot_results(dataset, summary, figure)
    return summary


def _status_sheet(path: Path, progress: Progress) -> Sheet:
    names = list(progress.points[0].parameters)
    brief = len(progress.points) > _MOST_POINTS
    rows = [
        [
            str(number),
            *(f"{value:g}" for value in point.parameters.values()),
            *(f"{count:,}" for count in (point.done, point.total, point.failed)),
        ]
        for number, point in enumerate(progress.points)
        if not brief or point.failed or 0 < point.done < point.total
    ]
    state = "complete" if progress.complete else "incomplete"
    share = f"{100 * progress.done // progress.total} %" if progress.total else "100 %"
    done = f"{progress.done:,} of {counted(progress.total, 'realization')} ({share})"
    title = f"{path}: {state}, {done}, {progress.failed:,} failed"
    notes = ["Shown are the points that are under way or have failed samples."] if brief else []
    if len(progress.signatures) > 1:
        counts = "; ".join(f"{name}: {count:,}" for name, count in progress.signatures.items())
        notes.append(f"Mixed arithmetic, results differ in the last bits; realizations by signature: {counts}")
    return Sheet(title, ["point", *names, "done", "total", "failed"], rows, notes, keys=1 + len(names))
