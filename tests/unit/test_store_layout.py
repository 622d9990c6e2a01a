"""The layout: names, units and places of everything in a results file."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mesogpu.config.experiment import Experiment, Leads, Model, SweepAxis
from mesogpu.physics.disorder import Gaussian, MagneticImpurity, Uniform, Vacancy
from mesogpu.physics.spin import SpinOrbit
from mesogpu.plan import Status, make_plan
from mesogpu.store import Writer, open_results, provenance
from mesogpu.store.layout import make_layout
from mesogpu.store.skeleton import build
from mesogpu.store.variables import MIXED, RESULTS


def experiment(*sweep: SweepAxis, **changes: object) -> Experiment:
    base = Experiment(
        name="layout",
        seed=11,
        model=Model("square", 4, (4, 8), False, "hard", 1.0),
        disorder=(Uniform(1.0), Uniform(0.2)),
        energy=0.8,
        flux=0.0,
        leads=Leads(0.0, True, True),
        sweep=sweep,
        randomness="common",
        realizations=100,
        method="transmission",
        observables=("shot_noise", "transmission_eigenvalues"),
    )
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("paths", "names", "units"),
    [
        (["flux"], ["flux"], ["h/e"]),
        (["disorder.0.width"], ["width"], ["t"]),
        (["model.width", "disorder.1.width"], ["model.width", "disorder.1.width"], ["sites", "t"]),
        (["leads.potential", "energy"], ["potential", "energy"], ["t", "t"]),
        (["model.length"], ["model.length"], ["slices"]),
        (["disorder.2.width", "disorder.3.exchange"], ["width", "exchange"], ["h/e", "t"]),
        (["disorder.4.correlation_length", "disorder.4.sigma"], ["correlation_length", "sigma"], ["sites", "t"]),
        (["disorder.5.density"], ["density"], ["1"]),
        (["model.zeeman.2", "model.spin_orbit.strength"], ["model.zeeman.2", "strength"], ["t", "rad"]),
    ],
)
def test_sweep_coordinates_have_the_last_name_unless_it_clashes_or_is_a_number(
    paths: list[str], names: list[str], units: list[str]
) -> None:
    """Planted faults: the last name taken always; random flux in units of t."""
    whole = {path: path in ("model.width", "model.length") for path in paths}
    axes = [SweepAxis((path,), ((3 if whole[path] else 0.1,), (5 if whole[path] else 0.2,))) for path in paths]
    spinful = replace(experiment().model, spin_orbit=SpinOrbit("ando", 0.1), zeeman=(0.0, 0.0, 0.1))
    laws = (Uniform(0.1, on="flux"), MagneticImpurity(0.3), Gaussian(0.2, 1.5), Vacancy(0.1))
    plain = experiment(*axes)
    layout = make_layout(make_plan(replace(plain, model=spinful, disorder=(*plain.disorder, *laws))))
    assert dict(layout.parameters) == dict(zip(names, paths, strict=True))
    found = {variable.name: variable for variable, _ in layout.coordinates}
    assert [found[name].units for name in names] == units
    assert all(found[name].long_name for name in names)


def test_lengths_that_differ_between_points_are_positions_with_slices_beside(tmp_path: Path) -> None:
    """Planted fault: the first point's lengths taken for all."""
    widths = SweepAxis(("model.width",), ((3,), (5,)))
    plan = make_plan(experiment(widths, model=Model("square", 4, (1, 2), True, "hard", 1.0)))
    with Writer(tmp_path / "a.h5", plan, config_text="", signature="s"), open_results(tmp_path / "a.h5") as results:
        assert results["length"].values.tolist() == [0, 1]
        assert results["slices"].values.tolist() == [[3, 6], [5, 10]]
        assert results["width"].values.tolist() == [3, 5]
        assert results["slices"].attrs["units"] == "slices"


def test_every_dataset_says_its_unit_and_meaning(tmp_path: Path) -> None:
    """Planted fault: attributes of the commit table left out."""
    build(tmp_path / "a.h5", make_layout(make_plan(experiment())), {"config": "x"})
    with h5py.File(tmp_path / "a.h5") as file:
        for name, dataset in file.items():
            if name != "realization":
                assert dataset.attrs["units"], name
                assert dataset.attrs["long_name"], name
                assert dataset.dtype.byteorder in "<|=" or dataset.dtype.names, name


