"""Plans of method lyapunov: as many channels as exponents, no leads, and the cost of frames."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesogpu.config.experiment import Bars, Experiment, Leads, Model, SweepAxis
from mesogpu.errors import ConfigError, PhysicsError, PlanError
from mesogpu.physics.disorder import Binary, Gaussian, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import limits, make_plan
from mesogpu.plan.cost import block_memory, realization_flops

STRIP = Experiment(
    name="bars",
    seed=1,
    model=Model("square", 8, (), False, "periodic", 1.0),
    disorder=(Uniform(1.0),),
    energy=0.0,
    flux=0.0,
    leads=Leads(0.0, True, True),
    sweep=(),
    randomness="independent",
    realizations=100,
    method="lyapunov",
    observables=(),
    bars=Bars(slices=1000, warmup=200, exponents=None),
)
WIDTHS = (SweepAxis(("model.width",), ((4,), (8,))),)


def with_bars(experiment: Experiment = STRIP, **changes: object) -> Experiment:
    assert experiment.bars
    return replace(experiment, bars=replace(experiment.bars, **changes))


def test_bars_have_their_exponents_for_channels_and_no_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the lead modes asked for, which are at their band edge here."""
    with pytest.raises(PhysicsError, match="band edge"):
        make_plan(replace(STRIP, method="transmission", bars=None, model=replace(STRIP.model, lengths=(9,))))

    def refuse(*_: object) -> int:
        raise AssertionError("bars have no leads")

    monkeypatch.setattr(System, "channels", refuse)
    monkeypatch.setattr(System, "lead_modes", refuse)
    assert make_plan(replace(STRIP, sweep=WIDTHS)).channels == (4, 8)
    assert make_plan(replace(STRIP, sweep=WIDTHS, disorder=(MagneticImpurity(0.5),))).channels == (8, 16)
    plan = make_plan(with_bars(replace(STRIP, sweep=WIDTHS), exponents=3))
    assert (plan.channels, plan.max_channels, plan.lengths) == ((3, 3), 3, 1)


def test_a_field_of_bars_must_close_around_periodic_sides_too() -> None:
    assert make_plan(replace(STRIP, flux=0.125)).channels == (8,)
    with pytest.raises(ConfigError, match=r"flux: 0\.1.*must be an integer"):
        make_plan(replace(STRIP, flux=0.1))


@pytest.mark.parametrize("law", [Vacancy(0.1), Binary((0.0, -1.0), 0.5, on="bonds")])
def test_bars_that_cannot_be_stepped_are_refused(law: Vacancy | Binary) -> None:
    """Seen to fail with the check left to the reader of a file."""
    with pytest.raises(PhysicsError, match=r"needs a transfer matrix, this model has none; use transmission"):
        make_plan(replace(STRIP, disorder=(law,)))
    armchair = Model("honeycomb", 6, (), False, "hard", 1.0, edge="armchair")
    with pytest.raises(PhysicsError, match=r"none \(at energy = 0\.5\)"):
        make_plan(replace(STRIP, model=armchair, sweep=(SweepAxis(("energy",), ((0.5,),)),)))


def test_a_bar_costs_its_frames_on_every_slice_of_it() -> None:
    """Seen to fail with the warm-up left out, and with complex frames as cheap as real ones."""
    slices, real = 1200, 5 * 8**2 + 4.33 * 8**3 / 4
    assert realization_flops(make_plan(STRIP).points[0]) == pytest.approx(slices * real)
    spinful = 4 * (5 * 16**2 + 4.33 * 16**3 / 4)
    hard = replace(STRIP, model=replace(STRIP.model, edges="hard"))
    for experiment, cost in (
        (replace(hard, flux=0.01), 4 * real),
        (replace(hard, disorder=(Uniform(0.1, on="flux"),)), 4 * real),
        (replace(hard, disorder=(MagneticImpurity(0.5),)), spinful),
        (replace(hard, model=replace(hard.model, spin_orbit=SpinOrbit("su2", 1.0))), spinful),
    ):
        assert realization_flops(make_plan(experiment).points[0]) == pytest.approx(slices * cost)


def test_blocks_of_bars_are_those_of_their_cost() -> None:
    """Files keep their blocks, so these sizes never change."""
    chain = replace(STRIP, model=Model("chain", 1, (), False, "hard", 1.0))
    sizes = [(chain, 4096), (STRIP, 4096), (replace(STRIP, model=Model("cubic", 8, (), False, "hard", 1.0, 8)), 64)]
    assert [make_plan(experiment).block_size for experiment, _ in sizes] == [size for _, size in sizes]
    long = [make_plan(with_bars(experiment, slices=10**6)).block_size for experiment, _ in sizes]
    assert long == [4096, 32, 8]
    assert make_plan(with_bars(exponents=1)).block_size == make_plan(STRIP).block_size


def test_a_long_bar_takes_no_more_memory_unless_its_potential_is_correlated() -> None:
    """Seen to fail with every slice of a bar held at once."""
    bars = (STRIP, with_bars(slices=10**6))
    short, long = (block_memory(make_plan(experiment).points[0], 64) for experiment in bars)
    assert short == long
    smooth = (replace(experiment, disorder=(Gaussian(1.0, 2.0),)) for experiment in bars)
    short, long = (block_memory(make_plan(experiment).points[0], 64) for experiment in smooth)
    assert long > 500 * short


def test_too_little_memory_for_bars_names_what_they_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 10_000_000)
    with pytest.raises(PlanError, match=r"reduce model\.width or lyapunov\.slices"):
        limits.check_memory(make_plan(STRIP), 1)
