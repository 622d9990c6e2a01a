"""What each model means: one lattice for every spelling, and the same text as ever for what could be written before."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from mesogpu.config.experiment import Experiment
from mesogpu.config.load import dump_yaml, load_experiment, parse_experiment
from mesogpu.errors import ConfigError
from mesogpu.physics.disorder import Gaussian, MagneticImpurity
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.plan import make_plan
from mesogpu.plan.points import points

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
BASE: dict[str, Any] = {"schema": 1, "name": "w", "seed": 1, "energy": 0.5, "realizations": 2}
STRIP: dict[str, Any] = {"model": {"lattice": "square", "width": 4, "length": 8}}
LAWS = [
    {"distribution": "uniform", "width": 1},
    {"distribution": "gaussian", "sigma": 2},
    {"distribution": "cauchy", "half_width": 4},
    {"distribution": "binary", "values": [-1, 8], "fraction": 0.25},
]


def with_model(model: dict[str, Any], **rest: Any) -> Experiment:
    return load_experiment(BASE | {"model": {"length": 8} | model} | rest)


# an experiment of version 0.1; SHA-256 of its identity's text and of its YAML, as that version wrote them
OF_VERSION_0_1: list[tuple[Any, str, str]] = [
    (
        QUICKSTART,
        "66efdf01c2065b64c9bed4f56703bbf54698ea3c0ba6dd3d2461c7eaf44635e5",
        "a0c7cf050f706029c7ef7fc8a53c2f40d19e89b0db55df3d3f62f129d199c46b",
    ),
    (
        BASE | STRIP | {"disorder": LAWS},
        "f499fd7177b47cdf93a83b1fc5cdd831314d35c1b597bd1e3c63290bc364664b",
        "57b5fbb06d277e903a520e995cad32720ee4c7b01ce9d645602a904a0a15a355",
    ),
    (
        BASE | {"model": {"lattice": "chain", "length": {"times_width": [1, 3]}}},
        "49249081c887c7c27b10ac2cc2e6ef2be62f198ccc36d3098c391de35cec543e",
        "60a6deb807f1373cf1b6f303dd32ab881dacd8d2793b942b2a3f271c9180fa41",
    ),
    (
        BASE
        | {
            "model": {"lattice": "square", "width": 6, "edges": "periodic", "length": [4, 9], "hopping": 2},
            "disorder": LAWS,
            "leads": {"potential": 0.25, "flux": False, "spin_orbit": False},
            "sweep": {
                "model.width": [4, 6],
                "disorder.1.sigma": {"linspace": [0, 1, 21]},
                "zip": {"energy": [0.1, 0.2], "flux": [0, 0.5]},
            },
            "randomness": "independent",
            "observables": ["shot_noise"],
        },
        "cb787054b13250d9634b5050cf9239392479af44801d42c93505a863561062d4",
        "68797eb8061a07a089b214654011edf79233942bf64e774259ebadd6f6e555e7",
    ),
]


@pytest.mark.parametrize(("source", "identity", "text"), OF_VERSION_0_1)
def test_files_of_version_0_1_are_still_recognised(source: Any, identity: str, text: str) -> None:
    """Seen to fail with `on: sites` written out."""
    experiment = load_experiment(source)
    assert experiment.identity() == identity
    assert hashlib.sha256(dump_yaml(experiment).encode()).hexdigest() == text


@pytest.mark.parametrize(
    ("model", "lattice"),
    [
        ({"lattice": "chain"}, Lattice("chain", 1)),
        ({"lattice": "square", "width": 4, "edges": "periodic"}, Lattice("square", 4, 1, (True, False))),
        ({"lattice": "cubic", "width": 4}, Lattice("cubic", 4, 4)),
        ({"lattice": "cubic", "width": [4, 5], "edges": "periodic"}, Lattice("cubic", 4, 5, (True, True))),
        ({"lattice": "cubic", "width": [2, 5], "edges": ["hard", "periodic"]}, Lattice("cubic", 2, 5, (False, True))),
        ({"lattice": "honeycomb", "edge": "zigzag", "width": 5}, Lattice("zigzag", 5)),
        (
            {"lattice": "honeycomb", "edge": "armchair", "width": 6, "edges": "periodic"},
            Lattice("armchair", 6, 1, (True, False)),
        ),
    ],
)
def test_a_model_has_the_lattice_it_says(model: dict[str, Any], lattice: Lattice) -> None:
    """Seen to fail with the two widths of a bar exchanged, and with its sides exchanged."""
    assert with_model(model).model.geometry == lattice


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"lattice": "cubic", "width": 4}, {"lattice": "cubic", "width": [4, 4.0], "edge": None}),
        (
            {"lattice": "cubic", "width": 4, "edges": "periodic"},
            {"lattice": "cubic", "width": 4, "edges": ["periodic", "periodic"]},
        ),
        (
            {"lattice": "chain", "spin_orbit": {"kind": "su2"}},
            {"lattice": "chain", "spin_orbit": {"kind": "su2", "strength": None}, "zeeman": None},
        ),
        ({"lattice": "chain", "zeeman": [0, 0, 1]}, {"lattice": "chain", "zeeman": [-0.0, 0.0, 1.0]}),
    ],
)
def test_spelling_does_not_change_the_model(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Seen to fail with a pair of equal sides kept as a pair."""
    assert with_model(one) == with_model(other)
    assert with_model(one).identity() == with_model(other).identity()


