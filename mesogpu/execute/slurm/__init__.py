"""Runs on a SLURM cluster: a static array of shards, each the run of a workstation over its own part of the plan.

Nothing runs on the login node and no two tasks talk: what is done stands in the shards' files, and a merge makes one
results file of them.
"""

from mesogpu.execute.slurm.directory import RunDirectory
from mesogpu.execute.slurm.merging import merge_run
from mesogpu.execute.slurm.shard import Shard, run_shard
from mesogpu.execute.slurm.standing import RunStatus, ShardStatus, standing
from mesogpu.execute.slurm.submission import Request, Submission, cancel, resume, submit

__all__ = [
    "Request",
    "RunDirectory",
    "RunStatus",
    "Shard",
    "ShardStatus",
    "Submission",
    "cancel",
    "merge_run",
    "resume",
    "run_shard",
    "standing",
    "submit",
]
