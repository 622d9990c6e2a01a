"""The report of a results file: one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesogpu.analysis.stored import stored_experiment
from mesogpu.errors import EnvironmentFault
from mesogpu.report.asked import Facts, asked_facts, sweep_table
from mesogpu.report.counts import of_bars, progress, used
from mesogpu.report.csv_text import summary_csv
from mesogpu.report.figure import figure_svg
from mesogpu.report.history import history_table
from mesogpu.report.records import analysis_tables, drawable, fit_facts, heading
from mesogpu.report.series import spread
from mesogpu.report.table import summary_table
from mesogpu.report.tabular import Table
from mesogpu.report.verdicts import verdicts
from mesogpu.report.vouching import failure_table, status_table, vouching_sentences
from mesogpu.version import __version__

if TYPE_CHECKING:
    import xarray

MOST_ROWS = 500
"""Rows of a table on the page; the rest is in the download."""

MOST_RECORDS = 6
"""Analyses of one kind on the page, spread over the sweep."""

CONTRADICTIONS = frozenset({"DIFFERS", "DIFFER", "DRIFTS"})
"""Words of verdicts that somebody should look into."""

SECTIONS = (
    ("results", "Results"),
    ("analyses", "Analyses"),
    ("certificates", "Certificates and audit"),
    ("asked", "What was asked"),
    ("run", "How it was run"),
    ("methods", "Estimators"),
    ("provenance", "Provenance"),
)
"""Anchors and names of the parts of the page."""

PIXELS_A_POINT = 1.5
"""Size of a figure where there is room for it."""

NARROW = 544
"""Pixels of a figure of one panel, which a phone can show whole; wider ones are scrolled."""

SETTINGS = ("signature", "block_size", "mesogpu_version", "git_sha")
IN_OTHER_PLACES = {"config", "packages", *SETTINGS}


def report_page(
    results: xarray.Dataset,
    summary: Mapping[str, Any],
    certificates: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
) -> str:
    """The page: verdicts, figures and tables, how it all came about, and the summary to download.

    It fetches nothing and runs no script; its own policy forbids both. The same arguments give the same text.

    results      : as `open_results` gives it
    summary      : as `analyze` returns it
    certificates : as `analysis.certificates.certificates` returns them
    records      : of the run log, as `store.read_log` gives them
    raises       : ConfigError where the configuration in the file cannot be read
    """
    experiment = stored_experiment(results)
    # Analyses have a part of the page to themselves.
    judged = verdicts({**summary, "analyses": []})
    failures, sweep = failure_table(certificates), sweep_table(results, experiment) if experiment else None
    return str(
        _template().render(
            name=summary["name"] or "results",
            state=_state(summary),
            verdicts=[(sentence, not CONTRADICTIONS.isdisjoint(sentence.split())) for sentence in judged],
            sections=[section for section in SECTIONS if section[0] != "analyses" or summary.get("analyses")],
            figures=_figures(results, summary),
            analyses=_analyses(results, summary),
            table=_shortened(summary_table(summary)),
            csv=_data_uri("text/csv;charset=utf-8", summary_csv(summary).encode()),
            vouching=vouching_sentences(certificates),
            certificates=[status_table(certificates), *([failures] if failures else [])],
            asked=asked_facts(results, experiment),
            sweep=sweep,
            config=str(results.attrs.get("config", "")),
            conduct=_conduct(results),
            history=_shortened(history_table(records)) if records else None,
            methods=list(summary["method"].items()),
            provenance=_provenance(results),
            source=Path(str(results.encoding.get("source", ""))).name,
            version=__version__,
        )
    )


def write_page(text: str, path: str | os.PathLike[str]) -> None:
    """Write a page, whole or not at all.

    raises : EnvironmentFault where it cannot be written
    """
    target = Path(path)
    part = target.with_name(f"{target.name}.tmp{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(
            f"{target}: the report cannot be written: {error.strerror or error}; choose a folder "
            "that exists and has room"
        ) from None


@cache
def _template() -> Any:
    # Only pages need it, and tables are printed more often.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mesogpu.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html")


def _state(summary: Mapping[str, Any]) -> dict[str, str]:
    """One word for the file, and a sentence."""
    computed, planned = progress(summary)
    noun = "bars" if of_bars(summary) else "samples"
    if summary["complete"]:
        return {"word": "complete", "sentence": f"All {planned:,} {noun} are computed."}
    remedy = "The same mesogpu run command goes on with it."
    if not computed:
        return {"word": "empty", "sentence": f"None of {planned:,} {noun} is computed yet. {remedy}"}
    share = f"{computed:,} of {planned:,} {noun}"
    return {"word": "unfinished", "sentence": f"The numbers below are of the {share} computed so far. {remedy}"}


def _figures(results: xarray.Dataset, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figure of the file; none where nothing is computed."""
    if not any(used(entry) for entry in summary["points"]):
        return []
    if of_bars(summary):
        shown = "Exponents, localization lengths or Lambda of the bars, with error bars; theory as lines"
    else:
        shown = (
            "Mean, variance and distribution of the conductance or of its logarithm, with error bars; theory as lines"
        )
    return [_picture(figure_svg(results, summary), f"{shown}. The numbers are in the table.")]


