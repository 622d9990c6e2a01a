"""The tables of datasets and attributes are NOTATION.md's, and say what is in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mesogpu.config.dump import dump_yaml
from mesogpu.config.experiment import Bars, Experiment, Leads, Model, SweepAxis
from mesogpu.physics.disorder import Uniform
from mesogpu.plan import make_plan
from mesogpu.store import Writer, append_log, datasets, pack
from mesogpu.store.layout import LAW_NUMBERS
from mesogpu.store.provenance import ATTRIBUTES

NOTATION = Path(__file__).parents[2] / "NOTATION.md"
OPEN, CLOSE = "<!-- datasets -->\n", "<!-- /datasets -->"
SWEEP = (SweepAxis(("model.width", "energy"), ((3, 0.2), (5, 0.3))),)


def experiment(method: str) -> Experiment:
    bars = method == "lyapunov"
    return Experiment(
        name="w",
        seed=1,
        model=Model("square", 4, () if bars else (4, 8), False, "hard", 1.0),
        disorder=(Uniform(1.0),),
        energy=0.3,
        flux=0.0,
        leads=Leads(0.0, True, True),
        sweep=SWEEP,
        randomness="independent",
        realizations=10,
        method=method,
        observables=() if bars else ("shot_noise", "transmission_eigenvalues"),
        bars=Bars(64, 8, None) if bars else None,
    )


def packed_files(folder: Path, made: Experiment) -> list[Path]:
    """A file of the experiment, a mixed one, and one whose points differ in their lengths, all packed with a log."""
    longer = replace(made.model, lengths=(1, 2), times_width=True)
    kinds = {"plain": made, "mixed": made, "lengths": made if made.bars else replace(made, model=longer)}
    found = []
    for kind, each in kinds.items():
        path, out = folder / f"{kind}.h5", folder / f"{kind}.small.h5"
        for signature in ("a", "b") if kind == "mixed" else ("a",):
            text = dump_yaml(each)
            Writer(path, make_plan(each), config_text=text, signature=signature, mixed=kind == "mixed").close()
        append_log(path, event="started")
        pack(path, out)
        found.append(out)
    return found


def test_notation_shows_the_tables() -> None:
    """Seen to fail with a cell changed in NOTATION.md."""
    _, opened, rest = NOTATION.read_text(encoding="utf-8").partition(OPEN)
    shown, closed, _ = rest.partition(CLOSE)
    assert opened
    assert closed
    assert shown == datasets.section(), "python -m mesogpu.store.datasets prints what NOTATION.md should show"


@pytest.mark.parametrize("method", ["transmission", "lyapunov"])
def test_the_tables_say_what_is_in_a_file(tmp_path: Path, method: str) -> None:
    """Seen to fail with a variable left out of the table, and with one that no file has."""
    other = {"transmission": "lyapunov", "lyapunov": "transmission"}[method]
    expected = {variable for variable, when in datasets.rows() if not when.startswith(other)}
    seen = set()
    for path in packed_files(tmp_path, experiment(method)):
        with h5py.File(path) as file:
            assert set(file.attrs) == set(ATTRIBUTES)
            for name, dataset in file.items():
                if name in ("realization", "log_byte", "width", "energy"):
                    continue
                dims = tuple(axis[0].name[1:] if len(axis) else name for axis in dataset.dims)
                meaning = (dims, dataset.dtype, dataset.attrs["units"], dataset.attrs["long_name"])
                matching = [
                    each
                    for each in expected
                    if each.name == name and (each.dims, np.dtype(each.dtype), each.units, each.long_name) == meaning
                ]
                assert len(matching) == 1, (name, meaning)
                seen.update(matching)
    unseen = {variable.name for variable in expected - seen}
    assert unseen == {"*swept parameter*"} | ({"length"} if method == "lyapunov" else set())


def test_every_number_of_a_law_is_in_the_table() -> None:
    """Seen to fail with the densities left out."""
    assert all(f"`disorder.N.{name}`" in datasets.section() for name in LAW_NUMBERS)
