"""Text for people: results on stdout, narration on stderr; drawn on a terminal, aligned plain lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

QUIET = "mesogpu.quiet"
"""Key of the click context under which -q is kept."""

_GAP = 2


@dataclass(frozen=True)
class Sheet:
    """A table as plain strings: numbers to the right, so columns of numbers line up.

    footnotes : sentences below the table
    left      : leading columns that are text, aligned to the left
    keys      : leading columns that say what a row is; repeated where a terminal is too narrow for all others
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    footnotes: Sequence[str] = ()
    left: int = 0
    keys: int = 0


def is_terminal(stream: TextIO) -> bool:
    """Whether a person watches the stream through a terminal that can draw."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in ("", "dumb", "unknown")


def emit(text: str) -> None:
    """Write results to stdout; a reader that went away (`| head`) is no error."""
    _write(sys.stdout, text + "\n")


def narrate(text: str) -> None:
    """Tell on stderr what is going on, unless -q."""
    if not click.get_current_context().meta.get(QUIET, False):
        tell(text)


def tell(text: str) -> None:
    """Write to stderr, whatever the options."""
    _write(sys.stderr, text + "\n")


def emit_json(data: Any) -> None:
    """Data alone on stdout, as standard JSON (no NaN)."""
    emit(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def emit_sheet(sheet: Sheet) -> None:
    """A table on stdout, drawn by rich on a terminal."""
    emit(_drawn(sheet) if is_terminal(sys.stdout) else plain(sheet))


def emit_sentences(sentences: Sequence[str]) -> None:
    """A list of sentences on stdout, wrapped beside its bullets on a terminal."""
    if not is_terminal(sys.stdout):
        emit("\n".join(f"- {sentence}" for sentence in sentences))
        return
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for sentence in sentences:
        grid.add_row("-", Text(sentence))
    emit(_captured(grid))


def plain(sheet: Sheet) -> str:
    """The table as aligned text without any control character."""
    cells = [list(sheet.columns), *[list(row) for row in sheet.rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(sheet.columns))]
    lines = [_plain_row(row, widths, sheet.left) for row in cells]
    if any(sheet.columns):
        lines.insert(1, "  ".join("-" * width for width in widths))
    else:
        del lines[0]
    title = [sheet.title, ""] if sheet.title else []
    notes = ["", *sheet.footnotes] if sheet.footnotes else []
    return "\n".join([*title, *lines, *notes])


def _plain_row(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    aligned = [
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()


def _drawn(sheet: Sheet) -> str:
    from rich.console import Console, Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(sheet.title, style="bold")] if sheet.title else []
    parts += [_panel(sheet, columns) for columns in panels(sheet, Console().width)]
    return _captured(Group(*parts, *(Text(note, style="dim") for note in sheet.footnotes)))


def panels(sheet: Sheet, width: int) -> list[list[int]]:
    """Columns of each part of a table, so that every part fits into `width` characters if it can."""
    needed = [_column_width(sheet, column) + _GAP for column in range(len(sheet.columns))]
    keys = list(range(sheet.keys))
    parts = [list(keys)]
    for column in range(sheet.keys, len(sheet.columns)):
        taken = sum(needed[other] for other in parts[-1])
        if taken + needed[column] > width and len(parts[-1]) > len(keys):
            parts.append(list(keys))
        parts[-1].append(column)
    return parts


def _column_width(sheet: Sheet, column: int) -> int:
    cells = max((len(row[column]) for row in sheet.rows), default=0)
    return max(cells, *(len(line) for line in _heading(sheet.columns[column], cells).split("\n")))


def _heading(heading: str, width: int) -> str:
    """A heading that is wider than its column's cells, in two lines if it has two words."""
    return heading.replace(" ", "\n", 1) if len(heading) > width else heading


def _panel(sheet: Sheet, columns: Sequence[int]) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    headed = any(sheet.columns)
    frame = box.SIMPLE_HEAD if headed else None
    # The frame draws one space between columns, the padding another.
    padding = (0, 1, 0, 0) if headed else (0, _GAP, 0, 0)
    table = Table(box=frame, show_header=headed, show_edge=False, padding=padding, header_style="bold")
    for column in columns:
        heading = _heading(sheet.columns[column], max((len(row[column]) for row in sheet.rows), default=0))
        table.add_column(Text(heading), justify="left" if column < sheet.left else "right", vertical="bottom")
    for row in sheet.rows:
        table.add_row(*(Text(row[column]) for column in columns))
    return Group("", table, "") if headed else Group("", table)


def _captured(renderable: RenderableType) -> str:
    """Rendered for stdout, but as a string: writing stays in one place, which knows about closed pipes."""
    from rich.console import Console

    console = Console(highlight=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get().rstrip("\n")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends, which would complain; whatever follows has no reader either.
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
