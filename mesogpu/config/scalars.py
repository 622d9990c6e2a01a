"""Plain YAML scalars by the core schema of YAML 1.2, in both directions.

Differs from YAML 1.1 where that surprises: 1e3 is a number; yes, on and 2:30 are text; 012 is twelve.
"""

from __future__ import annotations

import json
import math
import re

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: an escape can spell it, no encoding can store it."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})

_MOST_DIGITS = 300
"""Longer integers are beyond every float, and beyond what Python converts in reasonable time."""


def resolve(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar; numbers too large for a float become infinite and are refused later."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text) or _BASED.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            return -math.inf if text.startswith("-") else math.inf
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if text in _NAN else text


def write(value: str | int | float | bool | None) -> str:
    """The YAML of a scalar, such that `resolve` returns the same value and YAML 1.1 readers agree."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        # Without the point, readers of YAML 1.1 take 1e-05 for text.
        return mantissa + (".0" if exponent and "." not in mantissa else "") + exponent + power
    if isinstance(value, int):
        return str(value)
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", value) and value.lower() not in _YAML_1_1_WORDS
    return value if plain and resolve(value) == value else json.dumps(value)


_YAML_1_1_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
