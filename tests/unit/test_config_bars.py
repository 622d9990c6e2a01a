"""Method lyapunov in an experiment file: what it means, what it leaves of the rest, and every mistake at its place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from mesogpu.config.experiment import Bars, Experiment, SweepAxis
from mesogpu.config.load import dump_yaml, load_experiment, parse_experiment
from mesogpu.config.notes import notes
from mesogpu.errors import ConfigError
from mesogpu.plan.points import points

DATA = Path(__file__).parents[1] / "data" / "config"

# The model comes next, in line 7, and whatever else from line 8 on.
HEAD = """\
schema: 1
name: bars
seed: 7
energy: 0.5
realizations: 8
method: lyapunov
"""
SQUARE, CHAIN, CUBIC = "lattice: square, width: 6", "lattice: chain", "lattice: cubic, width: 3"
SHORTEST: dict[str, Any] = {
    "schema": 1,
    "name": "bars",
    "seed": 7,
    "energy": 0.5,
    "realizations": 8,
    "method": "lyapunov",
    "model": {"lattice": "square", "width": 6},
}


def document(model: str, *lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in (f"model: {{{model}}}", *lines))


def read(model: str, *lines: str) -> Experiment:
    return parse_experiment(document(model, *lines), "f.yaml")


def problems(model: str, *lines: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(model, *lines)
    return caught.value.problems


def test_the_defaults_of_bars_are_frozen() -> None:
    """Seen to fail with realizations shared by the points, as those of transmission are."""
    experiment = read(SQUARE)
    assert experiment.bars == Bars(slices=100_000, warmup=1000, exponents=None)
    assert (experiment.method, experiment.randomness, experiment.observables) == ("lyapunov", "independent", ())
    assert experiment.model.lengths == ()
    assert experiment.identity() == "93c9f3ad387932ebb8b7ffe91dcccae1cc5f1cb25202e57a0a01939e92e4a249"
    assert (
        hashlib.sha256(dump_yaml(experiment).encode()).hexdigest()
        == "a291554b368ca895b3bbc54d39189d1afc9303166816852a911bcbfbd018d3ca"
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("lyapunov:",),
        ("lyapunov: {}",),
        ("lyapunov: {slices: 1e5, exponents: null}", "randomness: independent"),
        ("observables: [lyapunov_exponents]", "sweep: {energy: [0.5]}"),
    ],
)
def test_spelling_does_not_change_bars(lines: tuple[str, ...]) -> None:
    experiment = read(SQUARE, *lines)
    assert (experiment.bars, experiment.observables) == (read(SQUARE).bars, ())
    assert experiment.sweep or experiment == read(SQUARE)
    assert read(f"{SQUARE}, length: null") == read(SQUARE)


def test_every_part_of_bars_makes_another_experiment() -> None:
    """Seen to fail with the exponents left out of the document."""
    changes = ["", "lyapunov: {slices: 99999}", "lyapunov: {warmup: 999}", "lyapunov: {exponents: 6}"]
    changes += ["randomness: common", "sweep: {lyapunov.slices: [100000]}"]
    identities = {read(SQUARE, change).identity() for change in changes}
    transmission = {"method": "transmission", "model": SHORTEST["model"] | {"length": 8}}
    assert len(identities | {load_experiment(SHORTEST | transmission).identity()}) == len(changes) + 1


def test_the_written_form_has_bars_in_place_of_lengths_leads_and_observables() -> None:
    experiment = read(SQUARE, "lyapunov: {slices: 64, exponents: 2}")
    text = dump_yaml(experiment)
    assert text.endswith("method: lyapunov\nlyapunov: {slices: 64, warmup: 1000, exponents: 2}\n")
    assert "randomness: independent\n" in text
    assert not any(word in text for word in ("length", "leads", "observables"))
    assert parse_experiment(text, "again.yaml") == experiment


def test_all_mistakes_of_bars_are_told_at_once_in_the_order_of_the_text() -> None:
    """Seen to fail with vacancies let through, and with a complaint about the length from the schema too."""
    text = (DATA / "all_wrong_bars.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_experiment(text, "all_wrong_bars.yaml")
    assert str(caught.value) == (DATA / "all_wrong_bars.txt").read_text(encoding="utf-8").rstrip("\n")


# a model, a line after it, the complaint's place, its path, a part of it
ONE_MISTAKE = [
    (f"{SQUARE}, length: 8", "", "7:36", "model.length", "a bar is as long as lyapunov.slices says; remove length"),
    (f"{SQUARE}, length: []", "", "7:36", "model.length", "remove length"),
    (SQUARE, "leads: {flux: false}", "8:1", "leads", "the exponents are the sample's own; remove leads"),
    (SQUARE, "leads:", "8:1", "leads", "remove leads"),
    (SQUARE, "observables: [conductance]", "8:15", "observables.0", "'conductance' belongs to method: transmission"),
    (SQUARE, "observables: [fano]", "8:15", "observables.0", "unknown value 'fano'"),
    (SQUARE, "lyapunov: {slices: 31}", "8:20", "lyapunov.slices", "31 is below the smallest, 32; use 32 to 10000000"),
    (SQUARE, "lyapunov: {slices: 10000001}", "8:20", "lyapunov.slices", "above the largest, 10000000"),
    (SQUARE, "lyapunov: {slices: 99.5}", "8:20", "lyapunov.slices", "write 99 or 100"),
    (SQUARE, "lyapunov: {slices: }", "8:12", "lyapunov.slices", "empty where a whole number is needed"),
    (SQUARE, "lyapunov: {warmup: -1}", "8:20", "lyapunov.warmup", "below the smallest, 0"),
    (SQUARE, "lyapunov: {exponents: 0}", "8:23", "lyapunov.exponents", "below the smallest, 1"),
    (SQUARE, "lyapunov: {exponents: all}", "8:23", "lyapunov.exponents", "'all' is not a whole number"),
    (SQUARE, "lyapunov: {exponents: 7}", "8:23", "lyapunov.exponents", "7 exponents are more than the orbitals of a"),
    (CHAIN, "lyapunov: {exponents: 2}", "8:23", "lyapunov.exponents", "use lyapunov.exponents: 1 or fewer, or null"),
    (CUBIC, "lyapunov: {exponents: 10}", "8:23", "lyapunov.exponents", "the orbitals of a slice, 9; use"),
    (CUBIC.replace("3", "[3, 4]"), "lyapunov: {exponents: 13}", "8:23", "lyapunov.exponents", "a slice, 12; use"),
    (f"{SQUARE}, zeeman: [0, 0, 0]", "lyapunov: {exponents: 13}", "8:23", "lyapunov.exponents", "a slice, 12; use"),
    (SQUARE, "lyapunov: {slice: 99}", "8:12", "lyapunov.slice", "did you mean 'slices'?"),
    (SQUARE, "lyapunov: 1000", "8:11", "lyapunov", "1000 is not a mapping of keys; write for example {slices: 100000"),
    (
        SQUARE,
        "disorder: [{distribution: vacancy, density: 0.0}]",
        "8:13",
        "disorder.0.distribution",
        "vacancies leave no transfer matrix, which method: lyapunov needs; use method: transmission, whose <ln g>(L)",
    ),
    (
        f"{SQUARE}, hopping: 2",
        "disorder: [{on: bonds, distribution: binary, values: [-2, 0], fraction: 0}]",
        "8:55",
        "disorder.0.values.0",
        "bonds of hopping 2, cut by -2, leave no transfer matrix",
    ),
    (
        SQUARE,
        "sweep: {model.length: [8]}",
        "8:9",
        "sweep.model.length",
        "they are as long as lyapunov.slices says; can",
    ),
    (SQUARE, "sweep: {leads.potential: [1]}", "8:9", "sweep.leads.potential", "bars have no leads to sweep; can be"),
    (SQUARE, "sweep: {lyapunov.exponents: [1]}", "8:9", "sweep.lyapunov.exponents", "cannot be swept; can be: energy"),
    (SQUARE, "sweep: {lyapunov.slices: [99, 9]}", "8:31", "sweep.lyapunov.slices.1", "below the smallest, 32"),
    (SQUARE, "sweep: {slices: [99]}", "8:9", "sweep.slices", "did you mean 'lyapunov.slices'?"),
]


@pytest.mark.parametrize(("model", "line", "place", "path", "message"), ONE_MISTAKE)
def test_a_mistake_in_bars_is_told_once_at_its_place(
    model: str, line: str, place: str, path: str, message: str
) -> None:
    """Seen to fail with spinful slices counted by their sites, and a bar's cross-section by one of its sides."""
    (found,) = problems(model, line)
    assert found.startswith(f"f.yaml:{place}: {path}: "), found
    assert message in found


