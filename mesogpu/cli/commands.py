"""The command `mesogpu` and its subcommands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from mesogpu.cli.cluster import cancel, logs, merge, resume, shard, submit
from mesogpu.cli.doctor import doctor
from mesogpu.cli.faults import guarded
from mesogpu.cli.identity import version_line
from mesogpu.cli.options import verbosity
from mesogpu.cli.packing import pack
from mesogpu.cli.preparing import plan, schema, validate
from mesogpu.cli.reporting import compare, report
from mesogpu.cli.results import analyze, plot, status
from mesogpu.cli.running import run
from mesogpu.cli.verifying import verify


class GuardedGroup(click.Group):
    """A group that ends in one of mesogpu's exit codes, whatever happens."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "mesogpu",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a subcommand; always exits. Not standalone underneath, where click would turn Ctrl-C into 1."""
        del standalone_mode

        def command() -> object:
            return super(GuardedGroup, self).main(
                args,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )

        sys.exit(guarded(command))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        del ctx
        return list(self.commands)


def _print_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(version_line())
        context.exit()


@click.group(
    "mesogpu",
    cls=GuardedGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 work is left; 2 bad usage or config; 3 damaged data; 4 too many failed samples; "
    "5 environment (disk, memory, lock, driver, SLURM); 70 a bug of mesogpu; 75 a job that is to be queued again; "
    "130 interrupted, resumable.",
)
@verbosity
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print version and commit.",
)
def main() -> None:
    """Statistics of quantum transport in disordered conductors, from one YAML file.

    \b
    mesogpu run wire.yaml        compute, or go on with, wire's ensemble
    mesogpu analyze wire.h5      its statistics with error bars, beside the theory
    mesogpu submit wire.yaml --profile PROFILE   the same on a SLURM cluster
    """


_OF_FILES = (run, plan, validate, schema, status, verify, analyze, plot, report, compare, pack)
_OF_CLUSTERS = (submit, resume, cancel, logs, merge, shard)
for _command in (*_OF_FILES, *_OF_CLUSTERS, doctor):
    main.add_command(_command)
