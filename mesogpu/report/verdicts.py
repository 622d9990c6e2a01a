"""A summary's checks and analyses as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesogpu.report.analyses import analyses_sentences, brief_sentences
from mesogpu.report.bars_verdicts import bars_verdicts
from mesogpu.report.counts import of_bars, progress, used
from mesogpu.report.numbers import SYMBOLS, at, with_error

MOST_FITS, MOST_BRIEF_FITS = 6, 3
UNTRUSTED_SAMPLES = "too few realizations, or error bars that heavy tails make unreliable"
UNTRUSTED_BARS = "their error bars are not to be trusted"


def verdicts(summary: Mapping[str, Any], *, brief: bool = False) -> list[str]:
    """What the checks of a summary say: one sentence for all that agree with one source, one for each that does not.

    Then one for each analysis.

    summary : as `analyze` returns it
    brief   : one line for each kind of analysis, without fits
    """
    bars = of_bars(summary)
    sentences = [] if summary["complete"] else [_progress(summary)]
    signatures = summary.get("signatures", ())
    if len(signatures) > 1:
        sentences.append(f"Mixed arithmetic: samples of {' and '.join(signatures)}, which differ in the last bits.")
    fits = [fit for fit in summary["fits"].get("one_l", ()) if fit["l"]]
    if brief and len(fits) > MOST_BRIEF_FITS:
        values = [fit["l"]["value"] for fit in fits]
        sentences.append(f"Mean free path l = {min(values):.4g} to {max(values):.4g} slices at {len(fits)} points.")
    else:
        sentences += [_mean_free_path(fit, brief=brief) for fit in fits[:MOST_FITS]]
    sentences += bars_verdicts(summary) if bars else []
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    empty = {_key(entry) for entry in summary["points"] if not used(entry)}
    for check in summary["checks"]:
        if _key(check["where"]) in empty:
            continue
        groups.setdefault((check["what"], check["source"]), []).append(check)
    for checks in groups.values():
        sentences += _group(checks, UNTRUSTED_BARS if bars else UNTRUSTED_SAMPLES)
    return sentences + (brief_sentences(summary) if brief else analyses_sentences(summary))


def _key(where: Mapping[str, Any]) -> tuple[Any, ...]:
    """A point and a length, by which entries and checks are matched."""
    return tuple(where["parameters"].items()), where.get("length")


def _progress(summary: Mapping[str, Any]) -> str:
    computed, planned = progress(summary)
    noun = "bars" if of_bars(summary) else "samples"
    return f"The file is not complete: {computed} of {planned} {noun} are in these numbers."


def _mean_free_path(fit: Mapping[str, Any], *, brief: bool) -> str:
    lengths = ", ".join(str(length) for length in fit["lengths_used"])
    value = with_error(fit["l"]["value"], fit["l"]["error"])
    sentence = f"Mean free path l = {value} slices{at(fit['parameters'])}, from <g> at L = {lengths}"
    if fit["drift"] is not None and not brief:
        alone = [item["value"] for item in fit["per_length"] if item["length"] in fit["lengths_used"]]
        # The curve is good to 1 %, so with many samples chi-square alone would condemn a correct run.
        sentence += (
            f", which alone give {min(alone):.4g} to {max(alone):.4g}; model error {fit['l']['model_error']:.2g}; "
            f"were the curve exact: chi-square {fit['chi_square']:.1f} for {fit['degrees_of_freedom']}, "
            f"p = {fit['p_value']:.2g}"
        )
    return sentence + "."


def _group(checks: Sequence[Mapping[str, Any]], untrusted: str) -> list[str]:
    """Sentences for one quantity and one source.

    untrusted : why there may be no verdict
    """
    symbol, source = checks[0].get("label") or SYMBOLS.get(checks[0]["what"], checks[0]["what"]), checks[0]["source"]
    agreeing = [check for check in checks if check["agrees"]]
    withheld = [check for check in checks if check["agrees"] is None]
    sentences = []
    if len(agreeing) == 1:
        sentences.append(_single(agreeing[0], symbol, "agrees with"))
    elif agreeing:
        farthest = max(abs(check["distance"]) for check in agreeing)
        every = "all " if len(agreeing) == len(checks) else ""
        sentences.append(
            f"{symbol} agrees with {source} at {every}{len(agreeing)} of {len(checks)} entries, within {farthest:.1f} "
            "combined errors."
        )
    sentences += [_single(check, symbol, "DIFFERS from") for check in checks if check["agrees"] is False]
    if withheld:
        sentences.append(
            f"No verdict on {symbol} against {source} at {len(withheld)} of {len(checks)} entries: {untrusted}."
        )
    return sentences


def _single(check: Mapping[str, Any], symbol: str, verb: str) -> str:
    value = with_error(check["value"], check["error"])
    reference = with_error(check["reference"], check["reference_error"])
    return (
        f"{symbol} = {value}{_at(check)} {verb} {reference}, {check['source']}: "
        f"{abs(check['distance']):.1f} combined errors."
    )


def _at(check: Mapping[str, Any]) -> str:
    return at(check["where"]["parameters"], check["where"].get("length"))
