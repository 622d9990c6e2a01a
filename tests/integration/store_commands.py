"""A plan, some of its blocks, and commands on their files, shared by the tests of verification and repair."""

from __future__ import annotations

import store_cases as cases
from click.testing import CliRunner, Result

from mesogpu.cli.commands import main

PLAN = cases.plan()
SOME = [(0, 0), (0, 5), (1, 12)]


def invoke(*arguments: object) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments])
