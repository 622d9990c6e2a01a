"""The run directory: everything that a submitted run is, and the names of all files in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mesogpu.config.experiment import Experiment
from mesogpu.config.profile import Profile
from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.plan import Part, Plan, make_plan
from mesogpu.version import __version__

FORMAT: Final = 1

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

        raises : StoreError where there is none, or one of a newer version
        """
        run = cls(Path(path).absolute())
        if not run.plan_file.is_file():
            raise StoreError(f"{path}: is not a run directory; give one that mesogpu submit has made")
        if run._document["format"] > FORMAT:
            raise StoreError(
                f"{path}: was made by mesogpu {run._document['mesogpu_version']}, this version reads older ones; "
                "install that version"
            )
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
    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self.plan_file.read_text(encoding="utf-8"))
            Profile.from_document(document["profile"])
            parts = [Part(*row) for row in document["shards"]]
            counts = [document["format"], document["block_size"]]
            if not parts or not all(isinstance(count, int) for count in counts):
                raise ValueError("it has no shards")
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedFileError(
                f"{self.plan_file}: is not as it was written ({error}); restore it from a copy, or submit anew"
            ) from error
        return dict(document)

    @property
    def name(self) -> str:
        """Of the experiment."""
        return str(self._document["name"])

    @property
    def identity(self) -> str:
        """Of the experiment, and how many realizations of it: SHA-256 and a number."""
        return f"{self._document['config_sha256']}-{self._document['realizations']}"

    @property
    def backend(self) -> str:
        """Name of the engine, the same for every shard."""
        return str(self._document["backend"])

    @property
    def mixed(self) -> bool:
        """Whether shards may compute with different arithmetic."""
        return bool(self._document["mixed"])

    @cached_property
    def profile(self) -> Profile:
        """What the jobs ask for."""
        return Profile.from_document(self._document["profile"])

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What each shard computes."""
        return tuple(Part(*row) for row in self._document["shards"])

    def realizations(self, shard: int) -> int:
        """Realizations of one shard, over all its points."""
        part, size = self.parts[shard], int(self._document["block_size"])
        last = min((part.first_block + part.blocks) * size, int(self._document["realizations"]))
        return part.points * (last - part.first_block * size)

    @cached_property
    def plan(self) -> Plan:
        """The whole plan, from the configuration in the directory.

        raises : DamagedFileError where that is not the one that was submitted
        """
        from dataclasses import replace

        from mesogpu.config.load import load_experiment

        experiment = load_experiment(self.config)
        if identity(experiment) != self.identity:
            raise DamagedFileError(
                f"{self.config}: is not the configuration that was submitted; restore it, or submit the new one into "
                "another directory with -o"
            )
        return replace(make_plan(experiment), block_size=int(self._document["block_size"]))

    def entries(self) -> list[dict[str, Any]]:
        """What `note` wrote; a line that was cut off is left out."""
        try:
            lines = self.submissions.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                found.append(entry)
        return found

    def note(self, **entry: Any) -> None:
        """Add a line to the submissions, and bring it to the disk."""
        line = json.dumps({"time": now()} | entry)
        with self.submissions.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    @property
    def jobs(self) -> list[int]:
        """Every job of the run that was submitted, arrays and merges."""
        found = [entry.get(key) for entry in self.entries() for key in ("job", "merge_job")]
        return [job for job in found if isinstance(job, int)]


def identity(experiment: Experiment) -> str:
    """What must be the same for a run directory to go on: the experiment, and how many realizations of it."""
    return f"{experiment.identity()}-{experiment.realizations}"


def plan_document(
    plan: Plan, parts: tuple[Part, ...], *, backend: str, profile: Profile, mixed: bool
) -> Mapping[str, Any]:
    """What `plan.json` holds."""
    return {
        "format": FORMAT,
        "mesogpu_version": __version__,
        "name": plan.experiment.name,
        "config_sha256": plan.experiment.identity(),
        "realizations": plan.experiment.realizations,
        "backend": backend,
        "mixed": mixed,
        "block_size": plan.block_size,
        "profile": profile.document(),
        # Each shard: first point, points, first block, blocks.
        "shards": [[part.first_point, part.points, part.first_block, part.blocks] for part in parts],
    }


def now() -> str:
    """The time, for logs."""
    return datetime.now(UTC).isoformat(timespec="seconds")
