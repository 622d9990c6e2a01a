"""`--set key.path=value` is as good as the value in the file, and its mistakes are told at the override."""

from __future__ import annotations

from typing import Any

import pytest

from mesogpu.config.experiment import Experiment, SweepAxis
from mesogpu.config.load import load_experiment
from mesogpu.errors import ConfigError

BASE: dict[str, Any] = {
    "schema": 1,
    "name": "w",
    "seed": 1,
    "model": {"lattice": "square", "width": 4, "length": [8, 16]},
    "disorder": [{"distribution": "uniform", "width": 1.0}],
    "energy": 0.5,
    "realizations": 2,
}


def overridden(*overrides: str) -> Experiment:
    return load_experiment(BASE, overrides)


def problems(*overrides: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        overridden(*overrides)
    return caught.value.problems


@pytest.mark.parametrize(
    ("override", "change"),
    [
        ("energy=1e-1", {"energy": 0.1}),
        ("energy = 0.25 # a comment", {"energy": 0.25}),
        ("disorder.0.width=2", {"disorder": [{"distribution": "uniform", "width": 2.0}]}),
        ("model.length.1=20", {"model": BASE["model"] | {"length": [8, 20]}}),
        ("model.length.2=20", {"model": BASE["model"] | {"length": [8, 16, 20]}}),
        ("model.length={times_width: [1, 2]}", {"model": BASE["model"] | {"length": {"times_width": [1, 2]}}}),
        ("leads.potential=0.3", {"leads": {"potential": 0.3}}),
        ("observables.0=shot_noise", {"observables": ["shot_noise"]}),
        ("sweep.disorder.0.width=[1, 2]", {"sweep": {"disorder.0.width": [1, 2]}}),
        ("sweep={flux: [0, 0.1]}", {"sweep": {"flux": [0, 0.1]}}),
        ("disorder=[]", {"disorder": []}),
        ("disorder.1={on: spins, exchange: 1}", {"disorder": [*BASE["disorder"], {"on": "spins", "exchange": 1}]}),
        ("disorder.0.on=bonds", {"disorder": [{"on": "bonds", "distribution": "uniform", "width": 1.0}]}),
        ("model.spin_orbit.kind=su2", {"model": BASE["model"] | {"spin_orbit": {"kind": "su2"}}}),
        ("model.zeeman=[0, 0, 1]", {"model": BASE["model"] | {"zeeman": [0, 0, 1]}}),
        (
            "disorder.0={distribution: binary, values: [0, 1], fraction: 0.5}",
            {"disorder": [{"distribution": "binary", "values": [0, 1], "fraction": 0.5}]},
        ),
    ],
)
def test_an_override_is_as_good_as_the_value_in_the_file(override: str, change: dict[str, Any]) -> None:
    """Seen to fail with swept paths split at their dots."""
    assert overridden(override) == load_experiment(BASE | change)


def test_overrides_apply_in_order() -> None:
    assert overridden("energy=1", "energy=2", "sweep.zip.flux=[0, 0.1]", "sweep.zip.disorder.0.width=[1, 2]") == (
        load_experiment(BASE | {"energy": 2, "sweep": {"zip": {"flux": [0, 0.1], "disorder.0.width": [1, 2]}}})
    )
    law = "disorder.1={distribution: uniform, width: 3}"
    assert [entry.width for entry in overridden(law, "disorder.1.width=4").disorder] == [1.0, 4.0]  # type: ignore[attr-defined]


def test_an_override_leaves_its_source_alone() -> None:
    overridden("disorder.0.width=2")
    assert BASE["disorder"] == [{"distribution": "uniform", "width": 1.0}]


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("energy", "not of the form key.path=value"),
        ("=1", "not of the form key.path=value"),
        ("model..width=1", "not of the form key.path=value"),
        ("energy=", "energy: empty where a number is needed"),
        ("energy='1'", "energy: '1' is not a number; remove the quotes"),
        ("energy=[1", "not YAML"),
        ("enrgy=1", "enrgy: unknown key; did you mean 'energy'?"),
        ("energy.x=1", "energy.x: cannot be set"),
        ("disorder.3.width=1", "disorder.3: no such position, the list has 1 entries"),
        ("disorder.x.width=1", "disorder.x: no such position"),
        ("model.wdth=1", "model.wdth: unknown key; did you mean 'width'?"),
        ("model.zeeman.0=1", "model.zeeman: 1 of 3 entries; write for example [0.0, 0.0, 0.1]"),
        ("sweep.model.zeeman.2=[1]", "sweep.model.zeeman.2: there is no Zeeman field to sweep"),
        ("sweep.flux=[0.9]", "sweep.flux.0: 0.9 is above the largest"),
        ("disorder.0.sigma=1", "disorder.0.sigma: 'sigma' belongs to gaussian; uniform takes width"),
        ("name=!!python/name:os.system x", "name: tag '!!python/name:os.system' is not allowed"),
    ],
)
def test_a_mistake_in_an_override_is_told_at_the_override(override: str, complaint: str) -> None:
    assert problems(override)[0].startswith(f"--set {override}: {complaint}")


def test_mistakes_in_overrides_and_document_are_told_together() -> None:
    found = problems("energy=[1", "flux=0.7", "seed=x")
    assert [line.split(": ")[0] for line in found] == ["--set energy=[1", "--set flux=0.7", "--set seed=x"]


def test_an_override_mends_what_the_document_has_wrong() -> None:
    assert load_experiment(BASE | {"energy": "x"}, ["energy=0.5"]) == overridden()


def test_sweeps_can_be_overridden_where_there_was_none() -> None:
    assert overridden("sweep.model.width={linspace: [4, 8, 3]}").sweep == (
        SweepAxis(("model.width",), ((4,), (6,), (8,))),
    )