def test_an_armchair_ribbon_is_refused_by_name() -> None:
    """Seen to fail with every honeycomb taken for a zigzag ribbon."""
    (found,) = problems("lattice: honeycomb, edge: armchair, width: 6")
    assert found.startswith(
        "f.yaml:6:9: method: lyapunov needs a transfer matrix, and an armchair ribbon has none; use"
    )
    assert read("lattice: honeycomb, edge: zigzag, width: 6").bars


def test_what_only_seems_to_cut_bonds_is_read() -> None:
    """Seen to fail with the value compared to the hopping itself, and with laws on sites."""
    law = "disorder: [{{on: {}, distribution: binary, values: [0, {}], fraction: 0.5}}]"
    for place, value in (("bonds", 1.0), ("bonds", -0.5), ("sites", -1.0)):
        assert read(SQUARE, law.format(place, value)).bars


BINARY_BONDS = "disorder: [{on: bonds, distribution: binary, values: [0, -1], fraction: 0.5}]"


def test_a_swept_hopping_counts_in_place_of_the_one_that_is_written() -> None:
    """Seen to fail with the written one held against the values too."""
    assert len(read(SQUARE, BINARY_BONDS, "sweep: {model.hopping: [0.5, 2]}").sweep) == 1
    (found,) = problems(SQUARE, BINARY_BONDS, "sweep: {zip: {model.hopping: [0.5, 1], energy: [0, 1]}}")
    assert found.startswith("f.yaml:9:36: sweep.zip.model.hopping: bonds of hopping 1, cut by -1, leave no transfer")


