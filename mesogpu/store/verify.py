"""Whether a results file is what was committed: every byte outside its blocks, and every block by its checksum."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError
from mesogpu.store.digest import ContentsDigest
from mesogpu.store.evidence import Evidence, Truth, blocks_of, gathered, truth
from mesogpu.store.faults import explained
from mesogpu.store.hdf5_blocks import Hdf5Blocks
from mesogpu.store.scan import Found, State, scan
from mesogpu.store.soundness import faults_of_files, faults_of_structure

_COMPARED_BYTES: Final = 1 << 22
_ATTEMPTS: Final = 5
_PAUSE: Final = 0.1


@dataclass(frozen=True, slots=True)
class PointBlocks:
    """What became of the blocks of one point.

    parameters : sweep parameters by coordinate name
    committed  : blocks that are as they were committed
    damaged    : numbers of those that are not
    touched    : blocks that a run has begun and not committed; a resume computes them anew
    empty      : blocks never begun
    """

    parameters: dict[str, float]
    committed: int
    damaged: tuple[int, ...]
    touched: int
    empty: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of a results file.

    faults      : what is wrong, a sentence each; none where it is whole
    remedy      : what to do about them
    points      : of each point; none where nothing tells what the file should hold
    done, total : realizations committed and whole, and in all
    digest      : of the contents, see `ContentsDigest`; None where it was not asked for or the file is damaged
    """

    faults: tuple[str, ...]
    remedy: str
    points: tuple[PointBlocks, ...]
    done: int
    total: int
    digest: str | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not self.faults

    @property
    def complete(self) -> bool:
        """Whether it is whole and nothing is left to compute."""
        return self.whole and self.done == self.total

    @property
    def damaged_blocks(self) -> int:
        """Number of blocks that are not as they were committed."""
        return sum(len(point.damaged) for point in self.points)


def verify(path: str | os.PathLike[str], *, digest: bool = False) -> Verification:
    """Check a results file against its manifest, its configuration and the checksums of its blocks.

    Nothing is written and no lock is taken: a run may go on meanwhile, and what it commits does not count as damage.

    path   : a results file, plain or packed
    digest : whether to compute the digest of its contents
    raises : StoreError where there is nothing of ours; EnvironmentFault where the disk refuses
    """
    target = Path(path)
    previous: Verification | None = None
    with explained(target, "reading"):
        for attempt in range(_ATTEMPTS):
            with gathered(target) as evidence:
                found = examined(evidence, truth(evidence), digest=digest)
            # A run may have put another file here, or another manifest, between two looks: damage is what stays.
            if found.whole or found == previous:
                break
            previous = found
            time.sleep(_PAUSE * attempt)
    return found


def examined(evidence: Evidence, true: Truth | None, *, digest: bool = False) -> Verification:
    """What evidence shows of a file, held against what it should be."""
    command = f"mesogpu verify {evidence.path} --repair"
    faults = faults_of_files(evidence, true)
    if true is None:
        remedy = f"{command} --config CONFIG, with the YAML file of its run, keeps every block that is whole"
        return Verification((*faults, "nothing says what it should hold"), remedy, (), 0, 0)
    structural = faults_of_structure(evidence, true)
    contents = ContentsDigest(true.plan.experiment.identity(), true.layout) if digest else None
    states, wrong = _examine_blocks(evidence, true, contents, compare=not structural)
    remedy = ""
    if not evidence.there:
        remedy = f"put it back if you have it elsewhere; {command} makes an empty one, for its run to compute anew"
    elif structural or wrong:
        remedy = f"{command} keeps every block that is whole; the command of its run then computes the others"
    elif faults:
        remedy = f"{command} writes a new one"
    rows = np.array([true.layout.rows(block) for block in range(true.layout.sizes["block"])])
    done = int(((states == State.COMMITTED) @ rows).sum())
    every = (*faults, *structural, *wrong)
    computed = contents.hexdigest() if contents and not every else None
    return Verification(every, remedy, _reports(true, states), done, int(rows.sum()) * len(states), computed)


def _examine_blocks(
    evidence: Evidence, true: Truth, contents: ContentsDigest | None, *, compare: bool
) -> tuple[NDArray[np.uint8], list[str]]:
    """(points, blocks) State of every block, and what is wrong with them.

    contents : takes in what is committed
    compare  : whether to read every committed block through HDF5 as well
    """
    shape = (true.layout.sizes["point"], true.layout.sizes["block"])
    states = np.full(shape, State.EMPTY, np.uint8)
    source = blocks_of(evidence, true)
    if source is None:
        return states, []
    second = Hdf5Blocks(evidence.hdf5, true.layout) if compare and evidence.hdf5 is not None else None
    row_bytes = sum(true.layout.nbytes(each) for each in true.layout.results) // (shape[0] * true.layout.realizations)
    longest = max(1, _COMPARED_BYTES // (row_bytes * true.layout.block_size))
    run: list[Found] = []
    different = 0
    for found in scan(source):
        states[found.point, found.block] = found.state
        goes_on = run and (found.point, found.block) == (run[-1].point, run[-1].block + 1) and len(run) < longest
        if run and not (goes_on and found.state is State.COMMITTED):
            different += _differences(second, run)
            run = []
        if found.state is State.COMMITTED:
            run.append(found)
            if contents:
                contents.add(found.point, found.block, found.parts)
    different += _differences(second, run)
    damaged = int((states == State.DAMAGED).sum())
    wrong = [f"{damaged} of its {states.size} blocks are not as they were committed"] if damaged else []
    return states, wrong + ([f"HDF5 reads {different} of its blocks as other numbers"] if different else [])


def _differences(second: Hdf5Blocks | None, run: Sequence[Found]) -> int:
    """How many of some neighbouring blocks HDF5 gives differently."""
    if second is None or not run:
        return 0
    try:
        again = second.read_run(run[0].point, run[0].block, len(run))
    except DamagedFileError:
        return len(run)
    return sum(list(found.parts) != parts for found, parts in zip(run, again, strict=True))


def _reports(true: Truth, states: NDArray[Any]) -> tuple[PointBlocks, ...]:
    names = list(true.layout.parameters)
    return tuple(
        PointBlocks(
            {name: value for name, (_, value) in zip(names, point.parameters, strict=True)},
            int((row == State.COMMITTED).sum()),
            tuple(np.flatnonzero(row == State.DAMAGED).tolist()),
            int((row == State.TOUCHED).sum()),
            int((row == State.EMPTY).sum()),
        )
        for point, row in zip(true.plan.points, states, strict=True)
    )
