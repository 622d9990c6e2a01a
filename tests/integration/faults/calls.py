"""Calls to the operating system, replaced in `os` and wherever the store keeps one under a name of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]
Setter = Callable[[Any, str, Any], None]


def replace_call(name: str, other: Call, setter: Setter = setattr) -> None:
    """Let os.NAME be another function.

    setter : sets an attribute of a module; a MonkeyPatch's undoes it later
    """
    function = getattr(os, name)
    store = [module for key, module in sys.modules.items() if key.startswith("mesogpu.store.")]
    for module in (os, *store):
        for attribute in [key for key, value in vars(module).items() if value is function]:
            setter(module, attribute, other)


def fail_from(nth: int, name: str, code: int, setter: Setter = setattr) -> list[int]:
    """Let the nth and all later calls of os.NAME fail; returns a list that grows by one with each failure."""
    function, calls, failures = getattr(os, name), [0], []

    def failing(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] < nth:
            return function(*arguments, **named)
        failures.append(calls[0])
        raise OSError(code, os.strerror(code))

    replace_call(name, failing, setter)
    return failures
