"""Any experiment at all, written as YAML, reads back equal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mesogpu.config.experiment import Bars, Experiment, Leads, Model, SweepAxis
from mesogpu.config.load import dump_yaml, parse_experiment
from mesogpu.config.sweeps import evenly_spaced
from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.spin import SpinOrbit

NUMBER = st.floats(-1e9, 1e9).map(lambda x: x + 0.0)
WIDTHS = st.integers(2, 31).map(lambda half: 2 * half)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "energy": NUMBER,
    "flux": st.floats(-0.5, 0.5).map(lambda x: x + 0.0),
    "leads.potential": NUMBER,
    "model.hopping": st.floats(1e-9, 1e9),
    "model.width": WIDTHS,
    "model.length": st.integers(1, 10**7),
}
MAGNITUDE = st.floats(0, 1e9)
FRACTION = st.floats(0, 1)
CORRELATION = st.just(0.0) | st.floats(0.1, 100)
LAW_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "width": MAGNITUDE,
    "sigma": MAGNITUDE,
    "correlation_length": CORRELATION,
    "half_width": MAGNITUDE,
    "fraction": FRACTION,
    "density": st.floats(0, 1, exclude_max=True),
    "exchange": MAGNITUDE,
}
ON_FLUX = dict.fromkeys(LAW_VALUES, FRACTION)


def laws_of_numbers(on: str, values: dict[str, st.SearchStrategy[Any]], pair: st.SearchStrategy[float]) -> list[Any]:
    """Each of them on one of the places."""
    place = {"on": st.just(on)}
    return [
        st.builds(Uniform, values["width"], **place),
        st.builds(Gaussian, values["sigma"], **place),
        st.builds(Cauchy, values["half_width"], **place),
        st.builds(Binary, st.tuples(pair, pair), FRACTION, **place),
    ]


ANY_LAW: st.SearchStrategy[Law] = st.one_of(
    *laws_of_numbers("sites", LAW_VALUES, NUMBER),
    *laws_of_numbers("bonds", LAW_VALUES, NUMBER),
    st.builds(Gaussian, MAGNITUDE, CORRELATION),
    st.builds(Vacancy, LAW_VALUES["density"]),
    st.builds(MagneticImpurity, MAGNITUDE),
)
RANDOM_FLUX: st.SearchStrategy[Law] = st.one_of(*laws_of_numbers("flux", ON_FLUX, VALUES["flux"]))
COUPLINGS: dict[str, st.SearchStrategy[float]] = {
    "rashba": NUMBER,
    "ando": st.floats(-3, 3).map(lambda x: x + 0.0),
    "su2": st.just(1.0),
    "evangelou-ziman": st.floats(0, 1000),
}
NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", fullmatch=True) | st.sampled_from(
    ["null", "on", "1e3", "0x1", "y", "True", "1.5", "2026-11-20", "_", "NO", "01"]
)


@st.composite
def axes(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> tuple[SweepAxis, ...]:
    """Sweeps over some of the paths, plain ones first, some of them evenly spaced."""
    paths = list(values)
    order = draw(st.permutations(paths))[: draw(st.integers(0, len(paths)))]
    plain = draw(st.integers(0, len(order)))
    found = []
    for path in order[:plain]:
        column = draw(st.lists(values[path], min_size=1, max_size=4, unique=True))
        if path == "energy" and len(column) > 1:
            column = list(evenly_spaced(column[0], column[1], draw(st.integers(2, 40))))
        if len(set(column)) == len(column):
            found.append(SweepAxis((path,), tuple((value,) for value in column)))
    coupled = order[plain:]
    for group in (coupled[:2], coupled[2:]):
        if len(group) > 1:
            rows = draw(st.lists(st.tuples(*(values[path] for path in group)), min_size=1, max_size=3, unique=True))
            found.append(SweepAxis(tuple(group), tuple(rows)))
    return tuple(found)


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Any valid model, of widths that suit every lattice and all edges."""
    lattice = draw(st.sampled_from(["chain", "square", "honeycomb", "cubic"]))
    sides: list[Any] = ["hard"] if lattice == "chain" else ["hard", "periodic"]
    sides += [("hard", "periodic"), ("periodic", "hard")] if lattice == "cubic" else []
    couplings = list(COUPLINGS) if lattice in ("chain", "square") else ["su2", "evangelou-ziman"]
    kind = draw(st.none() | st.sampled_from(couplings))
    lengths = draw(st.lists(st.integers(1, 20000), min_size=1, max_size=5, unique=True))
    return Model(
        lattice=lattice,
        width=1 if lattice == "chain" else draw(WIDTHS),
        lengths=tuple(sorted(lengths)),
        times_width=draw(st.booleans()),
        edges=draw(st.sampled_from(sides)),
        hopping=draw(VALUES["model.hopping"]),
        depth=draw(WIDTHS) if lattice == "cubic" else 1,
        edge=draw(st.sampled_from(["zigzag", "armchair"])) if lattice == "honeycomb" else "",
        spin_orbit=SpinOrbit(kind, draw(COUPLINGS[kind])) if kind else None,
        zeeman=draw(st.none() | st.tuples(NUMBER, NUMBER, NUMBER)),
    )


