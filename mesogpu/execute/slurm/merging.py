"""The merge of a run: one results file out of its shards."""

from __future__ import annotations

from dataclasses import dataclass

from mesogpu.config.dump import dump_yaml
from mesogpu.execute.slurm.directory import RunDirectory
from mesogpu.plan.limits import check_disk
from mesogpu.store import append_log, file_bytes, merge


@dataclass(frozen=True, slots=True)
class MergedRun:
    """What a merge of a run found and did.

    written : whether there is a new merged file
    blocks  : blocks that the run has in all
    missing : blocks that each incomplete shard lacks, by its number
    """

    written: bool
    blocks: int
    missing: dict[int, int]


def merge_run(run: RunDirectory, *, partial: bool = False, mixed: bool = False) -> MergedRun:
    """Put the shards of a run together; where blocks are missing nothing is written, unless `partial`.

    raises : what `store.merge` raises; PlanError where the disk has no room
    """
    plan = run.plan
    check_disk(file_bytes(plan), run.results)
    parts = [(run.shard_file(number), part) for number, part in enumerate(run.parts)]
    mixed = mixed or run.description.mixed
    text = dump_yaml(plan.experiment)
    found = merge(run.results, plan, parts, config_text=text, partial=partial, mixed=mixed)
    missing = {}
    for number, part in enumerate(run.parts):
        lacking = int((~found.done[part.window]).sum())
        if lacking:
            missing[number] = lacking
    if found.written:
        append_log(run.results, event="merged", shards=len(parts), blocks=int(found.done.sum()), run=str(run.root))
    return MergedRun(found.written, found.done.size, missing)
