"""Profiles: what is read, and what every mistake is told."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from mesogpu.config.profile import _CHECKS, Profile, load_profile
from mesogpu.errors import ConfigError

ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "p.yaml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_profile(written(folder, text))
    return [line.removeprefix(f"{folder}/") for line in str(refused.value).splitlines()]


def test_every_key_is_checked() -> None:
    assert _CHECKS.keys() == {entry.name for entry in fields(Profile)}


@pytest.mark.parametrize("name", ["gpu", "cpu"])
def test_the_examples_are_good(name: str) -> None:
    profile = load_profile(ROOT / "configs" / "profiles" / f"{name}.yaml")
    assert profile.seconds in (4 * 3600, 12 * 3600)
    assert Profile.from_document(json.loads(json.dumps(profile.document()))) == profile


def test_two_keys_are_enough(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, 'partition: main\nwalltime: "1-02:03:04"\n'))
    assert profile == Profile("main", "1-02:03:04")
    assert profile.seconds == 93784


def test_all_mistakes_are_told_at_once_with_their_place(tmp_path: Path) -> None:
    text = (
        'partitoin: main\nwalltime: 90\ngres: [gpu]\ncpus: 0\nmemory: "8 G"\nextra: [constraint=a]\nmodules: {a: b}\n'
    )
    assert problems(tmp_path, text) == [
        "p.yaml:1:1: partitoin: unknown key; did you mean 'partition'?",
        "p.yaml:2:11: walltime: 90 cannot be used; write HH:MM:SS or D-HH:MM:SS in quotes, such as "
        'walltime: "04:00:00"',
        "p.yaml:3:7: gres: ['gpu'] cannot be used; write a word, such as 'gres: gpu:1'",
        "p.yaml:4:7: cpus: 0 cannot be used; write a whole number from 1 to 4096",
        "p.yaml:5:9: memory: '8 G' cannot be used; write a word, such as 'memory: 8G'",
        "p.yaml:6:8: extra: ['constraint=a'] cannot be used; write a list of options of sbatch, such as "
        "['--constraint=a100', '--exclusive']",
        "p.yaml:7:10: modules: {'a': 'b'} cannot be used; write a list of names, such as [cuda/13.0, gcc]",
    ]


def test_a_missing_key_an_empty_file_and_a_warning_before_the_start_are_told(tmp_path: Path) -> None:
    assert problems(tmp_path, "partition: a\n")[0].startswith("p.yaml:1:1: walltime: missing; write HH:MM:SS")
    assert "not a mapping" in problems(tmp_path, "")[0]
    late = 'partition: a\nwalltime: "00:01:00"\n'
    assert "signal_seconds: 120 is not below the walltime, 60 s" in problems(tmp_path, late)[0]


def test_directives_cannot_be_smuggled_in(tmp_path: Path) -> None:
    # A value with a line break would begin a line of the batch script.
    for key, value in (("partition", "a\\n#SBATCH --uid=0"), ("account", "a b"), ("memory", "8G;rm")):
        text = {"partition": "a", "walltime": "01:00:00"} | {key: value.replace("\\n", "\n")}
        assert "cannot be used" in problems(tmp_path, json.dumps(text))[0]


def test_a_profile_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "site"))
    for folder in (tmp_path, tmp_path / "site"):
        (folder / "mesogpu" / "profiles").mkdir(parents=True)
    (tmp_path / "site" / "mesogpu" / "profiles" / "fast.yaml").write_text('{partition: site, walltime: "01:00:00"}')
    assert load_profile("fast").partition == "site"
    (tmp_path / "mesogpu" / "profiles" / "fast.yaml").write_text('{partition: mine, walltime: "01:00:00"}')
    assert load_profile("fast").partition == "mine"
    with pytest.raises(ConfigError, match=r"no profile of that name in .*; did you mean 'fast'\?"):
        load_profile("fats")