def swept_values(model: Model, disorder: list[Law]) -> dict[str, st.SearchStrategy[Any]]:
    """The values that each path of this experiment can take."""
    values = {path: kind for path, kind in VALUES.items() if not (path == "model.width" and model.lattice == "chain")}
    if model.spin_orbit and model.spin_orbit.kind != "su2":
        values["model.spin_orbit.strength"] = COUPLINGS[model.spin_orbit.kind]
    if model.zeeman:
        values["model.zeeman.1"] = NUMBER
    for index, law in enumerate(disorder):
        able = ON_FLUX if law.on == "flux" else LAW_VALUES
        keys = [key for key in able if hasattr(law, key) and (key != "correlation_length" or law.on == "sites")]
        values |= {f"disorder.{index}.{key}": able[key] for key in keys}
    return values


@st.composite
def experiments_with_bars(draw: st.DrawFn) -> Experiment:
    """Any valid experiment of method lyapunov."""
    experiment = draw(experiments().filter(lambda experiment: experiment.model.geometry.fully_linked))
    whole = st.integers(32, 10**7)
    values: dict[str, st.SearchStrategy[Any]] = {
        "energy": NUMBER,
        "flux": VALUES["flux"],
        "model.hopping": st.just(2.0),
    }
    values |= {"lyapunov.slices": whole, "lyapunov.warmup": whole}
    return replace(
        experiment,
        model=replace(experiment.model, lengths=(), times_width=False),
        disorder=tuple(law for law in experiment.disorder if not isinstance(law, Vacancy | Binary)),
        leads=Leads(0.0, flux=True, spin_orbit=True),
        sweep=draw(axes(values)),
        method="lyapunov",
        observables=(),
        bars=Bars(draw(whole), draw(st.integers(0, 10**7)), draw(st.none() | st.just(1))),
    )


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Any valid experiment of method transmission."""
    model = draw(models())
    plaquettes = model.lattice != "chain" and not model.geometry.periodic[0]
    disorder = draw(st.lists(ANY_LAW | RANDOM_FLUX if plaquettes else ANY_LAW, max_size=3))
    return Experiment(
        name=draw(NAMES),
        seed=draw(st.integers(0, 2**32 - 1)),
        model=model,
        disorder=tuple(disorder),
        energy=draw(NUMBER),
        flux=draw(VALUES["flux"]),
        leads=Leads(draw(NUMBER), flux=draw(st.booleans()), spin_orbit=draw(st.booleans())),
        sweep=draw(axes(swept_values(model, disorder))),
        randomness=draw(st.sampled_from(["common", "independent"])),
        realizations=draw(st.integers(1, 2**32 - 1)),
        method="transmission",
        observables=tuple(draw(st.lists(st.sampled_from(["transmission_eigenvalues", "shot_noise"]), unique=True))),
    )


@given(experiments() | experiments_with_bars())
@settings(derandomize=True, database=None, max_examples=150, deadline=None)
def test_an_experiment_written_as_yaml_reads_back_equal(experiment: Experiment) -> None:
    """Seen to fail with names such as 1e3 left unquoted, and with one of the laws read with its values exchanged."""
    text = dump_yaml(experiment)
    again = parse_experiment(text, "dump.yaml")
    assert again == experiment
    assert again.identity() == experiment.identity()
    assert dump_yaml(again) == text
