"""Markdown of tables, and what stands between markers in a text."""

from __future__ import annotations

from collections.abc import Collection


def markdown(heads: list[str], lines: list[list[str]], words: Collection[int] = (0,)) -> str:
    """A table.

    words : numbers of the columns that are flush left; the others hold figures
    """
    rule = ["---" if column in words else "---:" for column in range(len(heads))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, rule, *lines])


def with_section(text: str, name: str, body: str) -> str:
    """The text with `body` between the markers of that name.

    raises : ValueError where a marker is missing
    """
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opened, rest = text.partition(opening)
    _, closed, after = rest.partition(closing)
    if not (opened and closed):
        raise ValueError(f"no {opening} ... {closing} in the text")
    return f"{before}{opening}\n{body}{closing}{after}"
