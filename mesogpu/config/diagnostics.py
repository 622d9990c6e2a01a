"""Where a configuration is wrong and what to do about it: places, one-line problems, near misses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from mesogpu.errors import ConfigError

MAX_PROBLEMS = 200
LONGEST_SHOWN = 40
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written.

    source : file name as the user gave it, or "--set key.path=value"
    line   : counted from 1; 0 where the source has no lines
    column : counted from 1, in characters; where there are no lines, the order in which sources are told
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(slots=True)
class Problems:
    """Everything found wrong so far, reported together and in the order of the text."""

    found: dict[str, Place] = field(default_factory=dict)

    def add(self, place: Place, path: str, message: str) -> None:
        """Note one problem.

        path    : dotted path of the key, "" for the document itself
        message : "what; remedy", on one line
        """
        # A dictionary, because one mistake seen by two checks should be told once.
        self.found.setdefault(f"{place}: {path}: {message}" if path else f"{place}: {message}", place)

    def stop(self) -> NoReturn:
        """Raise the ConfigError that carries all problems."""
        # Overrides have no lines; they come after the file's own problems.
        lines = sorted(
            self.found, key=lambda text: (not self.found[text].line, self.found[text].line, self.found[text].column)
        )
        hidden = len(lines) - MAX_PROBLEMS
        if hidden > 0:
            last = self.found[lines[MAX_PROBLEMS]]
            lines[MAX_PROBLEMS:] = [f"{last}: and {hidden} more problems from here on; mend those above first"]
        raise ConfigError(*lines)

    def stop_if_any(self) -> None:
        """Raise the ConfigError if there is anything to report."""
        if self.found:
            self.stop()


def shown(value: object) -> str:
    """A value as a message shows it: YAML spelling, one line, at most about 40 characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        # Python refuses to print integers of many thousand digits.
        return str(value) if abs(value) < 10**LONGEST_SHOWN else "a very large integer"
    text = repr(value) if isinstance(value, str | float) else str(value)
    text = printable(text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def printable(text: str) -> str:
    """A text that fits on one line of a terminal: escaped if it has line breaks or control characters."""
    return text if text.isprintable() else ascii(text)


def key_text(key: str) -> str:
    """A key as part of a dotted path; one with unprintable characters is escaped, a long one is cut."""
    text = key if key and key.isprintable() else ascii(key)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def did_you_mean(word: str, options: Iterable[str], *, label: str) -> str:
    """The remedy for an unknown word: its nearest neighbour, or all options where nothing is near.

    label : what the options are, such as "supported" or "known keys"
    """
    options = list(options)
    near = nearest(word, options)
    return f"did you mean '{near}'?" if near else f"{label}: {', '.join(options)}"


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that a misspelt word was most likely meant to be, or None."""
    lowered = {option.lower(): option for option in options}
    near = difflib.get_close_matches(word[:LONGEST_WORD].lower(), lowered, n=1, cutoff=0.6)
    return lowered[near[0]] if near else None
