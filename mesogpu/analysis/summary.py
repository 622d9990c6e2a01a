"""The summary of a results file: what `mesogpu analyze --json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.catalogue import analyses
from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.estimators import Statistic, mean, ratio_of_means, standard_errors, variance
from mesogpu.analysis.lyapunov import holds_bars, summarise_bars
from mesogpu.analysis.one_l import RULE, OneL, describe, fit_one_l
from mesogpu.analysis.record import Analysis, plain
from mesogpu.analysis.regime import Strip, strips
from mesogpu.analysis.samples import NEEDED, PointSamples, read_points, require_variables
from mesogpu.analysis.stored import json_ready, stored_experiment, sweep_parameters
from mesogpu.analysis.theory import entry_checks, entry_references, entry_theory, one_l_check, record_checks
from mesogpu.config.experiment import Experiment
from mesogpu.errors import PhysicsError

if TYPE_CHECKING:
    import xarray

METHOD = {
    "errors": "one standard error by the infinitesimal jackknife over realizations, correlation between lengths kept",
    "fano": "ratio of the ensemble means of shot noise and conductance",
    "reliable": "false where one sample carries more than 2 % of a sum: the error bar is then not to be trusted",
    "failed": "samples that no certificate vouches for are left out and counted",
    "closed": (
        "samples that transmit nothing, the leads having no channel or no path joining them: they count with g = 0 in "
        "all but the statistics of ln g, which are over the other samples alone"
    ),
    "one_l": RULE,
    "theory": (
        "given for square strips with uncorrelated onsite disorder of mean zero, also with classical spins, with "
        "L >= 3 W, g >= 2.5 and a definite symmetry class: the box sum for var g from L >= 5 l, (1/3)[1 - (1+s)^-3] "
        "(+ 4/(45 g) at beta = 1) for the Fano factor from L >= 4 l. For SU(2) bonds and W >= 40: 4 times the box sum "
        "at beta = 4 for var g, from L >= W/2, L >= 7 l and g >= 4. A class is definite from ten times the length over "
        "which the other's symmetry is lost: sqrt(3) l_m^2/W in a field, sqrt(3 l l_spins)/pi among classical spins"
    ),
    "checks": "|value - reference| <= 3 sqrt(standard error^2 + reference error^2), model errors stated beforehand",
}


def analyze(results: xarray.Dataset, *, experiment: Experiment | None = None) -> dict[str, Any]:
    """Statistics of a results file with their errors, and theory beside: of transmission, or of Lyapunov exponents.

    Transmission has means, variances, Fano factors and mean free paths; bars have exponents and localization lengths.

    An unfinished file is analyzed as far as it is committed; `complete` then is false.

    results    : as `open_results` gives it
    experiment : what was run; read from the file's own configuration where omitted. Without either there is no theory.
    returns    : plain data, ready for JSON: "points" has one entry per (point, length), of bars per point, in canonical
                 order; "analyses" one `record.Analysis` for each that applies, none where what was run is not known
    raises     : StoreError where the dataset lacks what statistics need; ConfigError where its configuration
                 cannot be read
    """
    experiment = experiment or stored_experiment(results)
    made = summarise_bars(results, experiment) if holds_bars(results) else _summarise_samples(results, experiment)
    signatures = str(results.attrs.get("signature", "")).split("\n")
    ready: dict[str, Any] = json_ready(made | {"signatures": signatures})
    return ready


def _summarise_samples(results: xarray.Dataset, experiment: Experiment | None) -> dict[str, Any]:
    """Statistics of transmission: one entry per (point, length)."""
    require_variables(results, NEEDED)
    channels = [int(count) for count in results["channels"].to_numpy()]
    slices = results["slices"].to_numpy().astype(np.int64)
    parameters = sweep_parameters(results)
    systems = strips(experiment, channels) if experiment is not None else None
    entries: list[list[dict[str, Any]]] = []
    found: list[OneL | None] = []
    fits: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    complete = True
    for index, samples in enumerate(read_points(results)):
        new = [
            _entry(samples, k, int(length), parameters[index], channels[index])
            for k, length in enumerate(slices[index])
        ]
        complete = complete and not samples.missing.any()
        if systems is not None:
            one_l, description = _one_l(systems[index], samples, slices[index])
            found.append(one_l)
            fits.append({"parameters": parameters[index], **description})
            _add_theory(new, systems[index], one_l)
            checks += [check for entry in new for check in entry_checks(entry)]
            checks += one_l_check(one_l, parameters[index]) if one_l else []
        entries.append(new)
    records: list[Analysis] = []
    if experiment is not None and systems is not None:
        why_not = [str(fit.get("reason", "")) for fit in fits]
        records = analyses(Ensemble(results, experiment, parameters, slices, entries, systems, found, why_not))
    return {
        "name": experiment.name if experiment else None,
        "complete": complete,
        "realizations": int(results.sizes["realization"]),
        "degeneracy": _integer(results.attrs.get("degeneracy")),
        "points": [entry for point in entries for entry in point],
        "fits": {"one_l": fits},
        "method": METHOD,
        "checks": checks + record_checks(records),
        "analyses": plain(records),
    }


def _entry(
    samples: PointSamples, index: int, length: int, parameters: dict[str, float], channels: int
) -> dict[str, Any]:
    """Statistics of one point at one length."""
    moments = samples.moments
    conductance = samples.column("conductance", index)
    logarithm = samples.column("log_conductance", index)
    statistics: dict[str, Statistic] = {
        "conductance_mean": mean(moments, conductance),
        "conductance_variance": variance(moments, conductance),
        "log_conductance_mean": mean(moments, logarithm),
        "log_conductance_variance": variance(moments, logarithm),
    }
    if "shot_noise" in samples.variables:
        statistics["fano"] = ratio_of_means(moments, samples.column("shot_noise", index), conductance)
    errors = standard_errors(moments, list(statistics.values()))
    return {
        "parameters": parameters,
        "length": length,
        "realizations": int(samples.used[index]),
        "closed": int(samples.closed[index]),
        "failed": int(samples.failed[index]),
        "not_computed": int(samples.missing[index]),
        "channels": channels,
    } | {
        name: {"value": statistic.value, "error": float(error), "reliable": statistic.reliable}
        for (name, statistic), error in zip(statistics.items(), errors, strict=True)
    }


def _one_l(strip: Strip, samples: PointSamples, lengths: NDArray[np.int64]) -> tuple[OneL | None, dict[str, Any]]:
    try:
        one_l = fit_one_l(strip, samples, lengths)
    except PhysicsError as reason:
        return None, {"l": None, "reason": str(reason)}
    return one_l, describe(one_l, strip)


def _add_theory(entries: list[dict[str, Any]], strip: Strip, one_l: OneL | None) -> None:
    for entry in entries:
        theory = entry_theory(strip, one_l, entry["length"], entry["conductance_mean"]["value"])
        references = entry_references(strip, entry["length"])
        if theory:
            entry["theory"] = theory
        if references:
            entry["reference"] = references


def _integer(value: Any) -> int | None:
    return None if value is None else int(value)
