"""How the samples of a file are vouched for, in words: counts by status, the audit, each failure with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesogpu.report.numbers import where
from mesogpu.report.tabular import Table

MEANINGS = {
    "certified": "within its bound by its own certificates",
    "redone": "certified after a second pass with more care",
    "oracle": "certified after a second pass by the reference engine",
    "no_channel": "the leads have no propagating mode: g = 0 exactly",
    "no_path": "missing sites or bonds leave no path between the leads: g = 0 exactly",
    "failed_unitarity": "the current is not conserved: R + T is off the number of channels by more than the bound",
    "failed_not_finite": "the recursion left the finite numbers",
    "failed_audit": "the audit, by independent means, found another value",
    "failed_ill_conditioned": "the recursion lost too many digits, and nothing independent reaches so far",
    "not_computed": "no result yet",
}
"""What each status of a sample means."""


def status_table(certificates: Mapping[str, Any]) -> Table:
    """One row per status that occurs: how many samples, which share, and what it means.

    certificates : as `analysis.certificates.certificates` returns them
    """
    planned = certificates["samples"]
    rows = [
        (name.replace("_", " "), f"{count:,}", f"{100.0 * count / planned:.3g} %", MEANINGS.get(name, ""))
        for name, count in certificates["statuses"].items()
    ]
    columns = ("status", "samples", "share", "meaning")
    return Table(title="Samples by status", columns=columns, rows=tuple(rows), footnotes=(), keys=1)


def failure_table(certificates: Mapping[str, Any]) -> Table | None:
    """One row per failed sample with its reason; None where none failed."""
    failures = certificates["failures"]
    if not failures:
        return None
    rows = tuple(
        (where(each["parameters"]), f"{each['length']:,}", f"{each['realization']:,}", MEANINGS.get(each["status"], ""))
        for each in failures
    )
    left = certificates["failed"] - len(failures)
    notes = (f"and {left:,} more; `status` in the file has them all",) if left else ()
    return Table("Failed samples", ("point", "L", "realization", "reason"), rows, notes, keys=3)


def vouching_sentences(certificates: Mapping[str, Any]) -> list[str]:
    """What share is computed, was redone and failed, and what the audit found."""
    computed, planned, audit = certificates["computed"], certificates["samples"], certificates["audit"]
    if not computed:
        return [f"None of {planned:,} samples is computed yet, so there is nothing to vouch for."]
    sentences = [
        f"{computed:,} of {planned:,} samples are computed; {100.0 * certificates['redone']:.3g} % of them took a "
        f"second pass, {certificates['failed']:,} failed and are left out of every number here."
    ]
    if audit["largest"] is None:
        sentences.append("No sample has been audited.")
    else:
        unit = "" if audit["units"] in ("", "1") else " per slice"
        quantity = "exponent sum" if unit else "ln g"
        sentences.append(
            f"A fixed random subset was computed again by independent means, in {audit['audited']:,} of "
            f"{audit['blocks']:,} blocks: the largest deviation of {quantity} is {audit['largest']:.2g}{unit}."
        )
    return sentences