def test_spelling_does_not_change_the_disorder() -> None:
    plain = [{"distribution": "gaussian", "sigma": 2}, {"on": "spins", "exchange": 1}]
    spelt = [{"distribution": "gaussian", "on": "sites", "sigma": 2, "correlation_length": 0}, plain[1]]
    experiment = load_experiment(BASE | STRIP | {"disorder": spelt})
    assert experiment == load_experiment(BASE | STRIP | {"disorder": plain})
    assert experiment.disorder == (Gaussian(2.0), MagneticImpurity(1.0))
    assert "  - {distribution: gaussian, sigma: 2.0}\n  - {on: spins, exchange: 1.0}\n" in dump_yaml(experiment)


def test_every_part_of_a_model_makes_another_experiment() -> None:
    """Seen to fail with the edge of a honeycomb left out of the document."""
    bar, ribbon = {"lattice": "cubic", "width": [4, 6]}, {"lattice": "honeycomb", "edge": "zigzag", "width": 6}
    rashba = {"kind": "rashba", "strength": 0.5}
    models: list[dict[str, Any]] = [
        bar,
        bar | {"width": [6, 4]},
        bar | {"edges": "periodic"},
        bar | {"edges": ["periodic", "hard"]},
        bar | {"edges": ["hard", "periodic"]},
        ribbon,
        ribbon | {"edge": "armchair"},
        ribbon | {"zeeman": [0, 0, 0]},
        ribbon | {"zeeman": [0, 0, 1]},
        ribbon | {"zeeman": [0, 1, 0]},
        *({"lattice": "chain", "spin_orbit": rashba | change} for change in ({}, {"kind": "ando"}, {"strength": 0.25})),
        {"lattice": "chain", "spin_orbit": {"kind": "su2"}},
    ]
    places = ("sites", "bonds", "flux")
    laws = [{"distribution": "gaussian", "on": place, "sigma": 1} for place in places]
    laws += [
        laws[0] | {"correlation_length": 2},
        {"on": "spins", "exchange": 1},
        {"distribution": "vacancy", "density": 0.1},
    ]
    experiments = [with_model(model) for model in models]
    experiments += [load_experiment(BASE | STRIP | {"disorder": [law]}) for law in laws]
    assert len({experiment.identity() for experiment in experiments}) == len(experiments) == 20


