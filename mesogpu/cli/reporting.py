"""`mesogpu report` and `compare`: a results file as a page, two files beside each other."""

from __future__ import annotations

from pathlib import Path

import click

from mesogpu.cli.exit_codes import DIFFERENT
from mesogpu.cli.options import json_option, results_argument, verbosity
from mesogpu.cli.render import Sheet, emit, emit_json, emit_sentences, emit_sheet


@click.command()
@results_argument
@click.option(
    "-o",
    "page",
    metavar="R.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page. [default: OUT.html beside OUT.h5]",
)
@verbosity
def report(results: Path, page: Path | None) -> None:
    """Write OUT.h5 up as one HTML page that holds all it shows.

    Results beside theory, figures, certificates and audit, what was asked, how it was run, the numbers as CSV.
    """
    from mesogpu import api

    emit(f"Report: {api.write_report(results, page)}")


@click.command()
@click.argument("first", metavar="A.h5", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", metavar="B.h5", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@verbosity
def compare(first: Path, second: Path, as_json: bool) -> int:
    """Whether A.h5 and B.h5 agree wherever they have a point and a length in common.

    Realizations that both have must be the same numbers; averages must agree within 3 combined errors, within 4 where
    there are more than 20 of them. Exits with 1 where the files differ.
    """
    from mesogpu.analysis import compare as compare_results
    from mesogpu.report import comparison_table, comparison_verdicts
    from mesogpu.store import open_results

    with open_results(first) as before, open_results(second) as after:
        comparison = compare_results(before, after)
    if as_json:
        emit_json(comparison)
    else:
        table = comparison_table(comparison)
        emit_sheet(Sheet(table.title, table.columns, table.rows, table.footnotes, keys=table.keys))
        emit("")
        emit_sentences(comparison_verdicts(comparison))
    return DIFFERENT if comparison["agrees"] is False else 0
