"""The options that every benchmark takes."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path


def options(
    description: str | None, add: Callable[[argparse.ArgumentParser], object] | None = None
) -> argparse.Namespace:
    """Parse the command line.

    description : the program's docstring
    add         : adds the program's own options
    returns     : quick (bool), json (Path or None), and what `add` added
    """
    parser = argparse.ArgumentParser(
        description=inspect.cleandoc(description or ""), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small cases and few repeats: shows that it works")
    parser.add_argument("--json", type=Path, metavar="OUT", help="where to write the results")
    if add is not None:
        add(parser)
    return parser.parse_args()
