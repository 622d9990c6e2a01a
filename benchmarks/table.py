"""The README's tables of landmarks and of performance, from the committed results: nothing is typed by hand.

    python -m benchmarks.table [--check]

Rewrites what stands between the markers in README.md; --check only says whether that would change anything (exit 1).
A results file that is not there leaves its part out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.cases import case_name
from benchmarks.landmark_table import landmark_section
from benchmarks.markdown import markdown, with_section

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
NAMES = ("kernels", "peers", "models", "bars", "ensemble", "gpu")
DISORDER = 2.0
"""The full width of the disorder that the table shows; the other is in the results."""

Document = dict[str, Any]
PLAIN: Document = {"width": 1, "length": 1, "flux": 0.0}
Key = tuple[Any, ...]


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if README.md is out of date")
    asked = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    wanted = with_results(text, RESULTS)
    if asked.check:
        print("README.md is up to date" if wanted == text else "README.md is out of date: python -m benchmarks.table")
        return int(wanted != text)
    README.write_text(wanted, encoding="utf-8")
    return 0


def with_results(text: str, folder: Path) -> str:
    """The text with every section as the folder's results have it.

    raises : ValueError where a marker is missing
    """
    found = _read(folder / "landmarks.json")
    text = with_section(text, "performance", section(folder))
    return with_section(text, "landmarks", landmark_section(found) if found else "")


def section(folder: Path) -> str:
    """Markdown of every part of the performance section whose results are in the folder."""
    found = {name: _read(folder / f"{name}.json") for name in NAMES}
    parts = []
    if found["kernels"]:
        parts += [kernel_table(found["kernels"], found["peers"]), kernel_notes(found["kernels"], found["peers"])]
    if found["models"]:
        parts += [kernel_table(found["models"], found["models"]), models_note(found["models"])]
    if found["bars"]:
        parts += [bars_table(found["bars"]), bars_note(found["bars"])]
    if found["ensemble"]:
        parts.append(ensemble_lines(found["ensemble"]))
    if found["gpu"] and found["gpu"]["backend"] == "cuda":
        parts.append(gpu_table(found["gpu"]))
    return "".join(f"{part}\n" for part in "\n\n".join(parts).splitlines())


def kernel_table(kernels: Document, peers: Document | None) -> str:
    """One line for each size: the kernel's time, its share of the peaks, and how many times longer peers take."""
    beside = {_key(row): row for row in (peers or {"rows": []})["rows"] if row["disorder"] == DISORDER}
    kinds = [kind for kind in ("default", "tuned") if any(kind in row.get("kwant", {}) for row in beside.values())]
    heads = ["M x L", "us", "with T_n", "GFLOP/s", "% of dgemm"]
    heads += ["NumPy engine"] if beside else []
    heads += [{"default": "Kwant", "tuned": "Kwant, tuned"}[kind] for kind in kinds]
    lines = []
    for row in kernels["rows"]:
        plain, peer = row["traces"], beside.get(_key(row), {})
        cells = [case_name(row), _short(plain["minimum"]), _short(row["eigenvalues"]["minimum"])]
        cells += [f"{plain['gflops']:.0f}", f"{plain['percent_of_dgemm']:.0f}"]
        cells += [_times(peer.get("numpy"))] if beside else []
        cells += [_times(peer.get("kwant", {}).get(kind)) for kind in kinds]
        lines.append(cells)
    return markdown(heads, lines)


def kernel_notes(kernels: Document, peers: Document | None) -> str:
    """What the columns are, and where they were measured."""
    machine, peaks = kernels["machine"], kernels["peaks_gflops"]
    text = (
        f"One core of {machine['cpu']} ({machine.get('instruction_set')}, {machine['compiler']}), microseconds per "
        f"realization at E = 0.5, W = {DISORDER:g}: disorder, leads, ln g, g, noise and certificates; `with T_n` adds "
        f"the eigenvalues. In the same run OpenBLAS's dgemm reached {peaks['dgemm']:.0f} GFLOP/s"
    )
    fused = peaks.get("fused_multiply_add")
    text += f", bare fused multiply-adds {fused:.0f}." if fused else "."
    if peers and any("kwant" in row for row in peers["rows"]):
        version = next(row["kwant"]["kwant"] for row in peers["rows"] if "kwant" in row)
        text += (
            f" The last columns are times over the kernel's, on the same samples, in one run: Kwant {version} with "
            "MUMPS, one finalized system, modes computed once; `tuned` with METIS and 20 right-hand sides at a time."
        )
        text += squares_note(peers)
    return f"{text} Commit `{machine['commit'][:10]}`, {machine['date']}; [how](benchmarks/README.md)."


def models_note(models: Document) -> str:
    """What the second table is."""
    machine, dgemm = models["machine"], models["peaks_gflops"]["dgemm"]
    return (
        f"Other models, measured alike in one run of their own, on a core of {machine['cpu']}, where dgemm reached "
        f"{dgemm:.0f} GFLOP/s; the armchair ribbon is the Green's-function kernel's. "
        f"Commit `{machine['commit'][:10]}`, {machine['date']}."
    )


