"""Which paths a sweep can vary in a given document, and why not another."""

from __future__ import annotations

from mesogpu.config.diagnostics import did_you_mean
from mesogpu.config.fields import FIELDS
from mesogpu.config.nodes import as_index
from mesogpu.config.rules import Review
from mesogpu.config.schema import SWEPT_KEYS


def swept_key(path: str) -> str:
    """The key of a path in `SWEPT_KEYS` and `FIELDS`: disorder.*.width for disorder.0.width."""
    return ".".join("*" if part.isascii() and part.isdigit() else part for part in path.split("."))


def path_refusal(found: Review, path: str) -> str:
    """Why a path cannot be swept, or ""."""
    disorder = found.root.child("disorder")
    laws = len(disorder.value) if disorder and isinstance(disorder.value, list) else 0
    square = found.scalar("model", "lattice") != "chain"
    able = [key for key in SWEPT_KEYS if "*" not in key and (square or key != "model.width")]
    able += [f"disorder.{index}.width" for index in range(laws)]
    if path in able:
        return ""
    if path == "model.width":
        return f"a chain has no width to sweep; can be swept: {', '.join(able)}"
    if swept_key(path) == "disorder.*.width":
        return f"no such law: the disorder list has {laws}, counted from 0; can be swept: {', '.join(able)}"
    indexed = ((part, as_index(part)) for part in path.split("."))
    location = tuple(part if index is None else index for part, index in indexed)
    if swept_key(path) in FIELDS or found.root.find(location):
        return f"cannot be swept; can be: {', '.join(able)}"
    for full in able:
        if full.rpartition(".")[2] == path:
            return f"unknown path; did you mean '{full}'?"
    return f"unknown path; {did_you_mean(path, able, label='can be swept')}"