def _analyses(results: xarray.Dataset, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every analysis, of a long sweep some of each kind: what it says and lacks, its figure and its numbers."""
    names = {id(record): name for name, record in drawable(summary).items()}
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for record in summary.get("analyses", ()):
        kinds.setdefault(record["kind"], []).append(record)
    shown = []
    for records in kinds.values():
        chosen = spread(records, MOST_RECORDS)
        shown += [_analysis(results, summary, record, names.get(id(record))) for record in chosen]
        if len(records) > len(chosen):
            left = len(records) - len(chosen)
            shown[-1]["more"] = f"{left:,} more of these, at other points, are in mesogpu analyze --json."
    return shown


def _analysis(
    results: xarray.Dataset, summary: Mapping[str, Any], record: Mapping[str, Any], name: str | None
) -> dict[str, Any]:
    """One record for the template.

    name : of its figure, None without
    """
    title = heading(record)
    drawn = None
    if name is not None:
        caption = f"{title}: points with error bars, theory as lines. The numbers are in the table."
        drawn = _picture(figure_svg(results, summary, name), caption)
    return {
        "title": title,
        "words": record.get("words", ""),
        "missing": record.get("missing", ""),
        "figure": drawn,
        "tables": [_shortened(table) for table in analysis_tables(record)],
        "fit": fit_facts(record),
        "more": "",
    }


def _picture(image: bytes, caption: str) -> dict[str, Any]:
    """A figure as a data URI, which keeps the names inside each image apart and lets nothing in it run."""
    points = re.search(rb'<svg [^>]*?width="([0-9.]+)pt"', image)
    width = round(float(points.group(1)) * PIXELS_A_POINT) if points else None
    narrow = width is not None and width <= NARROW
    return {"source": _data_uri("image/svg+xml", image), "caption": caption, "width": width, "narrow": narrow}


def _shortened(table: Table) -> Table:
    """At most so many rows, and a word on the others."""
    left = len(table.rows) - MOST_ROWS
    if left <= 0:
        return table
    notes = (f"and {left:,} more rows", *table.footnotes)
    return Table(table.title, table.columns, table.rows[:MOST_ROWS], notes, table.keys)


def _conduct(results: xarray.Dataset) -> Facts:
    """With which arithmetic and which versions."""
    attributes = results.attrs
    signature = str(attributes.get("signature", "unknown"))
    packages = json.loads(str(attributes.get("packages", "{}")))
    return [
        ("arithmetic signature", signature),
        ("block size", f"{attributes.get('block_size', 'unknown')} realizations"),
        ("mesogpu", f"{attributes.get('mesogpu_version', 'unknown')}, commit {attributes.get('git_sha', 'unknown')}"),
        ("packages", ", ".join(f"{name} {number}" for name, number in sorted(packages.items()))),
    ]


def _provenance(results: xarray.Dataset) -> Facts:
    return [(name, str(value)) for name, value in results.attrs.items() if name not in IN_OTHER_PLACES]


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
