"""Results on disk: one HDF5 file with one writer, crash-safe, readable at any time."""

from mesogpu.store.continuation import in_stored_blocks
from mesogpu.store.layout import file_bytes
from mesogpu.store.merge import Merged, merge
from mesogpu.store.pack import Packed, pack
from mesogpu.store.progress import PointProgress, Progress, count_done, read_progress
from mesogpu.store.provenance import packages
from mesogpu.store.reader import open_results
from mesogpu.store.repair import Repair, repair
from mesogpu.store.runlog import append_log, read_log, run_log
from mesogpu.store.verify import PointBlocks, Verification, verify
from mesogpu.store.writer import Writer

__all__ = [
    "Merged",
    "Packed",
    "PointBlocks",
    "PointProgress",
    "Progress",
    "Repair",
    "Verification",
    "Writer",
    "append_log",
    "count_done",
    "file_bytes",
    "in_stored_blocks",
    "merge",
    "open_results",
    "pack",
    "packages",
    "read_log",
    "read_progress",
    "repair",
    "run_log",
    "verify",
]
