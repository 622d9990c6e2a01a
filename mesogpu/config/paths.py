"""Which paths a sweep can vary in a given document, and why not another."""

from __future__ import annotations

from mesogpu.config.diagnostics import did_you_mean
from mesogpu.config.disorder_rules import correlation_objection
from mesogpu.config.fields import FIELDS
from mesogpu.config.messages import other_law
from mesogpu.config.method_rules import path_objection
from mesogpu.config.nodes import Location, as_index
from mesogpu.config.review import Review
from mesogpu.config.schema import SWEPT_KEYS, law_name, owners, swept_law_keys

_COMPONENTS = tuple(f"model.zeeman.{component}" for component in range(3))


def swept_key(path: str) -> str:
    """The key of a path in `SWEPT_KEYS` and `FIELDS`: disorder.*.width for disorder.0.width."""
    return ".".join("*" if part.isascii() and part.isdigit() else part for part in path.split("."))


def path_refusal(found: Review, path: str) -> str:
    """Why a path cannot be swept, or ""."""
    laws = _laws(found)
    able = _able(found, laws)
    if path in able:
        return ""
    refusal = _absence(found, path)
    if refusal:
        return f"{refusal}; can be swept: {', '.join(able)}"
    indexed = ((part, as_index(part)) for part in path.split("."))
    location = tuple(part if index is None else index for part, index in indexed)
    if swept_key(path).startswith("disorder.*."):
        law_refusal = _law_refusal(found, laws, path, location, able)
        if law_refusal is not None:
            return law_refusal
    if swept_key(path) in FIELDS or found.root.find(location):
        return f"cannot be swept; can be: {', '.join(able)}"
    for full in able:
        if full.rpartition(".")[2] == path:
            return f"unknown path; did you mean '{full}'?"
    return f"unknown path; {did_you_mean(path, able, label='can be swept')}"


def _able(found: Review, laws: list[str]) -> list[str]:
    """Every path that this document lets a sweep vary."""
    able = [key for key in SWEPT_KEYS if "*" not in key and not _absence(found, key)]
    able += [path for path in _COMPONENTS if not _absence(found, path)]
    for index, law in enumerate(laws):
        keys = swept_law_keys(law) if law else []
        correlated = "correlation_length" in keys and not correlation_objection(found, ("disorder", index))
        able += [f"disorder.{index}.{key}" for key in keys if correlated or key != "correlation_length"]
    return able


def _absence(found: Review, path: str) -> str:
    """Why a path that can be swept cannot be in this document, which lacks it, or ""."""
    if path == "model.width" and found.scalar("model", "lattice") == "chain":
        return "a chain has no width to sweep"
    if path == "model.spin_orbit.strength":
        if found.scalar("model", "spin_orbit", "kind") == "su2":
            return "su2 has no strength to sweep"
        if not _is_there(found, "spin_orbit"):
            example = FIELDS["model.spin_orbit"].example
            return f"there is no spin-orbit coupling to sweep, write 'spin_orbit: {example}' into the model first"
    if path in _COMPONENTS and not _is_there(found, "zeeman"):
        return "there is no Zeeman field to sweep, write 'zeeman: [0.0, 0.0, 0.0]' into the model first"
    return path_objection(found, path)


def _is_there(found: Review, key: str) -> bool:
    node = found.root.find(("model", key))
    return node is not None and node.value is not None


def _laws(found: Review) -> list[str]:
    """The law at each position of the disorder list; "" where its name is missing or unknown."""
    return [law_name(entry.plain()) or "" for entry in found.items("disorder")]


def _law_refusal(found: Review, laws: list[str], path: str, location: Location, able: list[str]) -> str | None:
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
    if key == "correlation_length":
        return correlation_objection(found, ("disorder", index)) or None
    return None
