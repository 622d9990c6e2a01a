"""The command line: wiring and rendering only, every import on demand."""

from __future__ import annotations

import sys


def entry_point() -> int:
    """Run the command line and return its exit status.

    Imports nothing before it can catch: Ctrl-C while modules load must already end in 130 without a traceback.
    """
    try:
        from mesogpu.cli.commands import main

        main()
    except KeyboardInterrupt:
        sys.stderr.write("mesogpu: interrupted\n")
        return 130
    return 0
