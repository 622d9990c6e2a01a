"""What of a document, or of swept values, does not fit the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from mesogpu.config.nodes import Location
from mesogpu.config.schema.document import SWEPT, Document
from mesogpu.config.schema.laws import UnnamedLaw, owners
from mesogpu.config.schema.model import FORMS


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of the schema.

    location : path of the offending or missing key
    kind     : pydantic's name of the error
    context  : its parameters, such as the bound
    value    : what was found
    law      : of `LAWS`, the one that it is about; "" for none and for a law without a good name
    """

    location: Location
    kind: str
    context: dict[str, Any]
    value: Any
    law: str = ""


def check_document(data: object) -> tuple[Document | None, list[Finding]]:
    """Validate the whole document but its sweep."""
    try:
        return Document.model_validate(data), []
    except ValidationError as error:
        return None, _judge_laws(_findings(error))


def check_values(key: str, values: Sequence[object]) -> tuple[list[Any] | None, list[Finding]]:
    """Validate values for one swept key, as if each were written in its place.

    key     : of `SWEPT_KEYS`
    returns : the values as int or float, or None and what is wrong, located by position
    """
    try:
        return SWEPT[key].validate_python(list(values)), []
    except ValidationError as error:
        return None, _findings(error)


def is_of_another_law(finding: Finding) -> bool:
    """Whether an unknown key of a law is one that another law takes."""
    return bool(finding.law) and len(finding.location) == 3 and bool(owners(str(finding.location[-1])))


def _findings(error: ValidationError) -> list[Finding]:
    return [
        Finding(
            tuple(key for key in entry["loc"] if key not in FORMS),
            entry["type"],
            entry.get("ctx", {}),
            entry["input"],
        )
        for entry in error.errors(include_url=False)
    ]


def _judge_laws(findings: Sequence[Finding]) -> list[Finding]:
    """The findings about laws, located as in the document; each of another law's keys instead of what it left out."""
    judged: list[Finding] = []
    for finding in findings:
        entry, inside = finding.location[:2], finding.location[2:]
        if entry[0] != "disorder" or len(entry) < 2:
            judged.append(finding)
        elif inside:
            # The union of the laws puts the name of the one it took behind the position.
            judged.append(replace(finding, location=entry + inside[1:], law=str(inside[0])))
        else:
            judged += _unnamed(finding) or [finding]
    mixed = {
        finding.location[:2] for finding in judged if finding.kind == "extra_forbidden" and is_of_another_law(finding)
    }
    return [finding for finding in judged if finding.kind != "missing" or finding.location[:2] not in mixed]


def _unnamed(finding: Finding) -> list[Finding]:
    """What is wrong with a law that the union cannot tell from the others."""
    try:
        UnnamedLaw.model_validate(finding.value)
    except ValidationError as error:
        return [replace(inner, location=finding.location + inner.location) for inner in _findings(error)]
    return []