def test_the_written_form_of_a_model_is_readable() -> None:
    model = {"lattice": "cubic", "width": [4, 6], "edges": ["hard", "periodic"], "zeeman": [0, 0, 1]}
    text = dump_yaml(with_model(model | {"spin_orbit": {"kind": "evangelou-ziman", "strength": 2}}))
    assert "  width: [4, 6]\n  edges: [hard, periodic]\n" in text
    assert "  spin_orbit: {kind: evangelou-ziman, strength: 2.0}\n  zeeman: [0.0, 0.0, 1.0]\n" in text
    assert "  spin_orbit: {kind: su2}\n" in dump_yaml(with_model({"lattice": "chain", "spin_orbit": {"kind": "su2"}}))
    assert "  lattice: honeycomb\n  edge: armchair\n  width: 5\n" in dump_yaml(
        with_model({"lattice": "honeycomb", "edge": "armchair", "width": 5})
    )


def test_lengths_in_widths_count_the_width_along_y() -> None:
    bar = {"lattice": "cubic", "width": [4, 6], "length": {"times_width": [1, 2]}}
    assert with_model(bar).model.slices == (4, 8)
    assert with_model(bar).with_value("model.width", 5).model.slices == (5, 10)


def test_a_swept_width_of_a_bar_is_both_of_its_widths() -> None:
    bar = with_model({"lattice": "cubic", "width": [4, 6]}).with_value("model.width", 5)
    assert bar.model.geometry == Lattice("cubic", 5, 5)
    strip = with_model({"lattice": "square", "width": 4}).with_value("model.width", 5)
    assert strip.model.geometry == Lattice("square", 5)


def test_a_field_must_close_around_periodic_sides_along_y_alone() -> None:
    """Seen to fail with the sides along z held to it too."""
    bar, sweep = {"lattice": "cubic", "width": 4}, {"flux": [0.0, 0.1]}
    assert len(make_plan(with_model(bar | {"edges": ["hard", "periodic"]}, sweep=sweep)).points) == 2
    with pytest.raises(ConfigError, match=r"flux: 0\.1 \(at flux = 0\.1\): with periodic edges"):
        make_plan(with_model(bar | {"edges": ["periodic", "hard"]}, sweep=sweep))


@pytest.mark.parametrize(
    "path",
    ["model.spin_orbit.strength", "model.zeeman.0", "model.zeeman.3", "model.lattice", "model", "seed", "leads.flux"]
    + [f"disorder.0.{key}" for key in ("on", "values", "density", "distribution")],
)
def test_what_is_no_scalar_of_the_experiment_cannot_be_replaced(path: str) -> None:
    """Seen to fail with the place that a law is on taken for a number."""
    with pytest.raises(KeyError):
        load_experiment(BASE | STRIP | {"disorder": LAWS[3:]}).with_value(path, 0.5)


def test_a_point_has_the_system_of_its_model() -> None:
    """Seen to fail with the leads' spin-orbit coupling left at its default."""
    text = """
schema: 1
name: w
seed: 1
model:
  lattice: square
  width: 4
  length: 8
  spin_orbit: {kind: ando, strength: 0.5}
  zeeman: [0.0, 0.0, 0.25]
disorder: [{on: spins, exchange: 1}]
energy: 0.5
flux: 0.125
leads: {spin_orbit: false}
sweep: {model.zeeman.1: [0.0, 2.0], model.spin_orbit.strength: [0.25]}
realizations: 2
"""
    first, second = (point.system for point in points(parse_experiment(text, "w.yaml")))
    assert first.lattice == Lattice("square", 4)
    assert (first.spin_orbit, first.lead_spin_orbit) == (SpinOrbit("ando", 0.25), False)
    assert (first.zeeman, second.zeeman) == ((0.0, 0.0, 0.25), (0.0, 2.0, 0.25))
    assert (first.flux, first.lead_flux, first.laws) == (0.125, True, (MagneticImpurity(1.0),))
