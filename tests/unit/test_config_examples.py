"""The experiments in configs/ are what they say: small, readable, and one of each kind of model."""

from __future__ import annotations

from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from mesogpu.config.experiment import Experiment
from mesogpu.config.load import dump_yaml, load_experiment, parse_experiment
from mesogpu.plan import make_plan

FILES = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
EXPERIMENTS = {path.stem: load_experiment(path) for path in FILES}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_example_can_be_run_as_it_stands(name: str) -> None:
    """Seen to fail with an energy at the band edge of a lead mode."""
    experiment = EXPERIMENTS[name]
    assert parse_experiment(dump_yaml(experiment), "again.yaml") == experiment
    with threadpool_limits(1):  # small matrices, and cores that others use
        assert min(make_plan(experiment).channels) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_says_what_it_shows_and_how_to_run_it(path: Path) -> None:
    first, _, command, *others = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert first.endswith(".")
    assert command == f"#     mesogpu run configs/{path.name}"
    assert max(map(len, [first, *others])) <= 130


def features(experiment: Experiment) -> set[str]:
    model = experiment.model
    found = {model.geometry.kind} | {law.on for law in experiment.disorder}
    found |= {experiment.method, *(law.distribution for law in experiment.disorder)}
    return found | ({model.spin_orbit.kind} if model.spin_orbit else set())


def test_there_is_an_example_of_each_kind_of_model() -> None:
    shown = set().union(*map(features, EXPERIMENTS.values()))
    assert {"chain", "square", "cubic", "zigzag", "armchair", "su2", "rashba"} <= shown
    assert {"uniform", "gaussian", "cauchy", "vacancy", "spins", "transmission", "lyapunov"} <= shown


def test_there_are_bars_of_one_two_and_three_dimensions() -> None:
    bars = [experiment.model for experiment in EXPERIMENTS.values() if experiment.bars]
    assert {"chain", "square", "cubic"} <= {model.lattice for model in bars}
    assert [model.lattice for model in bars if model.spin_orbit] == ["square"]
