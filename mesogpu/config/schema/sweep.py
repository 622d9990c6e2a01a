"""The JSON Schema of the `sweep` section, whose keys are paths: what pydantic's models cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesogpu.config.fields import MAX_SWEEP_POINTS

_POSITIONS = {"model": "[0-2]", "disorder": "(0|[1-9][0-9]*)"}
"""What stands for `*`: a component of a field, a law of the list."""


def sweep_definitions(items: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Definitions for `$defs`: "Sweep" itself and what it refers to.

    items : JSON Schema of one value, by swept key such as "disorder.*.width"
    """
    steps = {"type": "integer", "minimum": 2, "maximum": MAX_SWEEP_POINTS}
    ends = {"type": "number"}
    definitions: dict[str, dict[str, Any]] = {
        "Linspace": {
            "type": "object",
            "description": "Evenly spaced values: [first, last, number of values], both ends included.",
            "properties": {
                "linspace": {"type": "array", "prefixItems": [ends, ends, steps], "minItems": 3, "maxItems": 3}
            },
            "required": ["linspace"],
            "additionalProperties": False,
        }
    }
    axes = {}
    for key, item in items.items():
        name = f"Swept-{key.replace('*', 'N')}"
        position = _POSITIONS.get(key.partition(".")[0], "")
        values = {"type": "array", "items": item, "minItems": 1}
        definitions[name] = {
            "description": item["description"],
            "oneOf": [values, {"$ref": "#/$defs/Linspace"}],
        }
        axes["^" + key.replace(".", r"\.").replace("*", position) + "$"] = {"$ref": f"#/$defs/{name}"}
    definitions["Coupled"] = {
        "description": "Parameters that vary together: equally many values each.",
        "type": "object",
        "patternProperties": axes,
        "additionalProperties": False,
        "minProperties": 2,
    }
    coupled = {"$ref": "#/$defs/Coupled"}
    definitions["Sweep"] = {
        "description": "Parameters to vary, by path; crossed, the first one slowest, coupled ones last.",
        "type": "object",
        "properties": {"zip": {"oneOf": [coupled, {"type": "array", "items": coupled, "minItems": 1}]}},
        "patternProperties": axes,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return definitions
