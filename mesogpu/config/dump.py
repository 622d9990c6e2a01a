"""An experiment written back as YAML, every default in it; the text depends on nothing but the experiment."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from mesogpu.config.experiment import Experiment
from mesogpu.config.scalars import write
from mesogpu.config.sweeps import evenly_spaced

_LINE_WIDTH = 100
_LONGEST_LISTED = 16
"""Swept values beyond this many are written as a linspace where they are one."""


def dump_yaml(experiment: Experiment) -> str:
    """The resolved experiment as YAML: parsing it gives an equal experiment."""
    document = experiment.document()
    sweep = document.get("sweep", {})
    for path, values in sweep.items():
        groups = [] if path != "zip" else values if isinstance(values, list) else [values]
        for group in groups:
            group.update({inner: _compact(column) for inner, column in group.items()})
        if not groups:
            sweep[path] = _compact(values)
    return "\n".join(_mapping(document, 0)) + "\n"


def _compact(values: list[float]) -> list[float] | dict[str, list[float]]:
    """A long evenly spaced list as {linspace: [first, last, number]}."""
    if len(values) > _LONGEST_LISTED and evenly_spaced(values[0], values[-1], len(values)) == tuple(values):
        return {"linspace": [values[0], values[-1], len(values)]}
    return values


def _mapping(mapping: dict[str, Any], indent: int) -> Iterator[str]:
    margin = " " * indent
    for key, value in mapping.items():
        if isinstance(value, dict) and not _is_inline(value):
            yield f"{margin}{key}:"
            yield from _mapping(value, indent + 2)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield f"{margin}{key}:"
            yield from _items(value, indent + 2)
        else:
            yield from _wrapped(f"{key}: {_inline(value)}", margin)


def _items(items: list[dict[str, Any]], indent: int) -> Iterator[str]:
    margin = " " * indent
    for item in items:
        if _is_inline(item):
            yield from _wrapped(f"- {_inline(item)}", margin)
            continue
        first, *others = _mapping(item, indent + 2)
        yield f"{margin}- {first.strip()}"
        yield from others


def _wrapped(text: str, margin: str) -> list[str]:
    return textwrap.wrap(
        text,
        _LINE_WIDTH,
        initial_indent=margin,
        subsequent_indent=f"{margin}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _is_inline(mapping: dict[str, Any]) -> bool:
    return bool({"linspace", "times_width", "distribution", "exchange", "kind", "exponents"} & set(mapping))


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return write(value)
