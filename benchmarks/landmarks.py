"""The physics that must come out: experiments of known outcome, run, analysed and judged.

    python -m benchmarks.landmarks [--quick] [--json OUT] [--only NAME ...] [--keep FOLDER] [--workers N]

Each landmark is an experiment of configs/ or configs/landmarks/, run as a user would, its rows the verdicts of
`mesogpu analyze`: all entries that are held against one source make one row, which shows the entry that is farthest
away. Those of `landmark_rows.py` compare several points, or several experiments. A value agrees within three combined
errors; references and their errors were fixed before the runs. Exit status: 0 all agree, 1 some do not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mesogpu
from benchmarks.landmark_rows import COMPARISONS, NOT_JUDGED, Runs
from benchmarks.landmark_table import place
from benchmarks.machine import ROOT, provenance, write_json
from benchmarks.options import options
from mesogpu.execute import default_workers
from mesogpu.report.numbers import SYMBOLS

CONFIGS = ROOT / "configs"


@dataclass(frozen=True, slots=True)
class Landmark:
    """An experiment of known outcome.

    config : below configs/, without its suffix
    quick  : what makes it small: shows that it works, measures nothing
    """

    name: str
    config: str
    quick: tuple[str, ...] = ("realizations=64",)


FEW_BARS = ("realizations=8", "lyapunov.slices=2000")

LANDMARKS = (
    Landmark("quickstart", "quickstart"),
    Landmark("wires", "landmarks/wires"),
    Landmark("magnetoconductance", "landmarks/magnetoconductance"),
    Landmark("su2", "su2"),
    Landmark("kramers", "landmarks/kramers"),
    Landmark("magnetic", "magnetic"),
    Landmark("squares", "landmarks/squares"),
    Landmark("tubes", "landmarks/tubes"),
    Landmark("classes", "landmarks/classes", FEW_BARS),
    Landmark("lognormal", "landmarks/lognormal"),
    Landmark("wire", "lyapunov-wire", FEW_BARS),
    Landmark("lloyd", "lyapunov-lloyd", FEW_BARS),
    Landmark("weak", "lyapunov-weak", FEW_BARS),
    Landmark("bars", "lyapunov-bars", FEW_BARS),
    Landmark("strips", "lyapunov-square", FEW_BARS),
    Landmark("symplectic", "lyapunov-su2", FEW_BARS),
)


def main() -> int:
    """Run the landmarks, print each table as it comes, and say how it went."""
    asked = options(__doc__, _own_options)
    chosen = [each for each in LANDMARKS if not asked.only or each.name in asked.only]
    machine = provenance(workers=asked.workers)
    print(f"{machine['cpu']}, {asked.workers} workers, commit {machine['commit']}")
    summaries: dict[str, Any] = {}
    rows, seconds = [], {}
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for landmark in chosen:
            start = time.perf_counter()
            summaries[landmark.name] = summary = run(landmark, folder, asked.workers, quick=asked.quick)
            seconds[landmark.name] = time.perf_counter() - start
            found = [*grouped(landmark.name, summary["checks"]), *compared(landmark.name, summaries)]
            rows += [{"config": landmark.config} | row for row in found]
            print(f"{landmark.name}, {seconds[landmark.name]:.0f} s")
            print("".join(f"  {line(row)}\n" for row in found), end="", flush=True)
    away = [row for row in rows if row["agrees"] is False]
    print(f"{len(rows)} rows, {len(away)} do not agree")
    found = {"machine": machine, "seconds": seconds, "rows": rows, "not_judged": NOT_JUDGED}
    write_json({"benchmark": "landmarks", **found}, asked.json)
    return 1 if away and not asked.quick else 0


def run(landmark: Landmark, folder: Path, workers: int, *, quick: bool) -> Mapping[str, Any]:
    """One experiment through the public API; its summary."""
    out = folder / f"{landmark.name}.h5"
    overrides = landmark.quick if quick else ()
    mesogpu.run(CONFIGS / f"{landmark.config}.yaml", out, workers=workers, overrides=overrides)
    return mesogpu.analyze(mesogpu.open_results(out))


def compared(name: str, summaries: Runs) -> list[dict[str, Any]]:
    """Rows that need several points or experiments, once the last of these has run."""
    found = []
    for rows_of, (needed, make) in COMPARISONS.items():
        if name in needed and all(each in summaries for each in needed) and name == _last(needed, summaries):
            found += grouped(rows_of, make(summaries))
    return found


def _last(needed: Iterable[str], summaries: Runs) -> str:
    order = list(summaries)
    return max(needed, key=order.index)


def grouped(name: str, checks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each quantity and source: how many entries agree, and the one that is farthest away."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for check in checks:
        groups.setdefault((check["what"], check["source"]), []).append(check)
    rows = []
    for (what, source), members in groups.items():
        judged = [check for check in members if check["distance"] is not None]
        if not judged:
            continue
        farthest = max(judged, key=lambda check: abs(check["distance"]))
        rows.append(
            {
                "landmark": name,
                "quantity": what,
                "label": farthest.get("label") or SYMBOLS.get(what, what),
                "source": source,
                "entries": len(judged),
                "agreeing": sum(check["agrees"] for check in judged),
                **{
                    key: farthest[key]
                    for key in ("where", "value", "error", "reference", "reference_error", "distance")
                },
                **({"finite": farthest["finite"]} if "finite" in farthest else {}),
                "agrees": all(check["agrees"] for check in judged),
            }
        )
    return rows


def line(row: Mapping[str, Any]) -> str:
    """A row as it is printed."""
    verdict = "agrees" if row["agrees"] else "DIFFERS"
    at = place(row["where"])
    return (
        f"{verdict} {row['label']} {row['agreeing']}/{row['entries']}: {row['value']:.6g} +- {row['error']:.2g} "
        f"against {row['reference']:.6g} +- {row['reference_error']:.2g}, {row['distance']:+.1f}"
        f"{f' at {at}' if at else ''}; {row['source']}"
    )


def _own_options(parser: argparse.ArgumentParser) -> None:
    names = [landmark.name for landmark in LANDMARKS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where results files stay; there they are resumed")
    parser.add_argument(
        "--workers", type=int, default=default_workers(), metavar="N", help="processes (default: cores)"
    )


if __name__ == "__main__":
    sys.exit(main())
