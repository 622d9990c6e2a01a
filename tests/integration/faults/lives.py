"""Lives of a results file: a writer at work, cut off at some moment by a kill or a power cut, and the next writer."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import store_cases as cases

from faults.disk import Block, Disk, Op
from faults.recording import Recorder
from mesogpu.config.experiment import SweepAxis
from mesogpu.plan import Plan
from mesogpu.store import Writer, verify
from mesogpu.store.existing import find
from mesogpu.store.layout import make_layout
from mesogpu.store.raw import BlockFile
from mesogpu.store.variables import COMMITTED

STAGES = tuple(
    cases.plan(realizations=count, sweep=(SweepAxis(("disorder.0.width",), tuple((value,) for value in values)),))
    for count, values in ((56, (0.5, 2.0)), (104, (0.5, 2.0)), (104, (0.5, 1.0, 2.0)), (176, (0.25, 0.5, 1.0, 2.0)))
)
"""What a file grows through: rows, points, both; all but the last end in a short block."""

OURS = {"run.h5", "run.h5.lock", "run.h5.manifest.json"}

Log = list[tuple[str, Op]]


@dataclass
class Outcome:
    """What became of one file.

    lost    : blocks that were acknowledged and are not there
    wrong   : blocks that are called done, by the writer or a reader, and hold other bytes
    faults  : what a verification found before any writer came
    final   : SHA-256 of the file, completed at last
    strange : what else lies beside it then
    """

    lost: set[Block] = field(default_factory=set)
    wrong: set[Block] = field(default_factory=set)
    faults: tuple[str, ...] = ()
    final: str = ""
    strange: set[str] = field(default_factory=set)


class Lives:
    """The lives of one file, each in a folder of its own.

    folder  : an empty one
    outcome : of all lives so far
    disk    : as the last cut left it
    """

    def __init__(self, folder: Path, rng: random.Random, disk: Disk | None = None) -> None:
        folder.mkdir()
        self.outcome = Outcome()
        self.disk = disk or Disk()
        self._folder = folder
        self._rng = rng
        self._lives = 0

    def live(self, plan: Plan, commits: int) -> Log:
        """One writer that commits a few groups of blocks; returns all that it did, none of it on the disk yet."""
        path, numbers = self._begin()
        existing = find(path)
        with Recorder(path.parent, self.disk, numbers) as recorder:
            fits = existing is not None and _table(existing.sizes) == _table(make_layout(plan).sizes)
            recorder.stage = "creation" if existing is None else "recovery" if fits else "growth"
            with open_writer(path, plan) as writer:
                recorder.acknowledge(self._judge(writer, plan))
                recorder.stage = "commit"
                missing = [block for block in cases.every_block(plan) if not writer.done[block]]
                self._rng.shuffle(missing)
                for _ in range(commits):
                    group = [missing.pop() for _ in range(min(len(missing), self._rng.choice((1, 2, 5))))]
                    writer.commit([cases.compute(plan, *block) for block in group])
                    recorder.acknowledge(named(plan, group))
        return recorder.log

    def end(self, log: Log, moment: int, how: str) -> None:
        """Cut a life off.

        moment : how much of the log was done
        how    : "power", or "kill", which leaves in memory what is not on the disk
        """
        for _, op in log[:moment]:
            self.disk.apply(op)
        if how == "power":
            self.disk.cut_power(self._rng)

    def complete(self, plan: Plan) -> Outcome:
        """The last life, which nothing disturbs."""
        path, _ = self._begin()
        with open_writer(path, plan) as writer:
            self._judge(writer, plan)
            writer.commit([cases.compute(plan, *block) for block in cases.every_block(plan) if not writer.done[block]])
        self.outcome.final = cases.digest(path)
        self.outcome.strange = {entry.name for entry in path.parent.iterdir()} - OURS
        return self.outcome

    def _begin(self) -> tuple[Path, dict[int, int]]:
        folder = self._folder / str(self._lives)
        self._lives += 1
        numbers = self.disk.materialize(folder, self._rng.choice((0o444, 0o644)))
        if (folder / "run.h5").exists():
            self.outcome.faults += verify(folder / "run.h5").faults
        self.outcome.wrong |= _read_wrong(folder / "run.h5")
        return folder / "run.h5", numbers

    def _judge(self, writer: Writer, plan: Plan) -> set[Block]:
        """The blocks that a new writer calls done: all that were acknowledged, with the right bytes."""
        done = [(p, b) for p, b in zip(*writer.done.nonzero(), strict=True)]
        found = named(plan, done)
        # A short block that has more rows now is computed anew, as growth says.
        self.outcome.lost |= (self.disk.acknowledged & named(plan, cases.every_block(plan))) - found
        self.outcome.wrong |= _differing(writer.path, plan, done)
        return found


def open_writer(path: Path, plan: Plan) -> Writer:
    """As every life of a file opens it."""
    return Writer(path, plan, config_text=cases.text(plan), signature=cases.SIGNATURE, grow=True)


def named(plan: Plan, blocks: Iterable[tuple[int, int]]) -> set[Block]:
    """What blocks of a plan are called in every larger one: by the value of the sweep, number and rows."""
    return {(float(plan.points[p].parameters[0][1]), b, plan.block(p, b).count) for p, b in blocks}


def trial(folder: Path, rng: random.Random) -> tuple[Outcome, list[tuple[str, str]]]:
    """Live several lives that end at random, then complete the file at its largest.

    returns : what became of it; (stage, kill or power) of each cut
    """
    lives, cuts, size = Lives(folder, rng), [], 0
    for _ in range(rng.randint(1, 3)):
        log = lives.live(STAGES[size], commits=rng.randint(0, 6))
        moment, how = _moment(log, rng), rng.choice(("power", "power", "kill"))
        cuts.append((log[max(moment - 1, 0)][0], how))
        lives.end(log, moment, how)
        size = min(size + rng.choice((0, 1)), len(STAGES) - 1)
    return lives.complete(STAGES[-1]), cuts


def every_step(folder: Path, rng: random.Random, before: Plan | None, plan: Plan, draws: int) -> Iterable[Outcome]:
    """Power cuts just before and after each durable step of one life, which grows a file or creates it.

    before : what the file holds already, None where there is none
    draws  : power cuts at each moment
    """
    first = Lives(folder / "first", rng)
    if before:
        log = first.live(before, commits=3)
        first.end(log, len(log), "kill")
    log = first.live(plan, commits=2)
    for step in [k for k, (_, op) in enumerate(log) if k and type(op).__name__ != "Write"]:
        for draw in range(draws):
            lives = Lives(folder / f"{step}-{draw}", rng, deepcopy(first.disk))
            lives.end(log, step + draw % 2, "power")
            yield lives.complete(plan)


def _moment(log: Log, rng: random.Random) -> int:
    """A moment of any stage, short or long; most are beside a step that the protocol rests on."""
    stage = rng.choice(sorted({stage for stage, _ in log}))
    moments = [k for k, (name, _) in enumerate(log) if name == stage]
    kinds = sorted({type(log[k][1]).__name__ for k in moments} - {"Write"})
    if kinds and rng.random() < 0.7:
        kind = rng.choice(kinds)
        step = rng.choice([k for k in moments if type(log[k][1]).__name__ == kind])
        return step + rng.choice((0, 1))
    return 1 + rng.choice(moments)


def _table(sizes: Mapping[str, int]) -> tuple[int, int]:
    """Extents of the commit table."""
    return sizes["point"], sizes["block"]


def _differing(path: Path, plan: Plan, blocks: Iterable[tuple[int, int]]) -> set[Block]:
    """Blocks whose bytes are not those that were computed."""
    existing = find(path)
    assert existing is not None
    with path.open("rb") as file:
        stored = BlockFile(file.fileno(), make_layout(plan), existing.offsets)
        return named(
            plan, [block for block in blocks if stored.read(*block) != stored.encode(cases.compute(plan, *block))]
        )


def _read_wrong(path: Path) -> set[Block]:
    """Blocks that a reader takes for committed, before any writer comes, and whose numbers are not theirs."""
    existing = find(path)
    if existing is None:
        return set()
    [plan] = [stage for stage in STAGES if _table(make_layout(stage).sizes) == _table(existing.sizes)]
    with path.open("rb") as file:
        entries = BlockFile(file.fileno(), make_layout(plan), existing.offsets).entries()
    return _differing(path, plan, list(zip(*(entries["state"] == COMMITTED).nonzero(), strict=True)))
