"""`mesogpu pack`: a small copy of a results file, for keeping and passing on."""

from __future__ import annotations

from pathlib import Path

import click

from mesogpu.cli.exit_codes import INCOMPLETE
from mesogpu.cli.options import results_argument, verbosity
from mesogpu.cli.quantities import human_bytes
from mesogpu.cli.render import emit, tell


@click.command()
@results_argument
@click.option(
    "-o",
    "out",
    metavar="SMALL.h5",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The copy, a new file.",
)
@verbosity
def pack(results: Path, out: Path) -> int:
    """Write a compressed copy of OUT.h5 with checksums and its run log in it.

    The copy is read back before it gets its name. It can be read like OUT.h5, by anything that reads HDF5, but not be
    gone on with. Exits with 1 where OUT.h5 is not complete: the copy then holds what there is.
    """
    from mesogpu import api

    made = api.pack(results, out)
    sizes = f"{human_bytes(made.bytes_before)} to {human_bytes(made.bytes_after)}"
    emit(f"{out}: {sizes}, {made.ratio:.2f} times smaller; {made.blocks:,} blocks read back and right")
    if not made.complete:
        tell(
            f"mesogpu: {results} is not complete: {made.blocks_in_all - made.blocks:,} of {made.blocks_in_all:,} "
            f"blocks are missing in {out} too; pack {results} again when its run is over"
        )
        return INCOMPLETE
    return 0
