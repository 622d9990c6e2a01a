"""A file that is to hold more: a larger one is built aside and takes over finished blocks and name."""

from __future__ import annotations

from dataclasses import replace

from mesogpu.store.continuation import Continuation
from mesogpu.store.creation import publish
from mesogpu.store.layout import make_layout
from mesogpu.store.provenance import file_attributes
from mesogpu.store.raw import BlockFile
from mesogpu.store.scan import State, scan


def grow(step: Continuation, *, config_text: str) -> None:
    """Replace a results file by one for more realizations, points or signatures, with every block that is whole in it.

    A short last block that has more rows in the larger file is computed anew. Unless signatures are mixed, the result
    is the file that a direct run would have after the same commits, byte for byte.

    raises : EnvironmentFault for too little space; OSError for what else the disk refuses; the old file then stands
    """
    smaller = make_layout(step.stored, mixed=step.prior.mixed)
    with step.prior.path.open("rb") as file:
        source = BlockFile(file.fileno(), smaller, step.prior.offsets)
        places = {place: point for point, place in enumerate(step.sources) if place is not None}

        def copy(target: BlockFile) -> None:
            for found in scan(source):
                same_rows = smaller.rows(found.block) == target.layout.rows(found.block)
                if found.state is State.COMMITTED and same_rows and found.point in places:
                    result, signature = source.decode(found.point, found.block, found.parts)
                    point = places[found.point]
                    taken = target.encode(replace(result, point=point), signature)
                    target.write(point, found.block, taken)
                    target.mark(point, found.block, taken)

        attributes = file_attributes(step.plan, config_text=config_text, signature=step.signature)
        publish(step.prior.path, step.plan, attributes, copy)
