"""The README's table of landmarks, from the committed results: the most telling rows, and every one that differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import markdown
from mesogpu.analysis.theory import DISTANCE
from mesogpu.report.numbers import with_error

TABLE, LAW, ANY = "the finite-size table", "the box sum", ""

SHOWN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "quickstart": (("conductance_variance", TABLE),),
    "wires": (
        ("one_l", ANY),
        ("conductance_variance", LAW),
        ("fano", ANY),
        ("third_current_cumulant", ANY),
    ),
    "magnetoconductance": (("conductance_difference", TABLE),),
    "su2": (("conductance_variance", TABLE), ("conductance_difference", TABLE)),
    "kramers": (("one_l", ANY), ("conductance_variance", LAW)),
    "magnetic": (("one_l", ANY), ("conductance_variance", TABLE)),
    "squares": (("conductance_variance", LAW),),
    "tubes": (("conductance_variance", LAW), ("variance_ratio", ANY)),
    "classes": (("xi_ratio", ANY),),
    "lognormal": (("localization_length", ANY), ("log_normal_slope", ANY)),
    "wire": (("localization_length", ANY), ("spacing", ANY)),
    "lloyd": (("lyapunov_exponent", ANY),),
    "weak": (("lyapunov_exponent", ANY),),
    "bars": (("lambda", TABLE),),
    "strips": (("lambda", TABLE),),
    "symplectic": (("lambda", ANY),),
}
"""By landmark, the quantities whose rows are shown, and how the source begins that they are held against."""

Document = dict[str, Any]


def landmark_section(found: Document) -> str:
    """Table and notes."""
    rows = [row for row in found["rows"] if _is_chosen(row) or not row["agrees"]]
    heads = [
        "experiment",
        "quantity",
        "farthest at",
        "measured",
        "reference",
        "off by",
        "errors apart",
        "agree",
        "against",
    ]
    notes = "".join(f"- {_literal(each)}\n" for each in found["not_judged"])
    table = markdown(heads, [_cells(row) for row in rows], words=(0, 1, 2, len(heads) - 1))
    return f"{table}\n\n{_note(found, len(rows))}\n\nNot judged here:\n\n{notes}"


def _cells(row: Document) -> list[str]:
    return [
        f"[{row['landmark']}](configs/{row['config']}.yaml)",
        _literal(row["label"]),
        _literal(place(row["where"])),
        with_error(row["value"], row["error"]),
        with_error(row["reference"], row["reference_error"]),
        f"{100.0 * (row['value'] / row['reference'] - 1.0):+.2g} %",
        f"{row['distance']:+.1f}",
        f"{row['agreeing']} of {row['entries']}" + ("" if row["agrees"] else ", DIFFERS"),
        _literal(row["source"]),
    ]


def _is_chosen(row: Document) -> bool:
    chosen = SHOWN[row["landmark"]]
    return any(row["quantity"] == quantity and row["source"].startswith(start) for quantity, start in chosen)


def _note(found: Document, shown: int) -> str:
    machine, rows, seconds = found["machine"], found["rows"], found["seconds"]
    agreeing, longest = sum(row["agrees"] for row in rows), max(seconds, key=lambda name: float(seconds[name]))
    return (
        f"Each row is, of all entries of its kind, the one that is farthest from its reference. A value agrees within "
        f"{DISTANCE:g} combined errors: its own, that of the reference, and that of the theory at this size, which "
        f"was fixed before the run and counts as one standard error. {agreeing} of {len(rows)} rows agree; {shown} "
        "are shown, all stand in [landmarks.json](benchmarks/results/landmarks.json). From one run of "
        f"`python -m benchmarks.landmarks` on {machine['cpu']}, {machine['workers']} workers: "
        f"{sum(seconds.values()) / 60.0:.0f} minutes, at most {seconds[longest]:.0f} s for one experiment ({longest}). "
        f"Commit `{machine['commit'][:10]}`, {machine['date']}."
    )


def place(where: Document) -> str:
    """Where a row's entry stands: sweep parameters, then the length."""
    parts = {**where.get("parameters", {}), **({"L": where["length"]} if "length" in where else {})}
    return ", ".join(f"{name} = {f'{x:.6g}' if isinstance(x, float) else x}" for name, x in parts.items())


def _literal(text: str) -> str:
    """Letters of its own in a table's cell."""
    return text.replace("<", "&lt;").replace("|", "&#124;")
