"""The JSON Schema for editors says the same as the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mesogpu.config.load import load_experiment
from mesogpu.config.schema import LAWS, json_schema, law_name
from mesogpu.errors import ConfigError

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"

# What the small validator below understands; a keyword beyond it would silently go unchecked.
CHECKED = {"$ref", "anyOf", "oneOf", "const", "enum", "type", "minimum", "maximum", "pattern", "maxLength", "items"} | {
    "prefixItems",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "minProperties",
}
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "discriminator"}
TYPES: dict[str, Any] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "integer": lambda v: isinstance(v, int | float) and not isinstance(v, bool) and float(v).is_integer(),
}


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """JSON Schema, as far as ours goes."""
    assert set(schema) <= CHECKED | ANNOTATIONS, schema
    if "$ref" in schema and not accepts(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root):
        return False
    if "anyOf" in schema and not any(accepts(option, value, root) for option in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(accepts(option, value, root) for option in schema["oneOf"]) != 1:
        return False
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return False
    kinds = schema.get("type", [])
    if kinds and not any(TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    if TYPES["number"](value):
        below = value < schema.get("exclusiveMaximum", float("inf"))
        return bool(below and schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if isinstance(value, str):
        return len(value) <= schema.get("maxLength", len(value)) and bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, list):
        return accepts_list(schema, value, root)
    return accepts_mapping(schema, value, root) if isinstance(value, dict) else True


def accepts_list(schema: dict[str, Any], value: list[Any], root: dict[str, Any]) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    if schema.get("uniqueItems") and len({json.dumps(item) for item in value}) < len(value):
        return False
    parts = schema.get("prefixItems", [schema.get("items", {})] * len(value))
    return all(accepts(part, item, root) for part, item in zip(parts, value, strict=False))


def accepts_mapping(schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any]) -> bool:
    if not set(schema.get("required", ())) <= set(value) or len(value) < schema.get("minProperties", 0):
        return False
    for key, item in value.items():
        parts = [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
        parts += [schema["properties"][key]] if key in schema.get("properties", {}) else []
        if not parts and schema.get("additionalProperties") is False:
            return False
        if not all(accepts(part, item, root) for part in parts):
            return False
    return True


def document() -> Any:
    return YAML(typ="safe", pure=True).load(QUICKSTART.read_text(encoding="utf-8"))


def test_the_quickstart_satisfies_the_schema() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
    assert accepts(schema, document(), schema)


def test_every_law_satisfies_the_schema() -> None:
    """Seen to fail with one of the laws left out of the union."""
    schema, text = json_schema(), document()
    text["disorder"] = [
        {"distribution": "uniform", "width": 1},
        {"distribution": "gaussian", "sigma": 0.5},
        {"distribution": "cauchy", "half_width": 0},
        {"distribution": "binary", "values": [-1, 2.5], "fraction": 1},
        {"distribution": "vacancy", "density": 0},
        {"on": "spins", "exchange": 1},
    ]
    swept = ("width", "sigma", "half_width", "fraction", "density", "exchange")
    text["sweep"] = {f"disorder.{index}.{key}": [0, 0.5] for index, key in enumerate(swept)}
    assert accepts(schema, text, schema)
    assert [law_name(law) for law in text["disorder"]] == list(LAWS)
    assert len(load_experiment(text).disorder) == len(LAWS)


ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"lattice": "honeycomb", "edge": "armchair"}, {}),
    ({"lattice": "honeycomb", "edge": "zigzag", "edges": "periodic"}, {"model.width": [4, 6]}),
    ({"lattice": "cubic", "width": 5, "edges": ["hard", "periodic"]}, {}),
    ({"lattice": "cubic", "width": [5, 6], "edge": None}, {"model.width": {"linspace": [4, 6, 3]}}),
    ({"spin_orbit": {"kind": "rashba", "strength": -0.3}}, {"model.spin_orbit.strength": [0, 0.5]}),
    ({"spin_orbit": {"kind": "su2"}}, {}),
    ({"spin_orbit": {"kind": "su2", "strength": None}}, {}),
    ({"spin_orbit": {"kind": "ando", "strength": 0}}, {"zip": {"model.spin_orbit.strength": [0, 1], "energy": [0, 1]}}),
    ({"spin_orbit": {"kind": "evangelou-ziman", "strength": 2}, "zeeman": None}, {}),
    ({"zeeman": [0, 0, 0.1]}, {"model.zeeman.2": [0, 0.1]}),
]
ACCEPTED_LAWS: list[dict[str, Any]] = [
    {"distribution": "uniform", "on": "bonds", "width": 1},
    {"distribution": "gaussian", "on": "sites", "sigma": 1, "correlation_length": 0},
    {"distribution": "gaussian", "sigma": 1, "correlation_length": 0.1},
    {"distribution": "cauchy", "on": "flux", "half_width": 0.1},
    {"distribution": "vacancy", "on": "sites", "density": 0.5},
]


@pytest.mark.parametrize(("model", "sweep"), ACCEPTED)
def test_the_schema_accepts_what_the_reader_accepts(model: dict[str, Any], sweep: dict[str, Any]) -> None:
    """Seen to fail with su2 held to the strength of the others."""
    schema, text = json_schema(), document()
    text["model"] |= model
    text["sweep"] = sweep or text["sweep"]
    assert load_experiment(text)
    assert accepts(schema, text, schema)


@pytest.mark.parametrize("law", ACCEPTED_LAWS)
def test_the_schema_accepts_the_laws_that_the_reader_accepts(law: dict[str, Any]) -> None:
    schema, text = json_schema(), document()
    text["disorder"] = [law]
    assert load_experiment(text)
    assert accepts(schema, text, schema)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("", "schema", 2),
        ("", "name", "a/b"),
        ("", "seed", 2**32),
        ("", "energy", "0.8"),
        ("", "flux", 0.7),
        ("", "unknown", 1),
        ("", "realizations", 0),
        ("", "method", "lyapunov"),
        ("", "method", "dmpk"),
        ("", "lyapunov", {}),
        ("", "observables", ["lyapunov_exponents"]),
        ("model", "length", None),
        ("", "observables", ["fano"]),
        ("", "disorder", [{"distribution": "uniform"}]),
        ("", "disorder", [{"distribution": "uniform", "width": -1}]),
        ("", "disorder", [{"distribution": "vacancy", "density": 1}]),
        ("", "disorder", [{"distribution": "vacancy", "on": "bonds", "density": 0.1}]),
        ("", "disorder", [{"distribution": "uniform", "on": "spins", "width": 1}]),
        ("", "disorder", [{"distribution": "gaussian", "sigma": 1, "correlation_length": 0.05}]),
        ("", "disorder", [{"distribution": "uniform", "width": 1, "correlation_length": 1}]),
        ("", "disorder", [{"exchange": 1}]),
        ("", "disorder", [{"on": "bonds", "exchange": 1}]),
        ("", "disorder", [{"on": "spins", "exchange": -1}]),
        ("", "disorder", [{"distribution": "gaussian", "width": 1}]),
        ("", "disorder", [{"distribution": "gaussian", "sigma": -1}]),
        ("", "disorder", [{"distribution": "cauchy", "half_width": 1, "sigma": 1}]),
        ("", "disorder", [{"distribution": "binary", "values": [1], "fraction": 0.5}]),
        ("", "disorder", [{"distribution": "binary", "values": [1, 2, 3], "fraction": 0.5}]),
        ("", "disorder", [{"distribution": "binary", "values": [1, 2], "fraction": 1.5}]),
        ("", "disorder", [{"values": [1, 2], "fraction": 0.5}]),
        ("model", "lattice", "honeycomb"),
        ("model", "lattice", "hexagonal"),
        ("model", "edge", "zigzag"),
        ("model", "edges", ["hard"]),
        ("model", "edges", ["hard", "open"]),
        ("model", "width", 4097),
        ("model", "width", [4, 4, 4]),
        ("model", "width", [4, 0]),
        ("model", "length", []),
        ("model", "length", {"times_width": 0.5}),
        ("model", "hopping", 0),
        ("model", "zeeman", [0, 1]),
        ("model", "zeeman", 1),
        ("model", "spin_orbit", "rashba"),
        ("model", "spin_orbit", {"kind": "rashba"}),
        ("model", "spin_orbit", {"kind": "rashba", "strength": None}),
        ("model", "spin_orbit", {"kind": "su2", "strength": 1}),
        ("model", "spin_orbit", {"kind": "dresselhaus", "strength": 1}),
        ("model", "spin_orbit", {"strength": 1}),
        ("leads", "flux", 1),
        ("sweep", "flux", []),
        ("sweep", "flux", [0.7]),
        ("sweep", "seed", [1]),
        ("sweep", "disorder.0.values", [1]),
        ("sweep", "disorder.0.fraction", [1.5]),
        ("sweep", "model.width", {"linspace": [1, 2]}),
        ("sweep", "model.zeeman.3", [1]),
        ("sweep", "model.spin_orbit.strength", ["1"]),
        ("sweep", "model.spin_orbit.kind", [1]),
        ("sweep", "disorder.0.density", [1]),
        ("sweep", "zip", {"energy": [1]}),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(section: str, key: str, value: object) -> None:
    """Seen to fail with bounds under names that JSON Schema does not know."""
    schema, text = json_schema(), document()
    (text[section] if section else text)[key] = value
    assert not accepts(schema, text, schema)
    with pytest.raises(ConfigError):
        load_experiment(text)


def bars(length: object = None, **changes: Any) -> Any:
    text = document() | {"method": "lyapunov"} | changes
    for key in {"leads", "observables"} - changes.keys():
        del text[key]
    text["model"]["length"] = length
    return text


ACCEPTED_BARS: list[dict[str, Any]] = [
    {},
    {"lyapunov": None},
    {"lyapunov": {}},
    {"lyapunov": {"slices": 32, "warmup": 0, "exponents": None}},
    {"lyapunov": {"exponents": 30}, "observables": ["lyapunov_exponents"]},
    {"observables": []},
    {"sweep": {"lyapunov.slices": [64, 128], "lyapunov.warmup": {"linspace": [0, 100, 3]}}},
]
REFUSED_BARS: list[dict[str, Any]] = [
    {"lyapunov": {"slices": 31}},
    {"lyapunov": {"warmup": -1}},
    {"lyapunov": {"exponents": 0}},
    {"lyapunov": {"exponents": "all"}},
    {"lyapunov": {"length": 9}},
    {"leads": {}},
    {"leads": None},
    {"length": 9},
    {"observables": ["conductance"]},
    {"sweep": {"lyapunov.exponents": [1]}},
    {"sweep": {"lyapunov.slices": [64.5]}},
]


@pytest.mark.parametrize("changes", ACCEPTED_BARS)
def test_the_schema_accepts_the_bars_that_the_reader_accepts(changes: dict[str, Any]) -> None:
    """Seen to fail with a length required of bars too."""
    schema, text = json_schema(), bars(**changes)
    assert load_experiment(text).bars
    assert accepts(schema, text, schema)


@pytest.mark.parametrize("changes", REFUSED_BARS)
def test_the_schema_refuses_the_bars_that_the_reader_refuses(changes: dict[str, Any]) -> None:
    """Seen to fail with leads allowed to both methods."""
    schema, text = json_schema(), bars(**changes)
    assert not accepts(schema, text, schema)
    with pytest.raises(ConfigError):
        load_experiment(text)


def test_the_schema_asks_for_a_length_of_all_but_bars() -> None:
    """Seen to fail with a length that may be left out, if it is not null."""
    schema, text = json_schema(), document()
    del text["model"]["length"]
    assert not accepts(schema, text, schema)
    text = bars()
    del text["model"]["length"]
    assert accepts(schema, text, schema)


def test_every_key_is_described() -> None:
    schema = json_schema()
    names = ["ModelSection", "SpinOrbitSection", "LeadsSection", "LyapunovSection"]
    names += [section.__name__ for section in LAWS.values()]
    for section in (schema, *(schema["$defs"][name] for name in names)):
        for key, part in section["properties"].items():
            options = [part, *part.get("anyOf", ()), schema["$defs"].get(part.get("$ref", "").rpartition("/")[2], {})]
            assert any("description" in option for option in options), key
