"""What a summary of bars says of the bars themselves, as sentences: whether they are long, stationary and alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesogpu.analysis.lyapunov import LONG_BATCH
from mesogpu.analysis.theory import DISTANCE
from mesogpu.backends.bars import BATCHES
from mesogpu.report.numbers import at, with_error

Entry = Mapping[str, Any]


def bars_verdicts(summary: Mapping[str, Any]) -> list[str]:
    """Sentences on drift, errors and lengths of the bars.

    summary : as `analyze` returns it for bars
    """
    entries = [entry for entry in summary["points"] if entry["bars"]]
    return [*_extended(entries), *_short(entries), *_drift(entries), *_outliers(entries), *_errors(entries)]


def _is_localized(entry: Entry) -> bool:
    """Whether the exponent is above zero, as far as one can say."""
    value, error = entry["lyapunov_exponent"]["value"], entry["lyapunov_exponent"]["error"]
    return bool(value > DISTANCE * (error or 0.0))


def _extended(entries: Sequence[Entry]) -> list[str]:
    extended = [entry for entry in entries if not _is_localized(entry)]
    if not extended:
        return []
    return [
        f"gamma is zero within {DISTANCE:g} standard errors{_of(extended, entries)}: the localization length, if there "
        "is one, is longer than such bars can show."
    ]


def _short(entries: Sequence[Entry]) -> list[str]:
    short = [entry for entry in entries if "short_batches" in entry["doubts"] and _is_localized(entry)]
    if not short:
        return []
    worst = min(short, key=lambda entry: entry["slices"] / entry["localization_length"]["value"])
    length = worst["localization_length"]["value"]
    return [
        f"Bars are too short for their errors to be trusted{_of(short, entries)}: a batch, 1/{BATCHES} of a bar, is "
        f"{worst['slices'] / BATCHES / length:.2g} xi{at(worst['parameters'])}, and {LONG_BATCH:g} are needed; take "
        f"lyapunov.slices of {_rounded_up(LONG_BATCH * BATCHES * length)} or more."
    ]


def _drift(entries: Sequence[Entry]) -> list[str]:
    judged = [entry for entry in entries if entry["drift"]["stationary"] is not None]
    moving = [entry for entry in judged if not entry["drift"]["stationary"]]
    settled = [entry for entry in judged if entry["drift"]["stationary"]]
    sentences = []
    if moving:
        worst = max(moving, key=_size)
        sentences.append(
            f"gamma DRIFTS along the bars{_of(moving, entries)}: second half minus first half is "
            f"{with_error(worst['drift']['value'], worst['drift']['error'])}{at(worst['parameters'])}, "
            f"{_size(worst):.1f} standard errors; take a longer lyapunov.warmup."
        )
    if settled:
        farthest = max(settled, key=_size)
        sentences.append(
            f"The bars are stationary{_of(settled, entries)}: second half minus first half of gamma is within "
            f"{DISTANCE:g} standard errors; the largest is {_size(farthest):.1f}{at(farthest['parameters'])}."
        )
    return sentences


def _size(entry: Entry) -> float:
    """Drift in standard errors."""
    value, error = entry["drift"]["value"], entry["drift"]["error"]
    return abs(value) / error if error else 0.0


def _outliers(entries: Sequence[Entry]) -> list[str]:
    found = [entry for entry in entries if "outlier" in entry["doubts"]]
    if not found:
        return []
    first = f"{', first' if len(found) > 1 else ''}{at(found[0]['parameters'])}"
    return [
        f"One bar is farther from the others than chance allows{_of(found, entries)}{first}: where strong disorder is "
        "rare, bars must be longer."
    ]


def _errors(entries: Sequence[Entry]) -> list[str]:
    """Whether the errors between and within bars, which share nothing, agree."""
    judged = [entry for entry in entries if entry["error_ratio"]["value"] is not None]
    differing = [entry for entry in judged if _excess(entry) > DISTANCE]
    agreeing = [entry for entry in judged if _excess(entry) <= DISTANCE]
    sentences = []
    if differing:
        worst = max(differing, key=_excess)
        sentences.append(
            f"The errors between and within bars DIFFER{_of(differing, entries)}: their ratio is {_ratio(worst)}; "
            "batches are not independent of each other, or bars not alike."
        )
    if agreeing:
        farthest = max(agreeing, key=_excess)
        which = "their" if len(agreeing) == 1 else "the farthest"
        sentences.append(
            f"The errors between and within bars agree{_of(agreeing, entries)}: {which} ratio is {_ratio(farthest)}."
        )
    return sentences


def _excess(entry: Entry) -> float:
    ratio = entry["error_ratio"]
    return float(abs(ratio["value"] - 1.0) / ratio["scatter"])


def _ratio(entry: Entry) -> str:
    ratio = entry["error_ratio"]
    return f"{ratio['value']:.2f}{at(entry['parameters'])} (1.00 +- {ratio['scatter']:.2f} expected)"


def _of(some: Sequence[Entry], everything: Sequence[Entry]) -> str:
    """ " at 3 of 7 points"; nothing where there is one point."""
    if len(everything) == 1:
        return ""
    return (
        f" at all {len(some)} points"
        if len(some) == len(everything)
        else f" at {len(some)} of {len(everything)} points"
    )


def _rounded_up(slices: float) -> str:
    """Two digits, at least as many slices: 134 400 is 140,000."""
    unit = 10.0 ** (len(str(int(slices))) - 2)
    return f"{int(-(-slices // unit) * unit):,}"
