"""Weak antilocalization, its loss in a field, and magnetic scattering: ensembles against those of another program."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engines import needs_kernels
from models import block, strip

from mesogpu.backends.base import Backend
from mesogpu.backends.native.backend import NativeBackend
from mesogpu.backends.reference.backend import ReferenceBackend
from mesogpu.physics.disorder import MagneticImpurity, Uniform
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Status

REFERENCES = json.loads((Path(__file__).parents[1] / "data" / "spinful_strips.json").read_text())
SYSTEMS = {
    "su2": strip(40, energy=0.8, laws=(Uniform(2.0),), spin_orbit=SpinOrbit("su2", 1.0), lead_flux=False),
    "magnetic": strip(30, energy=0.8, laws=(Uniform(1.0), MagneticImpurity(0.5))),
}
SAMPLES = 2048
SIGMAS = 3.0
ENSEMBLES = [
    pytest.param(NativeBackend, "magnetic", marks=needs_kernels),
    pytest.param(NativeBackend, "su2", marks=[needs_kernels, pytest.mark.slow]),
    pytest.param(ReferenceBackend, "magnetic", marks=pytest.mark.slow),
    pytest.param(ReferenceBackend, "su2", marks=pytest.mark.slow),
]


def computed(engine: type[Backend], system: System, lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """g and noise, (length, realization)."""
    arrays = engine().compute(block(system, tuple(lengths), count=SAMPLES, eigenvalues=False))
    assert np.all(arrays["status"] <= Status.ORACLE)
    return arrays["conductance"], arrays["shot_noise"]


def mean(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Over the realizations, with its standard error."""
    return values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def variance(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unbiased, with its standard error from the fourth moment."""
    centred = values - values.mean(axis=1, keepdims=True)
    second, fourth = np.mean(centred**2, axis=1), np.mean(centred**4, axis=1)
    return values.var(axis=1, ddof=1), np.sqrt((fourth - second**2) / values.shape[1])


def fano(values: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ratio of the means, with its standard error to first order."""
    ratio = noise.mean(axis=1) / values.mean(axis=1)
    _, error = mean(noise - ratio[:, None] * values)
    return ratio, error / values.mean(axis=1)


@pytest.mark.parametrize(("engine", "name"), ENSEMBLES)
def test_ensembles_of_spinful_strips_are_those_of_another_program(engine, name):
    # Seen to fail with spins on a circle, and with bonds that all turn the spin about one axis.
    reference, system = REFERENCES[name], SYSTEMS[name]
    assert system.channels() == reference["channels"]
    samples = {
        flux: computed(engine, replace(system, flux=flux), reference["length"])
        for flux in sorted({table["flux"] for table in reference["tables"]})
    }
    rows, distances = [], []
    for table in reference["tables"]:
        conductance, noise = samples[table["flux"]]
        value, error = {
            "mean": lambda g, _: mean(g),
            "variance": lambda g, _: variance(g),
            "difference": lambda g, _: mean(samples[0.0][0] - g),
            "fano": fano,
        }[table["quantity"]](conductance, noise)
        for k, length in enumerate(reference["length"]):
            # Where no error was recorded it is that of as many samples of ours.
            recorded = table["error"][k] or error[k] * np.sqrt(SAMPLES / reference["samples"])
            distance = (value[k] - table["value"][k]) / np.hypot(error[k], recorded)
            distances.append(abs(distance))
            rows.append(
                f"{table['quantity']:10} flux {table['flux']:<5} L {length:<4} {value[k]:8.4f} +- {error[k]:.4f}   "
                f"reference {table['value'][k]:.4f} +- {recorded:.4f}   {distance:+.2f} sigma\n"
            )
    sys.stdout.write(f"\n{name}, {engine.__name__}, {SAMPLES} samples\n{''.join(rows)}")
    assert max(distances) < SIGMAS
