"""What a violation of the schema means in words, and what to do about it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from mesogpu.config.diagnostics import did_you_mean, shown
from mesogpu.config.fields import FIELDS, MAX_FLUX
from mesogpu.config.scalars import resolve
from mesogpu.config.schema import DISTRIBUTIONS, Finding, is_of_another_law, known_keys, law_keys, owners

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a mapping of keys",
    "none_required": "null",
}

_BOUNDS = {
    "greater_than_equal": ("ge", "below the smallest,"),
    "less_than_equal": ("le", "above the largest,"),
    "less_than": ("lt", "not below"),
}


def explain(finding: Finding, key: str) -> str:
    """The message for a violation: "what; remedy".

    key : of `config.fields.FIELDS`, for the offending or missing key; the unknown key's section for an unknown key
    """
    if finding.kind in _EXPECTED:
        return _wrong_type(finding, key)
    if finding.kind in _BOUNDS:
        return _out_of_bounds(finding, key)
    return _OTHERS.get(finding.kind, _unforeseen)(finding, key)


def _wrong_type(finding: Finding, key: str) -> str:
    value, expected = finding.value, _EXPECTED[finding.kind]
    example = FIELDS[key].example if key in FIELDS else "..."
    if value is None:
        return f"empty where {expected} is needed; write for example {example}"
    if isinstance(value, dict | list):
        found = "a mapping" if isinstance(value, dict) else "a list"
        hint = _list_hint(key) if isinstance(value, list) else ""
        return f"{found} where {expected} is needed; write for example {example}{hint}"
    what = f"{shown(value)} is not {expected}"
    if isinstance(value, str) and finding.kind in ("int_type", "float_type"):
        return f"{what}; {_number_remedy(value, example)}"
    if finding.kind == "int_type" and isinstance(value, float) and not math.isfinite(value):
        return _not_finite(finding, key)
    if finding.kind == "int_type" and isinstance(value, float):
        return f"{what}; write {shown(math.floor(value))} or {shown(math.ceil(value))}"
    if finding.kind == "string_type":
        return f'{what}; write it in quotes, "{shown(value)}"'
    if finding.kind == "bool_type" and str(value).lower() in ("yes", "on", "y", "1", "no", "off", "n", "0"):
        return f"{what}; write {'true' if str(value).lower() in ('yes', 'on', 'y', '1') else 'false'}"
    return f"{what}; write for example {example}"


def _list_hint(key: str) -> str:
    return f", and to vary it, put '{key}' into the sweep" if key in ("energy", "flux", "model.width") else ""


def _number_remedy(text: str, example: str) -> str:
    """How a text could become the number it was meant to be."""
    if _is_number(text):
        return "remove the quotes"
    for likely in (text.replace("_", ""), text.replace(",", "."), text.replace(" ", "")):
        if _is_number(likely):
            return f"write {likely}"
    return f"write for example {example}"


def _is_number(text: str) -> bool:
    value = resolve(text)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _out_of_bounds(finding: Finding, key: str) -> str:
    name, relation = _BOUNDS[finding.kind]
    bound = finding.context[name]
    limit = f"{bound:g}" if isinstance(bound, float) else str(bound)
    remedy = FIELDS[key].bounds if key in FIELDS else f"use {limit}"
    value = finding.value
    if key == "flux" and abs(value) < 1e6:
        remedy = f"{remedy}, here {_same_flux(float(value))!r}"
    return f"{shown(value)} is {relation} {limit}; {remedy}"


def _same_flux(value: float) -> float:
    """The same physics within the bounds, without the digits that the subtraction makes up."""
    reduced = value - round(value)
    return round(min(max(reduced, -MAX_FLUX), MAX_FLUX), 12) + 0.0


def _unknown_key(finding: Finding, key: str) -> str:
    name = str(finding.location[-1])
    if is_of_another_law(finding):
        return other_law(name, finding.law, law_keys(finding.law))
    return f"unknown key; {did_you_mean(name, known_keys(key, finding.law), label='known keys')}"


def other_law(key: str, law: str, takes: Sequence[str]) -> str:
    """The complaint about a key that belongs to other laws than the one it is given to.

    takes : keys to offer instead
    """
    return f"'{key}' belongs to {', '.join(owners(key))}; {law} takes {', '.join(takes)}"


def _unknown_value(finding: Finding, _key: str) -> str:
    supported = re.findall(r"'([^']*)'", finding.context["expected"])
    if not isinstance(finding.value, str):
        found = "empty" if finding.value is None else f"{shown(finding.value)} is not text"
        return f"{found}; supported: {', '.join(supported)}"
    return f"unknown value {shown(finding.value)}; {did_you_mean(finding.value, supported, label='supported')}"


def _missing(finding: Finding, key: str) -> str:
    example = FIELDS[key].example if key in FIELDS else "..."
    if key == "disorder.*.distribution":
        # The keys that are there tell which law was meant.
        likely = (law for law in DISTRIBUTIONS if set(law_keys(law)) & set(finding.value))
        example = next(likely, example)
    return f"missing; add for example '{finding.location[-1]}: {example}'"


def _not_finite(finding: Finding, key: str) -> str:
    remedy = FIELDS[key].bounds if key in FIELDS else "write a finite number"
    what = "not a number" if math.isnan(finding.value) else "infinite or too large for a number"
    return f"{shown(finding.value)} is {what}; {remedy}"


def _bad_text(finding: Finding, key: str) -> str:
    return f"{shown(finding.value)} cannot be used; {FIELDS[key].bounds}"


def _too_short(finding: Finding, key: str) -> str:
    count, least = len(finding.value), finding.context["min_length"]
    what = f"{count} of {least} entries" if count else "an empty list"
    return f"{what}; write for example {FIELDS[key].example if key in FIELDS else '...'}"


def _too_long(finding: Finding, _key: str) -> str:
    return f"{len(finding.value)} entries, at most {finding.context['max_length']}; remove some"


def _unforeseen(finding: Finding, key: str) -> str:
    example = f"; write for example {FIELDS[key].example}" if key in FIELDS else ""
    return f"{shown(finding.value)} is not allowed ({finding.kind.replace('_', ' ')}){example}"


_OTHERS: dict[str, Callable[[Finding, str], str]] = {
    "extra_forbidden": _unknown_key,
    "literal_error": _unknown_value,
    "missing": _missing,
    "finite_number": _not_finite,
    "string_pattern_mismatch": _bad_text,
    "string_too_long": _bad_text,
    "string_too_short": _bad_text,
    "too_short": _too_short,
    "too_long": _too_long,
}
