"""Points and canonical blocks: the same cut whatever the number of realizations or the machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogpu.config.experiment import Experiment, Leads, Model, SweepAxis
from mesogpu.errors import ConfigError, PhysicsError
from mesogpu.physics.disorder import Gaussian, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.draws import smoothing
from mesogpu.physics.spin import SpinOrbit
from mesogpu.plan import make_plan
from mesogpu.plan.cost import block_memory, block_size, realization_flops

STRIP = Experiment(
    name="strip",
    seed=1,
    model=Model("square", 6, (4, 9), False, "hard", 1.0),
    disorder=(Uniform(1.0),),
    energy=0.4,
    flux=0.0,
    leads=Leads(0.0, True, True),
    sweep=(),
    randomness="common",
    realizations=100,
    method="transmission",
    observables=("shot_noise",),
)


def test_a_sweep_is_crossed_with_its_first_axis_slowest():
    plan = make_plan(
        replace(
            STRIP, sweep=(SweepAxis(("energy",), ((0.1,), (0.2,))), SweepAxis(("flux",), ((0.0,), (0.01,), (0.02,))))
        )
    )
    assert [(p.system.energy, p.system.flux) for p in plan.points] == [
        (0.1, 0.0), (0.1, 0.01), (0.1, 0.02), (0.2, 0.0), (0.2, 0.01), (0.2, 0.02),
    ]  # fmt: skip
    assert plan.points[4].parameters == (("energy", 0.2), ("flux", 0.01))


def test_coupled_parameters_vary_together():
    axis = SweepAxis(("model.width", "disorder.0.width"), ((4, 1.0), (8, 0.5)))
    plan = make_plan(replace(STRIP, sweep=(axis,)))
    assert [(p.system.lattice.width, p.system.laws) for p in plan.points] == [
        (4, (Uniform(1.0),)),
        (8, (Uniform(0.5),)),
    ]
    assert plan.channels == tuple(p.system.channels() for p in plan.points)


def test_lengths_in_widths_follow_a_swept_width():
    model = replace(STRIP.model, lengths=(1, 3), times_width=True)
    plan = make_plan(replace(STRIP, model=model, sweep=(SweepAxis(("model.width",), ((4,), (8,))),)))
    assert [p.lengths for p in plan.points] == [(4, 12), (8, 24)]


@given(realizations=st.integers(1, 20_000))
def test_blocks_cover_every_realization_once(realizations):
    plan = make_plan(replace(STRIP, realizations=realizations))
    covered = [r for block in plan.blocks() for r in range(block.first, block.first + block.count)]
    assert covered == list(range(realizations))


@given(st.floats(1.0, 1e15))
def test_a_block_is_a_power_of_two_near_forty_gigaflop(flops):
    size = block_size(flops)
    assert size in {2**k for k in range(3, 13)}
    assert size == 8 or size * flops <= 40e9
    assert size == 4096 or 2 * size * flops > 40e9


def test_the_block_size_does_not_depend_on_the_number_of_realizations():
    assert make_plan(STRIP).block_size == make_plan(replace(STRIP, realizations=10**9)).block_size


def test_independent_points_draw_from_streams_of_their_own():
    sweep = (SweepAxis(("energy",), ((0.1,), (0.2,))),)
    shared = make_plan(replace(STRIP, sweep=sweep))
    independent = make_plan(replace(STRIP, sweep=sweep, randomness="independent"))
    assert [p.stream_point for p in shared.points] == [0, 0]
    assert [p.stream_point for p in independent.points] == [0, 1]


def test_a_field_that_does_not_close_around_periodic_sides_is_refused():
    periodic = replace(STRIP, model=replace(STRIP.model, edges="periodic"))
    assert make_plan(replace(periodic, flux=1 / 6)).channels
    with pytest.raises(ConfigError, match=r"flux: 0\.1.*must be an integer"):
        make_plan(replace(periodic, flux=0.1))


def test_a_band_edge_names_the_point():
    chain = replace(STRIP.model, lattice="chain", width=1)
    sweep = (SweepAxis(("energy",), ((0.1,), (2.0,))),)
    with pytest.raises(PhysicsError, match=r"band edge.*energy = 2\.0"):
        make_plan(replace(STRIP, model=chain, sweep=sweep))


def test_too_many_points_are_refused_before_they_are_made():
    axis = tuple((float(k),) for k in range(1001))
    with pytest.raises(ConfigError, match="1002001 points, at most 1000000"):
        make_plan(replace(STRIP, sweep=(SweepAxis(("energy",), axis), SweepAxis(("flux",), axis))))


def test_cost_grows_with_the_longest_length_and_the_cube_of_the_width():
    small, wide = make_plan(STRIP).points[0], make_plan(replace(STRIP, model=replace(STRIP.model, width=12))).points[0]
    assert realization_flops(wide) == 8 * realization_flops(small)


def test_the_blocks_of_what_could_be_computed_before_are_those_of_its_files():
    """Files keep their blocks, so these sizes never change."""
    strip = [(10, 100), (30, 240), (64, 640), (128, 128), (256, 2560)]
    models = [replace(STRIP.model, width=width, lengths=(length,)) for width, length in strip]
    assert [make_plan(replace(STRIP, model=model)).block_size for model in models] == [4096, 256, 8, 8, 8]
    quickstart = replace(STRIP.model, width=30, lengths=(30, 60, 120, 180, 240))
    assert realization_flops(make_plan(replace(STRIP, model=quickstart)).points[0]) == 30**3 * (16 * 240 + 53 * 5)


def test_cost_counts_the_orbitals_of_a_slice():
    """Seen to fail with the sites in place of the orbitals, in operations and in memory."""
    plain = make_plan(STRIP).points[0]
    spinful = make_plan(replace(STRIP, disorder=(Uniform(1.0), MagneticImpurity(0.5)))).points[0]
    assert realization_flops(spinful) == 8 * realization_flops(plain)
    assert block_memory(spinful, 64) > 3.5 * block_memory(plain, 64)
    bar = replace(STRIP.model, lattice="cubic", width=6, depth=5)
    assert realization_flops(make_plan(replace(STRIP, model=bar)).points[0]) == 5**3 * realization_flops(plain)


def test_what_is_random_on_bonds_takes_memory_too():
    long = replace(STRIP.model, lengths=(5000,))
    plans = [
        make_plan(replace(STRIP, model=replace(long, spin_orbit=coupling)))
        for coupling in (SpinOrbit("rashba", 0.2), SpinOrbit("su2", 1.0))
    ]
    uniform, random = (block_memory(plan.points[0], 1) for plan in plans)
    assert random - uniform == 8 * 12 * 5000 * 6


def test_smoothing_a_correlated_potential_costs_what_its_reach_takes():
    """Seen to fail with one weight for all, and with the direction left out that is smoothed first."""
    plain, smooth = (
        realization_flops(make_plan(replace(STRIP, disorder=(Gaussian(0.3, length),))).points[0])
        for length in (0.0, 1.5)
    )
    weights = len(smoothing(1.5))
    assert smooth - plain == 2 * weights * (9 * 6 + (9 + weights - 1) * 6)


def test_the_same_experiment_is_recognised_by_its_values_alone():
    same = replace(STRIP, name="other", realizations=7, observables=("shot_noise",))
    assert same.identity() == STRIP.identity()
    changed = [
        replace(STRIP, energy=0.41),
        replace(STRIP, disorder=(Uniform(1.1),)),
        replace(STRIP, model=replace(STRIP.model, lengths=(4, 10))),
        replace(STRIP, sweep=(SweepAxis(("flux",), ((0.0,), (0.1,))),)),
        replace(STRIP, observables=("shot_noise", "transmission_eigenvalues")),
    ]
    identities = {STRIP.identity(), *(experiment.identity() for experiment in changed)}
    assert len(identities) == 6


def test_the_order_of_the_axes_belongs_to_the_identity():
    first, second = SweepAxis(("flux",), ((0.0,), (0.1,))), SweepAxis(("energy",), ((0.3,), (0.4,)))
    forward, backward = replace(STRIP, sweep=(first, second)), replace(STRIP, sweep=(second, first))
    assert forward.identity() != backward.identity()


def test_the_energy_of_levels_that_no_lead_reaches_is_refused_with_one_beside_it():
    # Seen to fail without the check, and with a law of variance 0 counted as one that shifts the sites.
    full_of_holes = replace(STRIP, energy=0.0, disorder=(Vacancy(0.1), Uniform(0.0)))
    with pytest.raises(PhysicsError, match=r"energy: 0\.0: where sites or bonds are missing.*use 1e-06 instead"):
        make_plan(full_of_holes)
    make_plan(replace(full_of_holes, energy=1e-6))
    make_plan(replace(full_of_holes, disorder=(Vacancy(0.1), Uniform(1.0))))