def test_metadata_come_first_and_large_arrays_last_on_page_borders(tmp_path: Path) -> None:
    """Planted fault: HDF5's default metadata blocks."""
    layout = make_layout(make_plan(experiment(realizations=5000)))
    offsets = build(tmp_path / "a.h5", layout, {"config": "x" * 5000})
    always = [variable.name for variable in RESULTS["transmission"] if variable.asked_by != MIXED]
    assert list(offsets) == ["commit", *always]
    assert list(offsets.values()) == sorted(offsets.values())
    large = [v for v in layout.results if layout.nbytes(v) >= 4096]
    assert len(large) == 6
    assert all(offsets[v.name] % 4096 == 0 for v in large)
    with h5py.File(tmp_path / "a.h5") as file:
        assert max(file[v.name].id.get_offset() for v, _ in layout.coordinates) < min(offsets.values())
        last = file[layout.results[-1].name]
        assert last.id.get_offset() + last.id.get_storage_size() == (tmp_path / "a.h5").stat().st_size


def test_variables_follow_the_observables(tmp_path: Path) -> None:
    """Planted fault: optional variables always there."""
    plan = make_plan(experiment(observables=()))
    with Writer(tmp_path / "a.h5", plan, config_text="", signature="s"), open_results(tmp_path / "a.h5") as results:
        assert set(results.data_vars) == {
            *("conductance", "log_conductance", "conditioning", "status", "audit_deviation", "channels", "slices")
        }
        assert dict(results.sizes) == {"point": 1, "length": 2, "block": 1, "channel": 3, "realization": 100}


def test_attributes_say_where_the_file_comes_from(tmp_path: Path) -> None:
    """Planted fault: the identity of another experiment."""
    plan = make_plan(experiment())
    with Writer(tmp_path / "a.h5", plan, config_text="name: é\n", signature="numpy x"):
        pass
    with open_results(tmp_path / "a.h5") as results:
        found = results.attrs
    assert found["config_sha256"] == plan.experiment.identity()
    expected = {"filetype": "mesogpu", "format_version": 1, "config": "name: é\n", "signature": "numpy x", "seed": 11}
    expected |= {"degeneracy": 2, "method": "transmission", "block_size": plan.block_size}
    assert {name: found[name] for name in expected} == expected
    assert {"rng", "packages", "git_sha", "mesogpu_version", "Conventions"} <= found.keys()


def test_a_spinful_model_counts_both_spins_in_g() -> None:
    """Planted fault: a degeneracy of 2 whatever the model."""
    for law, degeneracy in ((Uniform(1.0), 2), (MagneticImpurity(0.3), 1), (MagneticImpurity(0.0), 1)):
        plan = make_plan(experiment(disorder=(law,)))
        assert provenance.file_attributes(plan, config_text="", signature="s")["degeneracy"] == degeneracy


def test_the_file_lists_every_status_by_name(tmp_path: Path) -> None:
    """Planted fault: a status left out of the attributes."""
    build(tmp_path / "a.h5", make_layout(make_plan(experiment())), {"config": "x"})
    with h5py.File(tmp_path / "a.h5") as file:
        attributes = dict(file["status"].attrs)
    named = dict(zip(attributes["flag_meanings"].split(), attributes["flag_values"].tolist(), strict=True))
    assert named == {status.name.lower(): int(status) for status in Status}
    assert named["no_path"] == 4


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_our_own_checkout_and_no_other(tmp_path: Path) -> None:
    """Planted fault: any repository above the package taken for ours."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    project = tmp_path / "pyproject.toml"
    git("init", "--quiet")
    for name, ours in (("other", False), ("mesogpu", True)):
        project.write_text(f'[project]\nname = "{name}"\n')
        git("add", "pyproject.toml")
        git("commit", "--quiet", "-m", name)
        head = git("rev-parse", "HEAD").strip()
        assert provenance._checkout_sha(tmp_path) == (head if ours else "")
    project.write_text(project.read_text() + "\n")
    assert provenance._checkout_sha(tmp_path) == f"{head}-dirty"


def test_a_billion_realizations_cost_no_coordinate() -> None:
    """Planted fault: realization as a variable."""
    layout = make_layout(make_plan(experiment(realizations=10**9)))
    assert sum(np.asarray(values).nbytes for _, values in layout.coordinates) < 10**8
