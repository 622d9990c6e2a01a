"""Which paths a sweep can vary in a given document, and why not another."""

from __future__ import annotations

from mesogpu.config.diagnostics import did_you_mean
from mesogpu.config.fields import FIELDS
from mesogpu.config.messages import other_law
from mesogpu.config.nodes import Location, as_index
from mesogpu.config.rules import Review
from mesogpu.config.schema import LAWS, SWEPT_KEYS, owners, swept_law_keys


def swept_key(path: str) -> str:
    """The key of a path in `SWEPT_KEYS` and `FIELDS`: disorder.*.width for disorder.0.width."""
    return ".".join("*" if part.isascii() and part.isdigit() else part for part in path.split("."))


def path_refusal(found: Review, path: str) -> str:
    """Why a path cannot be swept, or ""."""
    laws = _laws(found)
    square = found.scalar("model", "lattice") != "chain"
    able = [key for key in SWEPT_KEYS if "*" not in key and (square or key != "model.width")]
    able += [f"disorder.{index}.{key}" for index, law in enumerate(laws) if law for key in swept_law_keys(law)]
    if path in able:
        return ""
    if path == "model.width":
        return f"a chain has no width to sweep; can be swept: {', '.join(able)}"
    indexed = ((part, as_index(part)) for part in path.split("."))
    location = tuple(part if index is None else index for part, index in indexed)
    if swept_key(path).startswith("disorder.*."):
        refusal = _law_refusal(laws, path, location, able)
        if refusal is not None:
            return refusal
    if swept_key(path) in FIELDS or found.root.find(location):
        return f"cannot be swept; can be: {', '.join(able)}"
    for full in able:
        if full.rpartition(".")[2] == path:
            return f"unknown path; did you mean '{full}'?"
    return f"unknown path; {did_you_mean(path, able, label='can be swept')}"


def _laws(found: Review) -> list[str]:
    """The law at each position of the disorder list; "" where its name is missing or unknown."""
    disorder = found.root.child("disorder")
    entries = disorder.value if disorder and isinstance(disorder.value, list) else []
    names = [entry.child("distribution") for entry in entries]
    return [name.value if name and isinstance(name.value, str) and name.value in LAWS else "" for name in names]


def _law_refusal(laws: list[str], path: str, location: Location, able: list[str]) -> str | None:
    """Why a key of a law cannot be swept, or ""; None where that is no matter of the laws in the list."""
    index, key = location[1], ".".join(str(part) for part in location[2:])
    # The comparison keeps out spellings such as disorder.00.width, which would be a second name of the same value.
    if not isinstance(index, int) or index >= len(laws) or path != f"disorder.{index}.{key}":
        what = f"no such law: the disorder list has {len(laws)}, counted from 0"
        return f"{what}; can be swept: {', '.join(able)}" if owners(key) else None
    law = laws[index]
    if not law:
        # Told as such; what else could be swept of it is anyone's guess.
        return "" if any(key in swept_law_keys(owner) for owner in owners(key)) else None
    if owners(key) and law not in owners(key):
        return other_law(key, law, swept_law_keys(law))
    return None
