"""Two results files beside each other: the same physics computed twice, realization by realization where they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mesogpu.analysis.estimators import Statistic, covariance, mean, ratio_of_means, variance
from mesogpu.analysis.lyapunov import holds_bars
from mesogpu.analysis.moments import Moments, MomentSums
from mesogpu.analysis.stored import json_ready, stored_experiment
from mesogpu.analysis.summary import analyze
from mesogpu.analysis.theory import DISTANCE
from mesogpu.analysis.twins import Pairs, Place, ResultsFile, shared_rows
from mesogpu.errors import StoreError
from mesogpu.plan.points import points

if TYPE_CHECKING:
    import xarray

FEW = 20
MANY_DISTANCE = 4.0
"""Combined errors that count as agreement where more than FEW values are compared: one in so many strays farther."""

SETTINGS = ("signature", "mesogpu_version", "git_sha", "packages", "block_size")
"""Attributes that say how a file was computed."""

METHOD = {
    "pairs": (
        "realizations of equal seed and number are the same sample: each pair must agree within the bounds that both "
        "certificates allow, whatever the averages do"
    ),
    "difference": "second file minus first, of the values that `analyze` gives",
    "error": (
        "sqrt(e1^2 + e2^2 - 2 c): the errors that `analyze` gives, and c their covariance from shared realizations; "
        "`certificate` is what the certificates of shared samples leave open, and is added in squares"
    ),
    "agrees": (
        f"within {DISTANCE:g} combined errors, of more than {FEW} values within {MANY_DISTANCE:g}; none where an error "
        "is unknown or not to be trusted, or where the entry `overlaps`: bars of unequal length whose random numbers "
        "begin alike have errors that are not independent"
    ),
}


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A statistic of one column or two, in `analyze` by its name.

    columns : of what is stored
    slack   : what the statistic may be off by if each sample is by one certificate, from value and mean
    """

    name: str
    columns: tuple[str, ...]
    statistic: Callable[[Moments, int, int], Statistic]
    slack: Callable[[float, float], float]


_SAMPLES = (
    _Quantity("conductance_mean", ("conductance",), lambda m, a, _: mean(m, a), lambda value, _: abs(value)),
    _Quantity(
        "conductance_variance",
        ("conductance",),
        lambda m, a, _: variance(m, a),
        lambda value, average: 2.0 * (value + average**2),
    ),
    _Quantity("log_conductance_mean", ("log_conductance",), lambda m, a, _: mean(m, a), lambda *_: 1.0),
    _Quantity("fano", ("shot_noise", "conductance"), lambda m, a, b: ratio_of_means(m, a, b), lambda *_: 1.0),
)
_BARS = (_Quantity("lyapunov_exponent", ("exponent",), lambda m, a, _: mean(m, a), lambda *_: 1.0),)


def compare(first: xarray.Dataset, second: xarray.Dataset) -> dict[str, Any]:
    """What two results files say of the physics that they have in common, and whether they agree.

    first, second : as `open_results` gives them, finished or not
    returns       : plain data, ready for JSON: "agrees", None where there is nothing to judge; "entries", one per
                    common (point, length), with the "differences" of its statistics and the "pairs" of shared
                    realizations; "configurations" and "settings", what differs in what was asked and how it was done
    raises        : StoreError where the files have nothing in common, or one is of bars and the other is not
    """
    files = _open(first, "the first file"), _open(second, "the second file")
    places = list(_common(*files))
    if not places:
        raise StoreError(
            "the two files have no point and length in common, so there is nothing to compare; compute the same "
            "model, disorder, energy and length in both: `mesogpu report` shows what each was asked"
        )
    entries = [_compared(*files, place) for place in places]
    differences = [each for entry in entries for each in entry["differences"]]
    limit = DISTANCE if len(differences) <= FEW else MANY_DISTANCE
    for each in differences:
        each["agrees"] = None if each["distance"] is None else abs(each["distance"]) <= limit
    pairs = [entry["pairs"] for entry in entries if entry["pairs"]]
    judged = [each["agrees"] for each in differences] + [each["agrees"] for each in pairs if each["compared"]]
    documents = [_flat(file.experiment.document()) for file in files]
    made: dict[str, Any] = json_ready(
        {
            "names": [file.experiment.name for file in files],
            "agrees": None if all(each is None for each in judged) else all(each is not False for each in judged),
            "limit": limit,
            "entries": entries,
            "configurations": _differing(*documents),
            "settings": _differing(*({name: file.results.attrs.get(name) for name in SETTINGS} for file in files)),
            "method": METHOD,
        }
    )
    return made


def _open(results: xarray.Dataset, which: str) -> ResultsFile:
    experiment = stored_experiment(results)
    if experiment is None:
        raise StoreError(f"{which} has no configuration, so its physics is not known; give the output of a mesogpu run")
    return ResultsFile(results, experiment, analyze(results), list(points(experiment)), holds_bars(results))


def _common(first: ResultsFile, second: ResultsFile) -> Iterator[Place]:
    """Every point and length of the first file whose physics the second one has too, in the order of the first."""
    if first.bars != second.bars:
        raise StoreError(
            "one file is of bars (method lyapunov) and the other of transmission: they have no quantity in common"
        )
    known = {point.system: point for point in reversed(second.points)}
    for point in first.points:
        other = known.get(point.system)
        if other is None:
            continue
        shared = (point.seed, point.stream_point) == (other.seed, other.stream_point)
        same = not first.bars or (point.lengths, point.bars) == (other.lengths, other.bars)
        for number, length in enumerate(point.lengths):
            # Exponents do not depend on the length of the bars, only their errors do.
            if first.bars or length in other.lengths:
                position = 0 if first.bars else other.lengths.index(length)
                entry = first.entry(point.index, number)
                where: dict[str, Any] = {key: entry[key] for key in ("parameters", "length") if key in entry}
                yield Place(where, (point.index, number), (other.index, position), shared and same, shared and not same)


