"""The run directory: everything that a submitted run is, and the names of all files in it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.execute.slurm.plan_file import PlanFile, identity
from mesogpu.plan import Part, Plan, make_plan
from mesogpu.store.runlog import append_line

MOST_RESTARTS: Final = 5
"""A shard queues itself again so many times; then it waits for `mesogpu resume`."""


@dataclass(frozen=True)
class RunDirectory:
    """A run directory that is there.

    root : its path, absolute
    """

    root: Path

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunDirectory:
        """The run directory at a path.

        raises : StoreError where there is none, or one of a newer version; DamagedFileError for one that was tampered
                 with
        """
        run = cls(Path(path).absolute())
        if not run.plan_file.is_file():
            raise StoreError(f"{path}: is not a run directory; give one that mesogpu submit has made")
        run.description  # noqa: B018  read and checked before anything relies on it
        return run

    @property
    def config(self) -> Path:
        """The experiment as it was submitted, every default written out."""
        return self.root / "config.yaml"

    @property
    def plan_file(self) -> Path:
        """Which blocks each shard has, the backend and the profile."""
        return self.root / "plan.json"

    @property
    def provenance(self) -> Path:
        """Who submitted it, where, with which versions."""
        return self.root / "provenance.json"

    @property
    def script(self) -> Path:
        """The batch script of a shard."""
        return self.root / "submit.sh"

    @property
    def merge_script(self) -> Path:
        """The batch script of the merge."""
        return self.root / "merge.sh"

    @property
    def submissions(self) -> Path:
        """Every job that was submitted or cancelled, a line each."""
        return self.root / "submissions.jsonl"

    @property
    def signature(self) -> Path:
        """The arithmetic of the first shard that ran; the others must have the same."""
        return self.root / "signature"

    @property
    def cancelled(self) -> Path:
        """There where the run was cancelled: its tasks then do not queue themselves again."""
        return self.root / "cancelled"

    @property
    def kernels(self) -> Path:
        """Compiled kernels, for all shards."""
        return self.root / "kernels"

    @property
    def cupy_kernels(self) -> Path:
        """CuPy's own cache of them."""
        return self.kernels / "cupy"

    @property
    def logs(self) -> Path:
        """What the jobs printed: JOB_SHARD.log and JOB_merge.log."""
        return self.root / "logs"

    @property
    def shards(self) -> Path:
        """The results files of the shards."""
        return self.root / "shards"

    def shard_file(self, shard: int) -> Path:
        """The results file of one shard."""
        return self.shards / f"{shard:05d}.h5"

    def shard_logs(self, shard: int) -> list[Path]:
        """The logs of one shard, the latest last."""
        return sorted(self.logs.glob(f"*_{shard}.log"), key=lambda path: (path.stat().st_mtime, path.name))

    @property
    def merge_logs(self) -> list[Path]:
        """The logs of the merge jobs, the latest last."""
        return sorted(self.logs.glob("*_merge.log"), key=lambda path: (path.stat().st_mtime, path.name))

    @property
    def results(self) -> Path:
        """The merged results file."""
        return self.root / f"{self.name}.h5"

    @cached_property
    def description(self) -> PlanFile:
        """What `plan.json` says; raises as `PlanFile.read`."""
        return PlanFile.read(self.plan_file)

    @property
    def name(self) -> str:
        """Of the experiment."""
        return self.description.name

    @property
    def parts(self) -> tuple[Part, ...]:
        """What each shard computes."""
        return self.description.parts

    def realizations(self, shard: int) -> int:
        """Realizations of one shard, over all its points."""
        part, whole = self.parts[shard], self.description
        return part.points * part.realizations(whole.block_size, whole.realizations)

    @cached_property
    def plan(self) -> Plan:
        """The whole plan, from the configuration in the directory.

        raises : DamagedFileError where that is not the one that was submitted
        """
        # The parser is slow to import, and few commands need it.
        from mesogpu.config.load import load_experiment

        experiment = load_experiment(self.config)
        if identity(experiment) != self.description.identity:
            raise DamagedFileError(
                f"{self.config}: is not the configuration that was submitted; restore it, or submit the new one into "
                "another directory with -o"
            )
        plan = replace(make_plan(experiment), block_size=self.description.block_size)
        try:
            self.description.require_tiling(plan)
        except ValueError as error:
            raise DamagedFileError(f"{self.plan_file}: is not as it was written ({error}); submit anew") from error
        return plan

    def note(self, **entry: Any) -> None:
        """Add a line to the submissions, and bring it to the disk."""
        append_line(self.submissions, {"time": datetime.now(UTC).isoformat(timespec="seconds")} | entry)
