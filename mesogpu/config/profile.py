"""Profiles: what a cluster must be told of every job, in a YAML file of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from mesogpu.config.diagnostics import Problems, did_you_mean, nearest, shown
from mesogpu.errors import ConfigError

FOLDER: Final = "profiles"
_REQUIRED: Final = ("partition", "walltime")
_WALLTIME: Final = re.compile(r"(?:(\d+)-)?(\d{1,3}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Profile:
    """What every job of a run asks SLURM for; empty and None where nothing is asked.

    partition      : where the jobs run
    walltime       : of one job, "HH:MM:SS" or "D-HH:MM:SS"
    account, qos   : who pays, and how urgent it is
    gres           : such as "gpu:1", of one job
    cpus           : of one job; as many workers compute where there is no GPU
    memory         : of one job, such as "8G"
    max_parallel   : jobs that may run at once, 0 for any number
    modules        : loaded before the program starts
    prologue       : lines of shell before the program starts
    signal_seconds : how long before the end of its time a job is warned, to commit and be queued again
    extra          : raw lines, "--constraint=a100" for "#SBATCH --constraint=a100"
    """

    partition: str
    walltime: str
    account: str = ""
    qos: str = ""
    gres: str = ""
    cpus: int = 1
    memory: str = ""
    max_parallel: int = 0
    modules: tuple[str, ...] = ()
    prologue: str = ""
    signal_seconds: int = 120
    extra: tuple[str, ...] = ()

    @property
    def seconds(self) -> int:
        """The walltime in seconds."""
        days, hours, minutes, seconds = (int(part or 0) for part in _walltime(self.walltime))
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds

    def document(self) -> dict[str, Any]:
        """As it would stand in YAML, every default written out."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """What `document` gave, after a journey through JSON."""
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in document.items()}
        return cls(**values)


def load_profile(source: str | os.PathLike[str]) -> Profile:
    """Read and check a profile.

    source : path of a YAML file, or the name of one among the user's and the site's profiles
    raises : ConfigError with every problem, "file:line:column: key: what; remedy"
    """
    # The parser is slow to import, and few commands need it.
    from mesogpu.config.load import read_tree

    path = _find(os.fspath(source))
    root, problems = read_tree(str(path)), Problems()
    if not isinstance(root.value, dict):
        problems.add(root.place, "", "not a mapping of keys; start with 'partition: NAME' and 'walltime: \"01:00:00\"'")
        problems.stop()
    values: dict[str, Any] = {}
    for key, node in root.value.items():
        if key not in _CHECKS:
            problems.add(root.key_place(key), key, f"unknown key; {did_you_mean(key, _CHECKS, label='known keys')}")
            continue
        check, remedy = _CHECKS[key]
        values[key] = check(node.plain())
        if values[key] is None:
            problems.add(node.place, key, f"{shown(node.plain())} cannot be used; {remedy}")
    meant = {nearest(key, _CHECKS) for key in root.value if key not in _CHECKS}
    for key in _REQUIRED:
        if key not in root.value and key not in meant:
            problems.add(root.place, key, f"missing; {_CHECKS[key][1]}")
    problems.stop_if_any()
    profile = Profile(**values)
    if profile.signal_seconds >= profile.seconds:
        raise ConfigError(
            f"{path}: signal_seconds: {profile.signal_seconds} is not below the walltime, {profile.seconds} s; "
            "a job would be told to stop before it began: use less, or a longer walltime"
        )
    return profile


def profile_folders() -> Iterator[Path]:
    """Where profiles are looked for by name: the user's folder, then the site's."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    yield (Path(home) if Path(home).is_absolute() else Path.home() / ".config") / "mesogpu" / FOLDER
    for site in (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(site) / "mesogpu" / FOLDER


def _find(source: str) -> Path:
    path = Path(source)
    if path.exists() or path.suffix in (".yaml", ".yml") or path.name != source:
        return path
    folders = list(profile_folders())
    for folder in folders:
        named = folder / f"{source}.yaml"
        if named.exists():
            return named
    known = sorted({found.stem for folder in folders if folder.is_dir() for found in folder.glob("*.yaml")})
    near = f"did you mean '{nearest(source, known)}'?" if nearest(source, known) else f"known: {', '.join(known)}"
    raise ConfigError(
        f"{source}: no such file, and no profile of that name in {', '.join(map(str, folders))}; "
        + (near if known else "give the path of a YAML file, see configs/profiles/")
    )


def _walltime(text: str) -> tuple[str | None, ...]:
    match = _WALLTIME.fullmatch(text)
    return match.groups() if match else (None, "0", "0", "0")


def _time(value: object) -> str | None:
    return value if isinstance(value, str) and any(int(part or 0) for part in _walltime(value)) else None


def _word(value: object) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and re.fullmatch(r"[\w.,:=/+-]+", text) else None


def _count(least: int, most: int) -> Callable[[object], int | None]:
    def check(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None

    return check


def _lines(value: object) -> tuple[str, ...] | None:
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) and line.strip() for line in lines):
        return None
    return None if any("\n" in line.strip() for line in lines) else tuple(line.strip() for line in lines)


def _options(value: object) -> tuple[str, ...] | None:
    lines = _lines(value)
    return lines if lines is None or all(line.startswith("-") for line in lines) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


_NAME = "write a word, such as '{}'"
_CHECKS: Final[dict[str, tuple[Callable[[object], Any], str]]] = {
    "partition": (_word, "write for example 'partition: gpu'; sinfo lists them"),
    "walltime": (_time, 'write HH:MM:SS or D-HH:MM:SS in quotes, such as walltime: "04:00:00"'),
    "account": (_word, _NAME.format("account: physics")),
    "qos": (_word, _NAME.format("qos: normal")),
    "gres": (_word, _NAME.format("gres: gpu:1")),
    "cpus": (_count(1, 4096), "write a whole number from 1 to 4096"),
    "memory": (_word, _NAME.format("memory: 8G")),
    "max_parallel": (_count(0, 1_000_000), "write a whole number, 0 for no limit"),
    "modules": (_lines, "write a list of names, such as [cuda/13.0, gcc]"),
    "prologue": (_text, "write lines of shell, such as 'source ~/venv/bin/activate'"),
    "signal_seconds": (_count(10, 65535), "write a whole number of seconds from 10 to 65535"),
    "extra": (_options, "write a list of options of sbatch, such as ['--constraint=a100', '--exclusive']"),
}
"""How each key is checked, and what to write instead."""