def _compared(first: ResultsFile, second: ResultsFile, place: Place) -> dict[str, Any]:
    entries = first.entry(*place.first), second.entry(*place.second)
    quantities = [each for each in (_BARS if first.bars else _SAMPLES) if all(each.name in entry for entry in entries)]
    columns = list(dict.fromkeys(name for each in quantities for name in each.columns))
    sums, pairs = MomentSums(2 * len(columns)), Pairs(first.bars)
    for halves in shared_rows(first, second, place, columns):
        finite = np.isfinite(halves).all(axis=0)
        sums.add(np.concatenate([np.where(finite, half, np.nan) for half in halves]))
        pairs.add(halves, columns.index(pairs.column))
    moments = sums.moments()
    average = 0.0 if first.bars else entries[0]["conductance_mean"]["value"] or 0.0
    differences: list[dict[str, Any]] = []
    for each in quantities:
        before, after = (entry[each.name] for entry in entries)
        slack = pairs.bound * each.slack(before["value"] or 0.0, average)
        shared = _shared_covariance(each, columns, moments, entries) if pairs.compared > 1 else 0.0
        # The covariance of overlapping bars is that of the slices in common, which are not stored apart.
        shared = math.nan if place.overlaps else shared
        differences.append({"what": each.name} | _difference(before, after, shared, slack))
        if first.bars and all(entry["lambda"] is not None for entry in entries):
            scaled = _scaled(differences[-1], *(entry["lambda"] for entry in entries))
            differences.append(scaled | {"what": "lambda"})
    counts = [entry["bars" if first.bars else "realizations"] for entry in entries]
    return place.where | {
        "counts": counts,
        "differences": differences,
        "pairs": pairs.told() if place.shared else None,
        "overlaps": place.overlaps,
    }


def _shared_covariance(
    quantity: _Quantity, columns: list[str], moments: Moments, entries: tuple[dict[str, Any], dict[str, Any]]
) -> float:
    """Covariance of a statistic in one file and the same in the other, m of whose n1 and n2 samples are the same.

    sum over shared samples of psi_1 psi_2 / sqrt(n1 (n1 - 1) n2 (n2 - 1))

    moments : of the shared samples, the columns of the first file and then of the second
    """
    numbers = [[half * len(columns) + columns.index(name) for name in quantity.columns] for half in (0, 1)]
    statistics = [quantity.statistic(moments, found[0], found[-1]) for found in numbers]
    count = float(moments.counts[numbers[0][0]])
    scale = count * (count - 1.0)
    for entry in entries:
        own = entry["bars"] if "bars" in entry else entry["realizations"]
        own -= entry.get("closed", 0) if "log_conductance" in quantity.columns else 0
        scale /= math.sqrt(own * (own - 1.0)) if own > 1 else math.inf
    found = scale * float(covariance(moments, statistics)[0, 1])
    return found if math.isfinite(found) else 0.0


def _difference(before: Mapping[str, Any], after: Mapping[str, Any], shared: float, slack: float) -> dict[str, Any]:
    """Second minus first with its combined error; no distance where an error is unknown or not to be trusted.

    shared : covariance of the two; NaN where it is not known
    """
    known = all(each["value"] is not None for each in (before, after))
    value = after["value"] - before["value"] if known else None
    error = None
    if known and math.isfinite(shared) and all(each["error"] is not None for each in (before, after)):
        square = before["error"] ** 2 + after["error"] ** 2 - 2.0 * shared
        error = math.hypot(math.sqrt(max(0.0, square)), slack)
    judged = error is not None and before["reliable"] and after["reliable"]
    distance = None
    if value is not None and error is not None and judged:
        distance = value / error if error > 0.0 else 0.0 if value == 0.0 else math.copysign(math.inf, value)
    return {
        "first": {name: before[name] for name in ("value", "error", "reliable")},
        "second": {name: after[name] for name in ("value", "error", "reliable")},
        "value": value,
        "error": error,
        "certificate": slack,
        "distance": distance,
    }


def _scaled(difference: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Lambda = 1/(gamma M): as many errors apart as the exponents, to first order, the other way."""
    value = after["value"] - before["value"] if None not in (before["value"], after["value"]) else None
    gamma, error = difference["first"]["value"], difference["error"]
    return dict(difference) | {
        "first": dict(before),
        "second": dict(after),
        "value": value,
        "error": error * before["value"] / gamma if None not in (error, before["value"]) and gamma else None,
        "certificate": difference["certificate"] * before["value"] / gamma if before["value"] and gamma else 0.0,
        "distance": None if difference["distance"] is None else -difference["distance"],
    }


def _flat(document: Any, path: str = "") -> dict[str, Any]:
    """Every scalar and plain list of a document by its path."""
    if isinstance(document, dict):
        parts: Iterator[tuple[Any, Any]] = iter(document.items())
    elif isinstance(document, list) and any(isinstance(item, dict) for item in document):
        parts = iter(enumerate(document))
    else:
        return {path: document}
    return {
        name: value for key, item in parts for name, value in _flat(item, f"{path}.{key}" if path else str(key)).items()
    }


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What two mappings do not have in common; None for what one of them lacks."""
    names = dict.fromkeys([*first, *second])
    return [
        {"path": name, "first": first.get(name), "second": second.get(name)}
        for name in names
        if first.get(name) != second.get(name)
    ]
