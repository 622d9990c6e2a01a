"""A file that needs more realizations: a larger one is built aside and takes over finished blocks and name."""

from __future__ import annotations

from mesogpu.plan import Plan
from mesogpu.store.creation import publish
from mesogpu.store.existing import Existing
from mesogpu.store.layout import make_layout
from mesogpu.store.raw import BlockFile, checksum
from mesogpu.store.variables import COMMITTED


def grow(prior: Existing, plan: Plan, *, config_text: str, signature: str) -> None:
    """Replace a results file by one for more realizations, with every block that is whole in both.

    A short last block has more rows in the larger file and is computed anew. The result is the file that a direct
    run would have after the same commits, byte for byte.

    raises : EnvironmentFault for too little space; OSError for what else the disk refuses; the old file then stands
    """
    smaller = make_layout(plan, prior.realizations)
    with prior.path.open("rb") as file:
        source = BlockFile(file.fileno(), smaller, prior.offsets)

        def copy(target: BlockFile) -> None:
            for point, states in enumerate(source.entries()):
                for block, (state, crc) in enumerate(states):
                    if state != COMMITTED or smaller.rows(block) != target.layout.rows(block):
                        continue
                    parts = source.read(point, block)
                    if checksum(point, block, parts) == crc:
                        target.write(point, block, parts)
                        target.mark(point, block, parts)

        publish(prior.path, plan, config_text=config_text, signature=signature, copy=copy)
