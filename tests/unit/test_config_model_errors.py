"""Every mistake in the model is told once, at its place: lattices, widths, sides, spin-orbit coupling, Zeeman field."""

from __future__ import annotations

import pytest

from mesogpu.config.load import parse_experiment
from mesogpu.errors import ConfigError

HEAD = """\
schema: 1
name: w
seed: 7
energy: 0.8
realizations: 16
"""
SQUARE = "{lattice: square, width: 6, length: 8"
CUBIC = "{lattice: cubic, width: 6, length: 8"
ZIGZAG = "{lattice: honeycomb, edge: zigzag, width: 6, length: 8"
ARMCHAIR = "{lattice: honeycomb, edge: armchair, width: 6, length: 8"
CHAIN = "{lattice: chain, length: 8"
RASHBA, SU2 = "spin_orbit: {kind: rashba, strength: 0.3}", "spin_orbit: {kind: su2}"


def document(model: str, *lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in (f"model: {model}}}", *lines))


def problems(model: str, *lines: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_experiment(document(model, *lines), "f.yaml")
    return caught.value.problems


@pytest.mark.parametrize("model", [SQUARE, CUBIC, ZIGZAG, ARMCHAIR, CHAIN])
@pytest.mark.parametrize(
    "rest", ["", f", {SU2}", ", spin_orbit: {kind: evangelou-ziman, strength: 2}, zeeman: [0, 0, 1]"]
)
def test_the_bases_of_these_tests_are_valid(model: str, rest: str) -> None:
    assert parse_experiment(document(model + rest), "f.yaml").name == "w"


# a model, what in it is complained about ("model": its own place), the path of that, a part of the complaint
ONE_MISTAKE = [
    ("{lattice: honeycomb, width: 6, length: 8", "model", "edge", "missing; add for example 'edge: zigzag'"),
    ("{lattice: honeycomb, egde: zigzag, width: 6, length: 8", "egde", "egde", "did you mean 'edge'?"),
    (ZIGZAG.replace("zigzag", "zigzg"), "zigzg", "edge", "did you mean 'zigzag'?"),
    (f"{SQUARE}, edge: zigzag", "edge", "edge", "'edge' (zigzag, armchair) belongs to lattice: honeycomb; remove it"),
    (f"{CHAIN}, edge: armchair", "edge", "edge", "belongs to lattice: honeycomb"),
    (f"{CUBIC}, edge: periodic", "edge", "edge", "did you mean 'edges'?"),
    ("{lattice: cubic, length: 8", "model", "width", "missing; add for example 'width: 30'"),
    (ZIGZAG.replace("width: 6, ", ""), "model", "width", "missing; add for example 'width: 30'"),
    (SQUARE.replace("6", "[6, 6]"), "[6", "width", "a list of widths is for lattice: cubic; write one whole number"),
    (ZIGZAG.replace("6", "[6, 6]"), "[6", "width", "put 'model.width' into the sweep"),
    (CUBIC.replace("6", "[6]"), "[6", "width", "1 of 2 entries"),
    (CUBIC.replace("6", "[6, 6, 6]"), "[6", "width", "3 entries, at most 2"),
    (CUBIC.replace("6", "[6, 0]"), "0]", "width.1", "use 1 to 4096 sites"),
    (CUBIC.replace("6", "[6, 1.5]"), "1.5", "width.1", "write 1 or 2"),
    (CUBIC.replace("6", "65"), "65", "width", "65 x 65 is 4225 sites a slice, at most 4096; use at most 64 x 64"),
    (CUBIC.replace("6", "[64, 65]"), "[64", "width", "64 x 65 is 4160 sites a slice, at most 4096"),
    (CUBIC.replace("6", "4097"), "4097", "width", "use 1 to 4096 sites"),
    (ZIGZAG.replace("6", "1"), "1,", "width", "1 is too narrow for a honeycomb; use at least 2"),
    (ARMCHAIR.replace("6", "1"), "1,", "width", "use at least 2"),
    (
        f"{SQUARE.replace('6', '2')}, edges: periodic",
        "2,",
        "width",
        "2 is too small for edges: periodic; use at least 3",
    ),
    (f"{CUBIC.replace('6', '2')}, edges: periodic", "2,", "width", "use at least 3"),
    (f"{CUBIC.replace('6', '2')}, edges: [hard, periodic]", "2,", "width", "use at least 3"),
    (f"{CUBIC.replace('6', '[6, 2]')}, edges: [hard, periodic]", "2]", "width.1", "use at least 3"),
    (f"{CUBIC.replace('6', '[2, 6]')}, edges: [periodic, hard]", "2, 6", "width.0", "use at least 3"),
    (f"{ZIGZAG.replace('6', '2')}, edges: periodic", "2,", "width", "use at least 4, or edges: hard"),
    (f"{ARMCHAIR.replace('6', '7')}, edges: periodic", "7,", "width", "7 is odd, and a honeycomb with edges: periodic"),
    (f"{ZIGZAG.replace('6', '7')}, edges: periodic", "7,", "width", "use 6 or 8, or edges: hard"),
    (f"{CHAIN}, edges: [hard, hard]", "edges", "edges", "a chain has no edges"),
    (f"{SQUARE}, edges: [hard, periodic]", "[hard", "edges", "a pair of edges is for lattice: cubic"),
    (f"{ZIGZAG}, edges: [hard, hard]", "[hard", "edges", "write edges: hard or edges: periodic"),
    (f"{CUBIC}, edges: [hard]", "[hard", "edges", "1 of 2 entries"),
    (f"{CUBIC}, edges: [hard, preiodic]", "preiodic", "edges.1", "did you mean 'periodic'?"),
    (f"{ZIGZAG}, {RASHBA}", "kind", "spin_orbit.kind", "rashba is for the bonds of lattice chain and square; use su2"),
    (f"{ARMCHAIR}, {RASHBA}", "kind", "spin_orbit.kind", "use su2 or evangelou-ziman here, or lattice: square"),
    (f"{CUBIC}, {RASHBA.replace('rashba', 'ando')}", "kind", "spin_orbit.kind", "ando is for the bonds of"),
    (f"{SQUARE}, spin_orbit: rashba", "rashba", "spin_orbit", "write for example {kind: rashba, strength: 0.3}"),
    (
        f"{SQUARE}, spin_orbit: {{strength: 1}}",
        "spin_orbit",
        "spin_orbit.kind",
        "missing; add for example 'kind: rashba'",
    ),
    (f"{SQUARE}, spin_orbit: {{kind: rashba}}", "spin_orbit", "spin_orbit.strength", "missing; add for example"),
    (f"{SQUARE}, spin_orbit: {{kind: rashba, strength: }}", "strength", "spin_orbit.strength", "missing"),
    (
        f"{SQUARE}, spin_orbit: {{kind: rashba, strenght: 1}}",
        "strenght",
        "spin_orbit.strenght",
        "did you mean 'strength'?",
    ),
    (f"{SQUARE}, spin_orbit: {{kind: rahsba, strength: 1}}", "rahsba", "spin_orbit.kind", "did you mean 'rashba'?"),
    (f"{SQUARE}, spin_orbit: {{kind: su2, strength: 1}}", "strength", "spin_orbit.strength", "su2 takes no strength"),
    (f"{SQUARE}, spin_orbit: {{kind: rashba, strength: .inf}}", ".inf", "spin_orbit.strength", "infinite"),
    (
        f"{SQUARE}, spin_orbit: {{kind: rashba, strength: 2e9}}",
        "2e9",
        "spin_orbit.strength",
        "above the largest, 1e+09",
    ),
    (f"{SQUARE}, spin_orbit: {{kind: ando, strength: 90}}", "90", "spin_orbit.strength", "an angle in radians"),
    (
        f"{SQUARE}, spin_orbit: {{kind: ando, strength: -3.2}}",
        "-3.2",
        "spin_orbit.strength",
        "below the smallest, -3.14159",
    ),
    (
        f"{SQUARE}, spin_orbit: {{kind: evangelou-ziman, strength: -1}}",
        "-1",
        "spin_orbit.strength",
        "-1 is below the smallest, 0; evangelou-ziman takes a ratio, whose sign would change nothing: use 0 to 1000",
    ),
    (f"{SQUARE}, zeeman: 0.1", "0.1", "zeeman", "0.1 is not a list; write for example [0.0, 0.0, 0.1]"),
    (f"{SQUARE}, zeeman: [0, 1]", "[0", "zeeman", "2 of 3 entries"),
    (f"{SQUARE}, zeeman: [0, 0, 0, 1]", "[0", "zeeman", "4 entries, at most 3"),
    (f"{SQUARE}, zeeman: [0, x, 1]", "x, 1", "zeeman.1", "'x' is not a number"),
    (f"{SQUARE}, zeeman: [0, 0, 2e9]", "2e9", "zeeman.2", "use -1e+09 to 1e+09"),
]


@pytest.mark.parametrize(("model", "where", "path", "message"), ONE_MISTAKE)
def test_a_mistake_in_the_model_is_told_once_at_its_column(model: str, where: str, path: str, message: str) -> None:
    """Seen to fail with odd rings let through, and with what is missing told of a misspelt key as well."""
    (found,) = problems(model)
    line = f"model: {model}}}"
    assert found.startswith(f"f.yaml:6:{line.rindex(where) + 1 if where != 'model' else 1}: model.{path}: "), found
    assert message in found


@pytest.mark.parametrize(
    ("model", "values", "wrong"),
    [
        (f"{SQUARE}, edges: periodic", "[3, 4, 2]", "2 is too small for edges: periodic; use at least 3"),
        (f"{ZIGZAG}, edges: periodic", "[4, 6, 7]", "7 is odd, and a honeycomb"),
        (f"{ARMCHAIR}, edges: periodic", "[4, 6, 2]", "2 is too small for edges: periodic; use at least 4"),
        (f"{ARMCHAIR}, edges: periodic", "{linspace: [4, 5, 2]}", "5 is odd, and a honeycomb"),
        (ZIGZAG, "[2, 3, 1]", "1 is too narrow for a honeycomb"),
        (CUBIC, "[1, 64, 65]", "65 x 65 is 4225 sites a slice"),
        (f"{CUBIC}, edges: [hard, periodic]", "[3, 4, 2]", "2 is too small for edges: periodic"),
        (f"{CUBIC.replace('8', '{times_width: 1e6}')}", "[6, 8, 11]", "1000000 times 11 sites is 11000000 slices"),
    ],
)
def test_a_swept_width_must_suit_its_lattice_as_a_written_one(model: str, values: str, wrong: str) -> None:
    """Seen to fail with the sweep held to the smallest ring of the square lattice alone."""
    (found,) = problems(model, f"sweep: {{model.width: {values}}}")
    assert found.startswith("f.yaml:7:")
    assert f"sweep.model.width: {wrong}" in found


@pytest.mark.parametrize(
    ("kind", "path", "values", "wrong"),
    [
        (
            f"{SQUARE}, spin_orbit: {{kind: ando, strength: 1}}",
            "spin_orbit.strength",
            "[1, 4]",
            "4 is above the largest, 3.14159",
        ),
        (f"{SQUARE}, {RASHBA}", "spin_orbit.strength", "[1, 2e9]", "above the largest, 1e+09"),
        (f"{SQUARE}, {SU2}", "spin_orbit.strength", "[1, 2]", "su2 has no strength to sweep; can be swept: energy, "),
        (
            SQUARE,
            "spin_orbit.strength",
            "[1, 2]",
            "there is no spin-orbit coupling to sweep, write 'spin_orbit: {kind: ",
        ),
        (SQUARE, "zeeman.0", "[1, 2]", "there is no Zeeman field to sweep, write 'zeeman: [0.0, 0.0, 0.0]'"),
        (f"{SQUARE}, zeeman: [0, 0, 0]", "zeeman.3", "[1, 2]", "cannot be swept; can be: energy, "),
        (f"{SQUARE}, zeeman: [0, 0, 0]", "zeeman", "[1, 2]", "cannot be swept; can be: energy, "),
        (f"{SQUARE}, zeeman: [0, 0, 0]", "zeeman.1", "[1, .nan]", "not a number"),
        (SQUARE, "edge", "[1, 2]", "cannot be swept; can be: energy, "),
        (f"{SQUARE}, {RASHBA}", "spin_orbit.kind", "[1, 2]", "model.hopping, model.spin_orbit.strength"),
    ],
)
def test_a_sweep_keeps_to_what_the_model_has(kind: str, path: str, values: str, wrong: str) -> None:
    """Seen to fail with strengths of every coupling held to the bounds of an energy."""
    (found,) = problems(kind, f"sweep: {{model.{path}: {values}}}")
    assert f": sweep.model.{path}" in found
    assert wrong in found


@pytest.mark.parametrize(
    "model", [f"{SQUARE}, edges: periodic", f"{ZIGZAG}, edges: periodic", f"{CUBIC}, edges: [periodic, hard]"]
)
def test_random_flux_needs_hard_sides_along_y(model: str) -> None:
    (found,) = problems(model, "disorder: [{on: flux, distribution: uniform, width: 0.5}]")
    assert found.startswith("f.yaml:7:13: disorder.0.on: around periodic sides the random fluxes would have to add up")
    hard = model.replace("periodic, hard", "hard, periodic").replace("edges: periodic", "edges: hard")
    assert parse_experiment(document(hard, "disorder: [{on: flux, distribution: uniform, width: 0.5}]"), "f.yaml")


def test_random_flux_needs_plaquettes() -> None:
    (found,) = problems(CHAIN, "disorder: [{on: flux, distribution: uniform, width: 0.5}]")
    assert found.startswith(
        "f.yaml:7:13: disorder.0.on: disorder on the flux needs plaquettes, and a chain has none; use"
    )
    assert parse_experiment(document(CHAIN, "flux: 0.25"), "f.yaml").flux == 0.25


def test_all_mistakes_of_a_model_and_its_disorder_are_told_at_once() -> None:
    model = ZIGZAG.replace("6", "7") + ", edges: periodic, spin_orbit: {kind: ando, strength: 4}, zeeman: [0, 0]"
    law = "{on: flux, distribution: gaussian, sigma: 2, correlation_length: 3}"
    found = problems(model, f"disorder: [{law}]", "sweep: {model.width: [3], model.zeeman.4: [1]}")
    assert [line.split(": ")[1] for line in found] == [
        *("model.width", "model.spin_orbit.kind", "model.spin_orbit.strength", "model.zeeman"),
        *("disorder.0.on", "disorder.0.sigma", "disorder.0.correlation_length"),
        *("sweep.model.width", "sweep.model.zeeman.4"),
    ]
