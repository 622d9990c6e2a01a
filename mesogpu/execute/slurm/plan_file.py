"""plan.json: what a submitted run is, apart from its configuration."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final, Self

from mesogpu.config.experiment import Experiment
from mesogpu.config.profile import Profile
from mesogpu.errors import DamagedFileError, StoreError
from mesogpu.plan import Part, Plan
from mesogpu.version import __version__

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What `plan.json` holds.

    name          : of the experiment
    config_sha256 : its identity
    realizations  : a point
    backend       : name of the engine, the same for every shard
    mixed         : whether shards may compute with different arithmetic
    block_size    : realizations a block
    profile       : what the jobs ask for
    parts         : what each shard computes
    """

    name: str
    config_sha256: str
    realizations: int
    backend: str
    mixed: bool
    block_size: int
    profile: Profile
    parts: tuple[Part, ...]

    @property
    def identity(self) -> str:
        """As `identity` of the experiment."""
        return f"{self.config_sha256}-{self.realizations}"

    def write(self, path: Path) -> None:
        """Write a new file."""
        document = {
            "format": FORMAT,
            "mesogpu_version": __version__,
            **{key: getattr(self, key) for key in _TYPES},
            "profile": self.profile.document(),
            # Each shard: first point, points, first block, blocks.
            "shards": [astuple(part) for part in self.parts],
        }
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check one.

        raises : StoreError where a newer version wrote it; DamagedFileError where it is not as it was written
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["format"] > FORMAT:
                raise StoreError(
                    f"{path}: was made by mesogpu {document['mesogpu_version']}, this version reads older ones; "
                    "install that version"
                )
            return cls(**_values(document))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedFileError(
                f"{path}: is not as it was written ({type(error).__name__}: {error}); restore it from a copy, or "
                "submit anew with another -o"
            ) from error

    def require_tiling(self, plan: Plan) -> None:
        """Check that the shards have every block of the whole plan exactly once.

        raises : ValueError
        """
        count = sum(plan.only(part).blocks_per_point * part.points for part in self.parts)
        corners = {(part.first_point, part.first_block) for part in self.parts}
        if count != len(plan.points) * plan.blocks_per_point or len(corners) != len(self.parts):
            raise ValueError("the shards do not have every block of the plan once")


def identity(experiment: Experiment) -> str:
    """What must be the same for a run directory to go on: the experiment, and how many realizations of it."""
    return f"{experiment.identity()}-{experiment.realizations}"


_TYPES: Final[dict[str, type]] = {
    "name": str,
    "config_sha256": str,
    "realizations": int,
    "backend": str,
    "mixed": bool,
    "block_size": int,
}


def _values(document: dict[str, Any]) -> dict[str, Any]:
    values = {key: document[key] for key in _TYPES}
    for key, kind in _TYPES.items():
        if type(values[key]) is not kind or (kind is int and values[key] < 1):
            raise ValueError(f"{key} is {values[key]!r}")
    parts = tuple(Part(*row) for row in document["shards"])
    if not parts:
        raise ValueError("it has no shards")
    return values | {"profile": Profile.from_document(document["profile"]), "parts": parts}
