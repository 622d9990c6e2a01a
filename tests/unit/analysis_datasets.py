"""Made-up results with known statistics, in the shape that `open_results` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray

from mesogpu.config.experiment import Bars, Experiment, Leads, Model, SweepAxis
from mesogpu.physics.closed_forms import diffusive_fano_factor, mean_conductance
from mesogpu.physics.disorder import Law, Uniform

BATCHES = 32


def strip_experiment(
    *,
    lengths: Sequence[int] = (30, 60, 120, 180, 240),
    fluxes: Sequence[float] = (0.0, 0.006),
    width: int = 30,
    disorder: float = 1.0,
    realizations: int = 4096,
    energy: float = 0.8,
) -> Experiment:
    """The quickstart strip, or a variation of it."""
    return Experiment(
        name="ucf-quasi-1d",
        seed=20261120,
        model=Model("square", width, tuple(lengths), False, "hard", 1.0),
        disorder=(Uniform(disorder),),
        energy=energy,
        flux=fluxes[0],
        leads=Leads(0.0, True, True),
        sweep=(SweepAxis(("flux",), tuple((flux,) for flux in fluxes)),) if len(fluxes) > 1 else (),
        randomness="common",
        realizations=realizations,
        method="transmission",
        observables=("shot_noise",),
    )


def dataset(
    conductance: NDArray[np.float64],
    *,
    lengths: Sequence[int],
    parameters: Mapping[str, Sequence[float]] | None = None,
    log_conductance: NDArray[np.float64] | None = None,
    shot_noise: NDArray[np.float64] | None = None,
    status: NDArray[np.uint8] | None = None,
    channels: int = 21,
    attrs: Mapping[str, Any] | None = None,
) -> xarray.Dataset:
    """Results from plain arrays of shape (point, length, realization)."""
    dims = ("point", "length", "realization")
    if log_conductance is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_conductance = np.log(conductance)
    if status is None:
        status = np.zeros(conductance.shape, dtype=np.uint8)
    points = conductance.shape[0]
    variables: dict[str, Any] = {
        "conductance": (dims, conductance),
        "log_conductance": (dims, log_conductance),
        "status": (dims, status),
        "channels": (("point",), np.full(points, channels, dtype=np.int32)),
        "slices": (("point", "length"), np.tile(np.array(lengths, dtype=np.int32), (points, 1))),
    }
    if shot_noise is not None:
        variables["shot_noise"] = (dims, shot_noise)
    coordinates: dict[str, Any] = {"point": np.arange(points), "length": np.array(lengths)}
    for name, values in (parameters or {}).items():
        coordinates[name] = ("point", np.array(values), {"units": "h/e" if name == "flux" else "t", "long_name": name})
    return xarray.Dataset(variables, coords=coordinates, attrs={"degeneracy": 2} | dict(attrs or {}))


def correlated_normal(
    generator: np.random.Generator, realizations: int, count: int, correlation: float
) -> NDArray[np.float64]:
    """Unit normal numbers (count, realizations), neighbours correlated by `correlation`."""
    numbers = generator.standard_normal((count, realizations))
    for row in range(1, count):
        numbers[row] = correlation * numbers[row - 1] + np.sqrt(1.0 - correlation**2) * numbers[row]
    return numbers


def wire_results(
    generator: np.random.Generator,
    *,
    lengths: Sequence[int] = (30, 60, 120, 180, 240),
    fluxes: Sequence[float] = (0.0, 0.006),
    realizations: int = 4096,
    mean_free_path: float = 40.5,
    channels: int = 21,
    variances: Mapping[float, Sequence[float]] | None = None,
    attrs: Mapping[str, Any] | None = None,
    beta: int | None = None,
    multiplicity: int = 1,
) -> xarray.Dataset:
    """Wires whose <g> follows the one-l curve exactly, with correlated lengths and F near its diffusive value.

    beta         : Dyson index; by the flux where not given
    multiplicity : equal conductances that g sums, each with its share of the channels and with these `variances`
    """
    modes = channels // multiplicity
    conductance = np.empty((len(fluxes), len(lengths), realizations))
    noise = np.empty_like(conductance)
    shared = correlated_normal(generator, realizations, len(lengths), 0.8)
    for point, flux in enumerate(fluxes):
        dyson = beta or (1 if flux == 0.0 else 2)
        curve = mean_conductance(np.array(lengths), channels=modes, mean_free_path=mean_free_path, beta=dyson)
        spread = np.sqrt((variances or {}).get(flux, [2.0 / 15.0 / dyson] * len(lengths)))
        own = correlated_normal(generator, realizations, len(lengths), 0.8)
        mixed = np.sqrt(0.5) * (shared + own)
        conductance[point] = np.asarray(curve)[:, None] + np.asarray(spread)[:, None] * mixed
        for k, length in enumerate(lengths):
            fano = diffusive_fano_factor(length / mean_free_path, conductance=float(curve[k]), beta=dyson)
            scatter = 0.03 * np.sqrt(curve[k]) * generator.standard_normal(realizations)
            noise[point, k] = fano * curve[k] + 0.4 * (conductance[point, k] - curve[k]) + scatter
    conductance = multiplicity * np.maximum(conductance, 1e-3)
    return dataset(
        conductance,
        lengths=lengths,
        parameters={"flux": fluxes} if len(fluxes) > 1 else None,
        shot_noise=multiplicity * noise,
        channels=channels,
        attrs=attrs,
    )


def bar_experiment(
    *,
    model: Model | None = None,
    laws: Sequence[Law] = (Uniform(0.5),),
    energy: float = 0.5,
    sweep: Mapping[str, Sequence[float]] | None = None,
    bars: int = 64,
    slices: int = 1_000_000,
    exponents: int | None = None,
) -> Experiment:
    """Bars of a chain, or of another model, swept over the given paths."""
    return Experiment(
        name="bars",
        seed=7,
        model=model or Model("chain", 1, (), False, "hard", 1.0),
        disorder=tuple(laws),
        energy=energy,
        flux=0.0,
        leads=Leads(0.0, True, True),
        sweep=tuple(SweepAxis((path,), tuple((value,) for value in values)) for path, values in (sweep or {}).items()),
        randomness="independent",
        realizations=bars,
        method="lyapunov",
        observables=(),
        bars=Bars(slices, 1000, exponents),
    )


def batch_rates(
    generator: np.random.Generator, exponents: NDArray[np.float64], *, bars: int, slices: int, scatter: float = 0.8
) -> NDArray[np.float64]:
    """Independent normal exponents of every batch, (point, bars, 32, k), with the scatter that long bars have.

    exponents : (point, k)
    scatter   : standard error of a bar over sqrt(exponent / slices)
    """
    numbers = generator.standard_normal((len(exponents), bars, BATCHES, exponents.shape[1]))
    centre = exponents[:, None, None, :]
    return centre + scatter * np.sqrt(np.abs(centre) * BATCHES / slices) * numbers


def bar_dataset(
    rates: NDArray[np.float64],
    *,
    slices: int | Sequence[int] = 1_000_000,
    parameters: Mapping[str, Sequence[float]] | None = None,
    status: NDArray[np.uint8] | None = None,
    channels: Sequence[int] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xarray.Dataset:
    """Results of bars from the exponents of their batches, (point, bars, batches, k)."""
    points, bars, batches, stored = rates.shape
    dims = ("point", "realization", "channel")
    half = batches // 2
    with np.errstate(invalid="ignore"):
        errors = rates.std(2, ddof=1) / np.sqrt(batches)
        drift = rates[:, :, half:].mean(2) - rates[:, :, :half].mean(2)
    variables: dict[str, Any] = {
        "lyapunov_exponents": (dims, rates.mean(2)),
        "lyapunov_errors": (dims, errors),
        "lyapunov_drift": (dims, drift),
        "status": (("point", "length", "realization"), np.zeros((points, 1, bars), np.uint8)),
        "channels": (("point",), np.full(points, stored, np.int32) if channels is None else np.array(channels)),
        "slices": (("point", "length"), np.broadcast_to(np.asarray(slices, np.int32).reshape(-1, 1), (points, 1))),
        "warmup": (("point",), np.full(points, 1000, np.int32)),
    }
    if status is not None:
        variables["status"] = (("point", "length", "realization"), status[:, None, :])
    units = {"width": "sites", "lyapunov.slices": "slices"}
    coordinates: dict[str, Any] = {"point": np.arange(points), "channel": np.arange(stored)}
    for name, values in (parameters or {}).items():
        coordinates[name] = ("point", np.array(values), {"units": units.get(name, "t"), "long_name": name})
    return xarray.Dataset(variables, coords=coordinates, attrs={"degeneracy": 2} | dict(attrs or {}))
