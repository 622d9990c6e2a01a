"""A file that is to hold more: a larger one is built aside and takes over finished blocks and name."""

from __future__ import annotations

from dataclasses import replace

from mesogpu.store.continuation import Continuation
from mesogpu.store.creation import publish
from mesogpu.store.layout import make_layout
from mesogpu.store.raw import BlockFile, checksum
from mesogpu.store.variables import COMMITTED


def grow(step: Continuation, *, config_text: str) -> None:
    """Replace a results file by one for more realizations, points or signatures, with every block that is whole in it.

    A short last block that has more rows in the larger file is computed anew. Unless signatures are mixed, the result
    is the file that a direct run would have after the same commits, byte for byte.

    raises : EnvironmentFault for too little space; OSError for what else the disk refuses; the old file then stands
    """
    smaller = make_layout(step.stored, mixed=step.prior.mixed)
    with step.prior.path.open("rb") as file:
        source = BlockFile(file.fileno(), smaller, step.prior.offsets)
        entries = source.entries()

        def copy(target: BlockFile) -> None:
            for point, place in enumerate(step.sources):
                if place is None:
                    continue
                for block, (state, crc) in enumerate(entries[place]):
                    if state != COMMITTED or smaller.rows(block) != target.layout.rows(block):
                        continue
                    parts = source.read(place, block)
                    if checksum(place, block, parts) == crc:
                        result, signature = source.decode(place, block, parts)
                        taken = target.encode(replace(result, point=point), signature)
                        target.write(point, block, taken)
                        target.mark(point, block, taken)

        publish(step.prior.path, step.plan, config_text=config_text, signature=step.signature, copy=copy)
