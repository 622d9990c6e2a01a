"""The results file: 1 000 000 realizations of 32 channels created, committed, resumed, verified, packed and read.

    python -m benchmarks.storage [--quick] [--json OUT] [--folder DIR] [--realizations N]

Needs 0.6 GB in DIR (a temporary folder by default) for N = 1 000 000. Wall time (perf_counter), on one core. A `row` is
one realization: ln g, g, noise, conditioning, status and 32 T_n. The device's own speed is measured around it: so
many bytes overwritten in one go and synchronized, and single pages; the faster counts. `share` is the part of a run's
wall time that it spends in the results file while a producer delivers 10 000 rows a second, through the same commits as
in a run. The T_n are synthetic (benchmarks.transmissions says how); `deflate` is how many times smaller gzip makes them
after a shuffle of bytes, beside solved ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import installed, provenance, write_json
from benchmarks.measuring import on_one_core
from benchmarks.one_run import counted
from benchmarks.options import options
from benchmarks.transmissions import result, solved, synthetic
from mesogpu import load_experiment, open_results
from mesogpu.config.load import dump_yaml
from mesogpu.execute.commits import GROUP_BYTES
from mesogpu.execute.run import compute_outstanding
from mesogpu.execute.tasks import result_bytes
from mesogpu.plan import Block, BlockResult, Plan, make_plan
from mesogpu.store import Writer, file_bytes, pack, verify

ROWS, QUICK_ROWS = 1_000_000, 20_000
RATE = 10_000
"""Rows a second of the paced producer."""

BOUND = 0.03
"""Share of the wall time that storage may take at that rate."""

SIGNATURE = "benchmarks.storage"


def main() -> None:
    """Measure one file after the other, and print what each step took."""
    on_one_core()
    asked = options(__doc__, _own_options)
    rows = QUICK_ROWS if asked.quick else asked.realizations
    seconds = 2.0 if asked.quick else 20.0
    machine = provenance(libraries=installed("h5py", "xarray", "crc32c"))
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        machine["file_system"] = file_system(folder)
        print(f"{machine['cpu']}, {machine['file_system']}, commit {machine['commit']}")
        large = plan(rows)
        figures = {"rows": rows, "channels": large.max_channels, "block_size": large.block_size}
        before = device(folder, file_bytes(large))
        figures |= life(folder / "storage.h5", large)
        after = device(folder, file_bytes(large))
        figures |= max(before, after, key=lambda each: each["device_megabytes_per_second"])
        paced = share(folder / "paced.h5", plan(round(RATE * seconds)))
        figures["deflate"] = {name: deflate(values) for name, values in (("synthetic", synthetic), ("solved", solved))}
    show(figures, paced)
    write_json({"benchmark": "storage", "machine": machine, "file": figures, "paced": paced}, asked.json)


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the files are made")
    parser.add_argument("--realizations", type=int, default=ROWS, metavar="N", help="rows (default 1000000)")


def plan(rows: int) -> Plan:
    """One point of a strip of 32 channels and one length."""
    model = {"lattice": "square", "width": 32, "length": [64]}
    document = {
        "schema": 1,
        "name": "storage",
        "seed": 1,
        "model": model,
        "disorder": [{"distribution": "uniform", "width": 1.0}],
        "energy": 0.0,
        "realizations": rows,
        "observables": ["transmission_eigenvalues", "shot_noise"],
    }
    return make_plan(load_experiment(document))


def writer(path: Path, whole: Plan) -> Writer:
    """As a run opens it."""
    return Writer(path, whole, config_text=dump_yaml(whole.experiment), signature=SIGNATURE)


def device(folder: Path, size: int) -> dict[str, float]:
    """What the disk can do: MB/s of such a file overwritten in one go, ms of a page with its synchronization."""
    path, piece = folder / "device", np.random.default_rng(1).bytes(1 << 22)
    seconds, pages = [], []
    with path.open("wb", buffering=0) as file:
        for _ in range(3):  # the first time it takes its place, as the results file does at creation
            file.seek(0)
            start = time.perf_counter()
            for _ in range(-(-size // len(piece))):
                file.write(piece)
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - start)
        for k in range(20):
            start = time.perf_counter()
            os.pwrite(file.fileno(), piece[:4096], 4096 * 97 * k)
            os.fdatasync(file.fileno())
            pages.append(time.perf_counter() - start)
    path.unlink()
    return {
        "device_megabytes_per_second": size / min(seconds[1:]) / 1e6,
        "device_page_milliseconds": 1e3 * statistics.median(pages),
    }


def life(path: Path, whole: Plan) -> dict[str, Any]:
    """Create, commit everything in groups as a run does, take up again, read."""
    create, file = timed(partial(writer, path, whole))
    group: list[BlockResult] = []
    commits = []
    with file:
        for block in whole.blocks():
            group.append(result(block, synthetic))
            if sum(map(result_bytes, group)) >= GROUP_BYTES or block.index == whole.blocks_per_point - 1:
                commits.append(timed(partial(file.commit, group))[0])
                group = []
    take_up, again = timed(partial(writer, path, whole))
    with again:
        if not again.done.all():
            raise AssertionError("a block that was committed is not done")
    forget(path)
    take_up_cold = timed(lambda: writer(path, whole).close())[0]
    verify_seconds, verification = timed(lambda: verify(path))
    if not verification.complete:
        raise AssertionError(f"the file is damaged: {verification.faults}")
    pack_seconds, packed = timed(lambda: pack(path, path.with_name("packed.h5")))
    mean, _ = timed(lambda: read_mean(path, "conductance"))
    eigenvalues, _ = timed(lambda: read_mean(path, "transmission_eigenvalues"))
    return {
        "bytes": path.stat().st_size,
        "create_seconds": create,
        "commit_seconds": sum(commits),
        "commits": len(commits),
        "commit_median_milliseconds": 1e3 * statistics.median(commits),
        "commit_microseconds_per_row": 1e6 * sum(commits) / whole.realizations,
        "resume_seconds": take_up,
        "resume_from_disk_seconds": take_up_cold,
        "verify_seconds": verify_seconds,
        "pack_seconds": pack_seconds,
        "pack_ratio": packed.ratio,
        "mean_of_conductance_seconds": mean,
        "mean_of_eigenvalues_seconds": eigenvalues,
    }


def read_mean(path: Path, variable: str) -> float:
    """A mean through the public reader."""
    with open_results(path) as results:
        return float(results[variable].mean())


def share(path: Path, whole: Plan) -> dict[str, Any]:
    """A run whose blocks come at `RATE`: how much of its wall time goes to the file."""
    pool = [result(block, synthetic) for block in list(whole.blocks())[:8]]
    start = time.perf_counter()

    def produce(blocks: Sequence[Block]) -> Iterable[BlockResult]:
        for block in blocks:
            given = pool[block.index % len(pool)]
            arrays = {name: values[:, : block.count] for name, values in given.arrays.items()}
            due = start + (block.first + block.count) / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            yield BlockResult(0, block.index, block.first, block.count, arrays, given.audit, block.count / RATE)

    stored = [0.0]
    with PatchedWriter(stored), writer(path, whole) as file:
        record = compute_outstanding(whole, file, produce, label="paced", workers=1)
    wall = time.perf_counter() - start
    return {
        "rows": record.realizations,
        "wall_seconds": wall,
        "rows_per_second": record.realizations / wall,
        "storage_seconds": stored[0],
        "share": stored[0] / wall,
        "bound": BOUND,
    }


class PatchedWriter:
    """Counts the wall time of opening, commits and closing, in total[0], as long as it lasts."""

    def __init__(self, total: list[float]) -> None:
        self._total = total
        self._kept = {name: getattr(Writer, name) for name in ("__init__", "commit", "close")}

    def __enter__(self) -> None:
        for name, method in self._kept.items():
            setattr(Writer, name, counted(method, self._total))

    def __exit__(self, *_: object) -> None:
        for name, method in self._kept.items():
            setattr(Writer, name, method)


def deflate(make: Callable[[Block], Any]) -> float:
    """How many times smaller gzip makes the T_n of one block, its bytes shuffled as HDF5 does it."""
    values = make(Block(plan(4096).points[0], 1, 4096, 4096))
    raw = np.ascontiguousarray(values, "<f8")
    shuffled = raw.reshape(-1).view(np.uint8).reshape(-1, 8).T.tobytes()
    return len(shuffled) / len(zlib.compress(shuffled, 4))


def forget(path: Path) -> None:
    """Have the kernel drop what it keeps of a file in memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def file_system(folder: Path) -> str:
    """Type of the file system under a folder."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    under = [(len(point), kind) for _, point, kind, *_ in mounts if folder.is_relative_to(point)]
    return max(under)[1]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def show(figures: dict[str, Any], paced: dict[str, Any]) -> None:
    """The figures in words."""
    rate = figures["bytes"] / figures["commit_seconds"] / 1e6
    against = rate / figures["device_megabytes_per_second"]
    print(
        f"{figures['rows']:,} rows of {figures['channels']} channels: {figures['bytes'] / 1e6:.1f} MB in blocks of "
        f"{figures['block_size']}\n"
        f"created in {figures['create_seconds']:.2f} s\n"
        f"committed at {figures['commit_microseconds_per_row']:.2f} us a row in {figures['commits']} commits, "
        f"{rate:.0f} MB/s, {against:.0%} of what the disk takes in one go\n"
        f"taken up again in {figures['resume_seconds']:.2f} s, {figures['resume_from_disk_seconds']:.2f} s from disk\n"
        f"verified in {figures['verify_seconds']:.2f} s, packed in {figures['pack_seconds']:.1f} s to 1 / "
        f"{figures['pack_ratio']:.3f}\n"
        f"mean of g in {figures['mean_of_conductance_seconds']:.2f} s, of all T_n in "
        f"{figures['mean_of_eigenvalues_seconds']:.2f} s\n"
        f"deflate: {figures['deflate']['synthetic']:.3f} synthetic, {figures['deflate']['solved']:.3f} solved\n"
        f"at {paced['rows_per_second']:,.0f} rows a second storage takes {paced['share']:.2%} of the wall time "
        f"(bound {BOUND:.0%})"
    )


if __name__ == "__main__":
    main()
