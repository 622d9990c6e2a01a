"""`mesogpu report`: a results file as a page."""

from __future__ import annotations

from pathlib import Path

import click

from mesogpu.cli.options import results_argument, verbosity
from mesogpu.cli.render import emit


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