@pytest.mark.parametrize(
    ("model", "line", "good", "wrong"),
    [
        (SQUARE, "lyapunov: {exponents: 8}", 8, 7),
        (f"{SQUARE}, spin_orbit: {{kind: su2}}", "lyapunov: {exponents: 8}", 4, 3),
        (CUBIC, "lyapunov: {exponents: 10}", 4, 3),
    ],
)
def test_a_swept_width_needs_the_orbitals_of_the_exponents(model: str, line: str, good: int, wrong: int) -> None:
    """Seen to fail with the written width held against the exponents, which none of the points has."""
    assert len(read(model, line, f"sweep: {{model.width: [{good}, 9]}}").sweep) == 1
    (found,) = problems(model, line, f"sweep: {{model.width: [9, {wrong}]}}")
    assert found.startswith("f.yaml:9:26: sweep.model.width: ")
    assert "or larger widths" in found


def test_without_a_good_method_nothing_is_said_of_what_depends_on_it() -> None:
    text = document(SQUARE, "lyapunov: {slices: 99}", "leads: {flux: true}").replace("lyapunov\n", "lyapunow\n")
    with pytest.raises(ConfigError) as caught:
        parse_experiment(text, "f.yaml")
    assert caught.value.problems == ("f.yaml:6:9: method: unknown value 'lyapunow'; did you mean 'lyapunov'?",)


def test_a_file_for_transmission_becomes_one_for_bars_by_overrides() -> None:
    wire = {"model": SHORTEST["model"] | {"length": [8, 16]}, "method": "transmission"}
    overrides = ["method=lyapunov", "model.length=null", "lyapunov.slices=64", "lyapunov.exponents=1"]
    experiment = load_experiment(SHORTEST | wire, overrides)
    assert experiment == load_experiment(SHORTEST | {"lyapunov": {"slices": 64, "exponents": 1}})


def test_each_point_has_its_bars() -> None:
    """Seen to fail with the warm-up of every point that of the file, and counted into the recorded length."""
    lines = ["sweep: {lyapunov.slices: [64, 128], zip: {lyapunov.warmup: [0, 10], energy: [0.1, 0.2]}}"]
    experiment = read(SQUARE, *lines, "lyapunov: {exponents: 3}")
    assert experiment.sweep == (
        SweepAxis(("lyapunov.slices",), ((64,), (128,))),
        SweepAxis(("lyapunov.warmup", "energy"), ((0, 0.1), (10, 0.2))),
    )
    found = [(point.bars, point.lengths, point.slices, point.stream_point) for point in points(experiment)]
    assert found == [
        (Bars(64, 0, 3), (64,), 64, 0),
        (Bars(64, 10, 3), (64,), 74, 1),
        (Bars(128, 0, 3), (128,), 128, 2),
        (Bars(128, 10, 3), (128,), 138, 3),
    ]


def test_lengths_have_no_warmup() -> None:
    wire = load_experiment(SHORTEST | {"model": SHORTEST["model"] | {"length": [8, 16]}, "method": "transmission"})
    (point,) = points(wire)
    assert (point.bars, point.lengths, point.slices) == (None, (8, 16), 16)


@pytest.mark.parametrize("path", ["lyapunov.exponents", "lyapunov.slice", "lyapunov"])
def test_what_is_no_scalar_of_bars_cannot_be_replaced(path: str) -> None:
    with pytest.raises(KeyError):
        read(SQUARE).with_value(path, 64)


def test_transmission_has_no_bars_to_replace() -> None:
    wire = load_experiment(SHORTEST | {"model": SHORTEST["model"] | {"length": 8}, "method": "transmission"})
    with pytest.raises(KeyError):
        wire.with_value("lyapunov.slices", 64)


@pytest.mark.parametrize(
    ("lines", "noted"),
    [
        (("lyapunov: {warmup: 0}",), True),
        (("lyapunov: {warmup: 1}",), False),
        (("sweep: {lyapunov.warmup: [10, 0]}",), True),
        (("lyapunov: {warmup: 0}", "sweep: {lyapunov.warmup: [10, 20]}"), False),
        (("sweep: {zip: {energy: [0.1, 0.2], lyapunov.warmup: [0, 20]}}",), True),
    ],
)
def test_bars_without_a_warmup_get_a_note_on_their_bias(lines: tuple[str, ...], noted: bool) -> None:
    """Seen to fail with the written warm-up noted where it is swept."""
    found = notes(read(SQUARE, *lines))
    assert len(found) == noted
    assert all("bias of the order of 1 / lyapunov.slices" in note for note in found)
