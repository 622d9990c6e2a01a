"""YAML text to one `Experiment`, or to every problem in it at once, each with its line and column."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mesogpu.config.compose import Composer, Event
from mesogpu.config.diagnostics import Place, Problems, nearest, printable
from mesogpu.config.dump import dump_yaml
from mesogpu.config.experiment import Experiment
from mesogpu.config.fields import field_key
from mesogpu.config.messages import explain
from mesogpu.config.nodes import Location, Node, from_mapping, path_text
from mesogpu.config.overrides import apply_override
from mesogpu.config.resolution import resolve_document
from mesogpu.config.review import Review
from mesogpu.config.rules import review
from mesogpu.config.schema import Document, Finding, check_document, known_keys
from mesogpu.config.sweeps import read_sweep
from mesogpu.errors import ConfigError

__all__ = ["dump_yaml", "load_experiment", "parse_experiment", "read_tree"]

MAX_BYTES = 1 << 20

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)")
_KINDS: dict[type, Literal["document", "scalar", "list", "mapping", "end", "alias"]] = {
    DocumentStartEvent: "document",
    ScalarEvent: "scalar",
    SequenceStartEvent: "list",
    MappingStartEvent: "mapping",
    SequenceEndEvent: "end",
    MappingEndEvent: "end",
    AliasEvent: "alias",
}
_REMEDIES = (
    ("'\\t'", "indent with spaces, not tabs"),
    ("expected ':'", "write 'key: value', with a space after the colon"),
    ("mapping values are not allowed", "check the indentation, and put text that has ': ' in it into quotes"),
    ("block end", "check the indentation of this line and the one above"),
    ("quoted scalar", "close the quote"),
    ("or ']'", "close the bracket"),
    ("or '}'", "close the brace"),
    ("undefined alias", "define it with & first, or put text that starts with * into quotes"),
)


def load_experiment(source: str | os.PathLike[str] | Mapping[str, Any], overrides: Sequence[str] = ()) -> Experiment:
    """Read and check an experiment.

    source    : path of a YAML file, or what would stand in it as a dictionary
    overrides : "key.path=value" each, applied in order before the checks
    raises    : ConfigError with every problem, "file:line:column: path: what; remedy"
    """
    if isinstance(source, Mapping):
        problems = Problems()
        return _check(from_mapping(source, "dict", problems), overrides, problems)
    where = os.fspath(source)
    return parse_experiment(_read(where), where, overrides)


def parse_experiment(text: str, where: str, overrides: Sequence[str] = ()) -> Experiment:
    """The same from YAML text.

    where : what messages call the text, such as its file name
    """
    problems = Problems()
    root = _compose(text, Place(printable(where), 1, 1), problems)
    return _check(root, overrides, problems)


def read_tree(where: str) -> Node:
    """The tree of any YAML file, each part with its place; for what is not an experiment.

    raises : ConfigError where it cannot be read or is not YAML
    """
    return _compose(_read(where), Place(printable(where), 1, 1), Problems())


def _read(where: str) -> str:
    path, where = Path(where), printable(where)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{where}: no such file; {_nearest_file(path)}") from None
    except IsADirectoryError:
        raise ConfigError(f"{where}: a directory; give the YAML file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{where}: cannot be read: {reason}; check the path and its permissions") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        line, column = _line_and_column(before, len(before))
        what = f"byte {data[error.start]:#04x} is not UTF-8; is this a text file? save it as UTF-8"
        # A cut in the middle of a character is the size's fault.
        what = _too_large() if len(data) > MAX_BYTES else what
        raise ConfigError(f"{Place(where, line + 1, column + 1)}: {what}") from None


def _nearest_file(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml")]
    except OSError:
        return "check the path"
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean '{path.with_name(near[0])}'?" if near else "check the path"


def _too_large() -> str:
    return f"larger than {MAX_BYTES} bytes; an experiment is a page of text: write long sweeps as linspace"


def _check(root: Node, overrides: Sequence[str], problems: Problems) -> Experiment:
    """Every check on the tree, and the experiment if none complains."""
    if not isinstance(root.value, dict):
        what = "empty" if root.value is None else "not a mapping of keys"
        problems.add(root.place, "", f"{what}; start with 'schema: 1', see configs/quickstart.yaml")
        problems.stop()

    def parse(text: str, place: Place, location: Location) -> Node:
        return _compose(text, place, problems, location)

    for order, override in enumerate(overrides):
        # What stops the reading of one override has been noted; the other problems are still worth telling.
        with contextlib.suppress(ConfigError):
            apply_override(root, override, order, parse, problems)
    found = review(root, problems)
    sweep = read_sweep(found)
    document, findings = check_document(root.plain())
    misspelt = {_meant(finding) for finding in findings if finding.kind == "extra_forbidden"}
    for finding in findings:
        # A misspelt key is one problem, not that and a missing key.
        if finding.kind != "missing" or finding.location not in misspelt:
            _report(found, finding)
    problems.stop_if_any()
    if not isinstance(document, Document):
        raise AssertionError("the schema refused the document without a reason")
    return resolve_document(document, sweep)


def _meant(finding: Finding) -> Location:
    """The location that an unknown key was most likely meant to be; () where there is none."""
    *section, key = finding.location
    meant = nearest(str(key), known_keys(field_key(tuple(section))))
    return (*section, meant) if meant else ()


def _report(found: Review, finding: Finding) -> None:
    """Place a violation of the schema in the text, unless a rule has said more of it."""
    location = finding.location
    if found.is_settled(location):
        return
    parent = found.root.find(location[:-1]) or found.root
    node = found.root.find(location)
    if finding.kind == "missing":
        above = found.root.find(location[:-2])
        place = above.key_place(location[-2]) if above and len(location) > 1 else parent.place
    elif finding.kind == "extra_forbidden":
        place = parent.key_place(location[-1])
    else:
        place = (node or parent).place
    key = field_key(location[:-1] if finding.kind == "extra_forbidden" else location)
    found.problems.add(place, path_text(location), explain(finding, key))


def _compose(text: str, origin: Place, problems: Problems, above: Location = ()) -> Node:
    """The tree of a YAML text.

    origin : where the text starts; of a source without lines, where all of it is
    above  : where in the whole document it belongs
    raises : ConfigError where the text is empty, not YAML, or beyond the limits
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        _stop(problems, origin, _too_large())
    bad = _FORBIDDEN.search(text)
    if bad:
        what = f"character U+{ord(bad.group()):04X} does not belong in YAML; is this a text file? remove it"
        _stop(problems, _shift(origin, *_line_and_column(text, bad.start())), what)
    try:
        root = Composer(problems, above).compose(_events(text, origin))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _shift(origin, mark.line, mark.column) if mark else origin
        _stop(problems, place, _syntax(str(error.problem or error.context)))
    except (YAMLError, ValueError, OverflowError) as error:
        # The library hands escapes beyond Unicode straight to chr, which knows no place.
        escape = _BEYOND_UNICODE.search(text)
        place = _shift(origin, *_line_and_column(text, escape.start())) if escape else origin
        _stop(problems, place, _syntax(str(error)))
    return Node(None, origin) if root is None else root


