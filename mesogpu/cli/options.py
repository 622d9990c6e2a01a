"""Arguments and options that several commands share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mesogpu.cli.render import QUIET

Command = TypeVar("Command", bound=Callable[..., Any])

_HANDLED = "mesogpu.handled"


class _StandardError(logging.Handler):
    """Writes to what sys.stderr is now, so that a progress bar can move out of the way."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except OSError:  # nobody reads stderr any more; the run goes on
            return


def _set_verbosity(context: click.Context, _: click.Parameter, count: int) -> None:
    logger = logging.getLogger("mesogpu")
    if not context.meta.get(_HANDLED):
        context.meta[_HANDLED] = True
        logger.handlers[:] = [_StandardError()]
        logger.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"))
        logger.setLevel(logging.WARNING)
        logger.propagate = False
    if count:
        logger.setLevel(logging.INFO if count == 1 else logging.DEBUG)


def _set_quiet(context: click.Context, _: click.Parameter, quiet: bool) -> None:
    if quiet:
        context.meta[QUIET] = True


def backend_option(command: Command) -> Command:
    """--backend: which engine computes."""
    return click.option(
        "--backend",
        type=click.Choice(["auto", "cuda", "native", "numpy"]),
        default="auto",
        show_default=True,
        help="Engine that computes.",
    )(command)


def verbosity(command: Command) -> Command:
    """-v and -q, the same before and after the command's name."""
    command = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_set_quiet, help="Print results and errors only."
    )(command)
    return click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_set_verbosity,
        help="Say more; -vv for all details.",
    )(command)


config_argument = click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))

results_argument = click.argument(
    "results", metavar="OUT.h5", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)

overrides_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="key.path=value",
    help="Replace one value of CONFIG, such as realizations=64 or disorder.0.width=2.0; may be repeated.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print data alone, as JSON.")

workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1, max=4096),
    help="Processes that compute. [default: the cores this process may use]",
)
