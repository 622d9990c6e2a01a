"""Wheels carry the package, its commit and the kernels; the image and the README's commands are what they promise.

Planted faults that these tests were seen to fail on: a build without the hook, the hook taking an enclosing
repository's commit or ignoring changed files, an unpinned or devel base image, no USER line, a README without a marker.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BUILD_INPUTS = ["pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore", "mesogpu", "kernels"]

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git to make a repository")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what a build reads, outside any repository."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in BUILD_INPUTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build.py"))
        else:
            shutil.copy(source, folder)
    return folder


def build(folder: Path, target: str, **environment: str) -> Path:
    """Build a wheel or an sdist as pip would, but with the hatchling that is installed; returns the file."""
    output = folder.parent / f"built-{target}-{folder.name}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MESOGPU_"))}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(output)],
        cwd=folder,
        env=clean | environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = output.iterdir()
    return built


def commit_all(folder: Path) -> str:
    """Make `folder` a repository of its own with one commit; returns the commit."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def baked_commit(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        found = re.search(r'GIT_SHA = "([^"]*)"', archive.read("mesogpu/_build.py").decode())
    assert found is not None
    return found.group(1)


def test_a_wheel_carries_every_module_the_kernels_and_the_command(sources: Path) -> None:
    wheel = build(sources, "wheel")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "mesogpu = mesogpu.cli:entry_point" in archive.read(entry_points).decode()
    modules = {path.relative_to(sources).as_posix() for path in (sources / "mesogpu").rglob("*.py")}
    modules |= {f"mesogpu/report/templates/page.{suffix}" for suffix in ("html", "css")}
    assert modules <= names
    assert {"mesogpu/py.typed", "mesogpu/_build.py", "mesogpu/_kernels/README.md"} <= names
    assert not any(name.startswith(("tests/", "configs/")) for name in names)
    assert baked_commit(wheel) == "unknown"
    assert not (sources / "mesogpu" / "_build.py").exists(), "a plain build leaves the checkout as it is"


@needs_git
def test_a_wheel_knows_its_commit_even_through_a_source_distribution(sources: Path) -> None:
    commit = commit_all(sources)
    assert baked_commit(build(sources, "wheel")) == commit

    # Unpacked inside somebody else's repository, whose commit is not ours.
    foreign = sources.parent / "foreign"
    foreign.mkdir()
    (foreign / "file").touch()
    assert commit_all(foreign) != commit
    shutil.unpack_archive(build(sources, "sdist"), foreign)
    (unpacked,) = (path for path in foreign.iterdir() if path.name.startswith("mesogpu-"))
    assert baked_commit(build(unpacked, "wheel")) == commit


@needs_git
def test_a_wheel_of_changed_sources_says_dirty(sources: Path) -> None:
    commit = commit_all(sources)
    with (sources / "mesogpu" / "version.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert baked_commit(build(sources, "wheel")) == f"{commit}-dirty"


def test_a_container_build_names_its_commit(sources: Path) -> None:
    assert baked_commit(build(sources, "wheel", MESOGPU_GIT_SHA="0123abc")) == "0123abc"


def instructions(name: str) -> list[str]:
    """Arguments of a Dockerfile's instructions of one kind, continuation lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.split(" ")[0] == name]


def test_the_image_is_a_pinned_cuda_13_runtime_with_an_ordinary_user() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"nvidia/cuda:13\.\d+\.\d+-runtime-ubuntu24\.04", base)
    (user,) = instructions("USER")
    assert user.isdecimal()
    assert int(user) >= 1000
    assert instructions("ENTRYPOINT") == ['["mesogpu"]']
    assert "[cuda13]" in DOCKERFILE


def test_the_image_copies_only_what_its_build_reads() -> None:
    kept = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(kept) == sorted(name for name in BUILD_INPUTS if name != ".gitignore")


@pytest.mark.parametrize(
    ("marker", "needed"),
    [
        ("run-command", [".venv/bin/mesogpu run configs/quickstart.yaml"]),
        ("test-command", ["'.[test]'", ".venv/bin/python -m pytest"]),
    ],
)
def test_the_readme_has_one_command_that_brings_its_own_environment(marker: str, needed: list[str]) -> None:
    blocks = re.findall(rf"^<!-- {marker} -->\n```[a-z]*\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    assert "\n" not in blocks[0]
    assert blocks[0].startswith("python3 -m venv .venv && ")
    for part in needed:
        assert part in blocks[0]


def test_version_has_one_home() -> None:
    import mesogpu
    from mesogpu.version import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "mesogpu/version.py"
    assert mesogpu.__version__ == __version__