def bars_table(bars: Document) -> str:
    """One line for each cross-section: slices per second, and what an error of 0.1 % takes."""
    lines = [
        [
            row["name"],
            _short(row["timing"]["minimum"]),
            f"{row['slices_per_second']:,.0f}",
            f"{row['gflops']:.0f}",
            f"{row['percent_of_dgemm']:.0f}",
            f"{row['ratio']:,.0f} x",
            _duration(row["seconds_to_demand"]),
            _duration(row["predicted_h200_seconds"]),
        ]
        for row in bars["rows"]
    ]
    heads = ["bar", "us", "slices/s", "GFLOP/s", "% of dgemm", "NumPy QR", "to 0.1 %", "H200, predicted"]
    return markdown(heads, lines)


def bars_note(bars: Document) -> str:
    """What the table of bars is."""
    machine, dgemm = bars["machine"], bars["peaks_gflops"]["dgemm"]
    wide = [row["name"] for row in bars["rows"] if row["way"] == "wide"]
    largest = max(row["largest_difference"] for row in bars["rows"])
    beyond = f"; from {wide[0]} on by BLAS, one bar at a time" if wide else ""
    return (
        "Lyapunov exponents of cubic bars at the Anderson transition (W = 16.5, E = 0, whole spectrum), microseconds "
        f"per slice on a core of {machine['cpu']}, where dgemm reached {dgemm:.0f} GFLOP/s{beyond}. NumPy's QR of the "
        "same bars takes so many times longer, with an interval of its own, and finds the same exponents within "
        f"{largest:.0e}. `to 0.1 %`: the time that this error of the localization length takes, from the scatter "
        "between bars; on an H200 at 30 % of its FP64 peak, not measured. "
        f"Commit `{machine['commit'][:10]}`, {machine['date']}."
    )


def squares_note(peers: Document) -> str:
    """Where a recursion loses ground: the ratio to Kwant on the two widest square samples."""
    squares = [row for row in peers["rows"] if row["width"] == row["length"] and _key(row)[2:] == _key(PLAIN)[2:]]
    squares = sorted((row for row in squares if row["disorder"] == DISORDER and "kwant" in row), key=_key)[-2:]
    falls = " to ".join(f"{_times(row['kwant']['default'])} at {case_name(row)}" for row in squares)
    return (
        " Square samples wider than about 256 favour nested dissection, as Kwant's solver does it, because it costs "
        f"M^3 where a recursion costs M^4: the ratio falls from {falls}, and goes on falling."
    )


def ensemble_lines(ensemble: Document) -> str:
    """The quickstart's wall times."""
    rows = ensemble["rows"]
    times = ", ".join(
        f"{row['backend']} on {row['workers']} {'core' if row['workers'] == 1 else 'cores'} {row['wall_seconds']:.1f} s"
        for row in rows
    )
    best = max(rows, key=lambda row: float(row["realizations_per_second"]))
    return (
        f"The quickstart end to end ({best['realizations']:,} realizations at five lengths, T_n and noise): {times}. "
        f"At its fastest, {best['realizations_per_second']:,.0f} realizations/s; {best['storage']:.0%} of that time "
        "went into the results file."
    )


def gpu_table(gpu: Document) -> str:
    """Realizations per second on the device, and its share of dgemm there."""
    lines = [
        [
            case_name(row),
            f"{1e6 / row['traces']['minimum']:.3g}",
            f"{1e6 / row['eigenvalues']['minimum']:.3g}",
            f"{row['traces']['gflops']:.0f}",
            f"{row['traces']['percent_of_dgemm']:.0f}",
        ]
        for row in gpu["rows"]
    ]
    device, heads = gpu["machine"]["device"], ["M x L", "realizations/s", "with T_n", "GFLOP/s", "% of dgemm"]
    note = (
        f"{device['name']}, driver {device['driver']}; cuBLAS's dgemm {gpu['peaks_gflops']['dgemm']:.0f} GFLOP/s in "
        f"the same run. Commit `{gpu['machine']['commit'][:10]}`, {gpu['machine']['date']}."
    )
    return f"{markdown(heads, lines)}\n\n{note}"


def _read(path: Path) -> Document | None:
    if not path.is_file():
        return None
    document: Document = json.loads(path.read_text(encoding="utf-8"))
    return document


def _key(row: Document) -> Key:
    return row["width"], row["length"], row["flux"], row.get("model", "square"), row.get("depth", 1)


def _short(microseconds: float) -> str:
    return f"{microseconds:.1f}" if microseconds < 100 else f"{microseconds:,.0f}"


def _duration(seconds: float) -> str:
    """In the unit that suits it."""
    units = ((1.0, "s"), (60.0, "min"), (3600.0, "h"))
    size, unit = [each for each in units if seconds >= each[0]][-1] if seconds >= 1.0 else units[0]
    return f"{seconds / size:.2g} {unit}"


def _times(timing: Document | None) -> str:
    return f"{timing['ratio']:,.0f} x" if timing else ""


if __name__ == "__main__":
    sys.exit(main())