def _events(text: str, origin: Place) -> Iterator[Event]:
    """The parser's events, as far as they carry meaning."""
    for event in YAML(typ="safe", pure=True).parse(text):
        kind = _KINDS.get(type(event))
        if kind is None:
            continue
        yield Event(
            kind=kind,
            place=_shift(origin, event.start_mark.line, event.start_mark.column),
            value=event.anchor if kind == "alias" else getattr(event, "value", ""),
            plain=kind == "scalar" and not event.style,
            anchor=None if kind in ("alias", "document", "end") else event.anchor,
            tag=None if kind in ("alias", "document", "end") or event.tag is None else str(event.tag),
        )


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    """Both from 0, as the parser counts them."""
    return text.count("\n", 0, index), index - (text.rfind("\n", 0, index) + 1)


def _shift(origin: Place, line: int, column: int) -> Place:
    return Place(origin.source, line + 1, column + 1) if origin.line else origin


def _syntax(reason: str) -> str:
    reason = " ".join(reason.split())[:120]
    remedies = (remedy for sign, remedy in _REMEDIES if sign in reason)
    return f"not YAML: {reason}; {next(remedies, 'check indentation, quotes and brackets here and above')}"


def _stop(problems: Problems, place: Place, message: str) -> NoReturn:
    problems.add(place, "", message)
    problems.stop()
