"""How far a run is: a bar with rate and remaining time on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mesogpu.cli.quantities import counted, human_rate, human_seconds
from mesogpu.cli.render import QUIET, is_terminal, tell

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mesogpu.execute import BlockSkipped, Event, Started, WorkerRetired

_FIRST_INTERVAL = 10.0
_LARGEST_INTERVAL = 600.0
_INTERVAL_FRACTION = 0.05


class Pace:
    """Rate and remaining time of a run, from what it committed since it started.

    clock : seconds, increasing
    """

    def __init__(self, total: int, done: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done = total, done
        self._at_start = done
        self._clock = clock
        self._start = clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    @property
    def rate(self) -> float:
        """Realizations a second since the start; 0 while nothing is committed."""
        return (self.done - self._at_start) / self.elapsed if self.elapsed > 0 else 0.0

    def describe(self) -> str:
        """Rate and remaining time."""
        if self.rate == 0.0:
            return "no block finished yet"
        if self.done >= self.total:
            return f"{human_rate(self.rate)}, took {human_seconds(self.elapsed)}"
        return f"{human_rate(self.rate)}, {human_seconds((self.total - self.done) / self.rate)} left"


class PlainProgress:
    """Lines on stderr: every 10 s, later every twentieth of the time so far, at least every 10 minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pace: Pace | None = None
        self._next = _FIRST_INTERVAL
        self._last = -1

    def started(self, total: int, done: int) -> None:
        self._pace = Pace(total, done, self._clock)

    def advanced(self, done: int, failed: int) -> None:
        pace = self._pace
        if pace is None:
            return
        pace.done = done
        if pace.elapsed >= self._next:
            self._line(pace, failed)
            self._next = pace.elapsed + min(max(_FIRST_INTERVAL, _INTERVAL_FRACTION * pace.elapsed), _LARGEST_INTERVAL)

    def noted(self, text: str) -> None:
        tell(text)

    def finished(self, failed: int) -> None:
        if self._pace is not None and self._pace.done != self._last:
            self._line(self._pace, failed)

    def _line(self, pace: Pace, failed: int) -> None:
        self._last = pace.done
        share = 100 * pace.done // pace.total if pace.total else 100
        failures = f", {failed:,} samples failed" if failed else ""
        tell(f"{share:3d} %  {pace.done:,} of {pace.total:,} realizations, {pace.describe()}{failures}")


class BarProgress:
    """A rich progress bar on stderr."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None
        self._pace: Pace | None = None

    def started(self, total: int, done: int) -> None:
        self._pace = Pace(total, done)
        self._task = self._bar.add_task("", total=total, completed=done, pace=self._pace.describe(), failed="")

    def advanced(self, done: int, failed: int) -> None:
        if self._task is None or self._pace is None:
            return
        self._pace.done = done
        failures = f"{failed:,} failed" if failed else ""
        self._bar.update(self._task, completed=done, pace=self._pace.describe(), failed=failures)

    def noted(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)

    def finished(self, failed: int) -> None:
        """The bar stays as it stands."""


class Listener:
    """Turns the events of a run into progress, and keeps what the run's verdict needs."""

    def __init__(self, progress: PlainProgress | BarProgress | None) -> None:
        self._progress = progress
        self.complete_before = False
        self.skipped: list[BlockSkipped] = []
        self._failed = 0

    def __call__(self, event: Event) -> None:
        from mesogpu.execute import (
            BlockSkipped,
            Committed,
            DashboardOpened,
            Finished,
            Started,
            WorkerLost,
            WorkerRetired,
        )

        if isinstance(event, Started):
            self.complete_before = event.done_realizations >= event.total_realizations
        elif isinstance(event, BlockSkipped):
            self.skipped.append(event)
        progress = self._progress
        if progress is None or self.complete_before:
            return
        match event:
            case Started():
                progress.noted(_start_line(event))
                progress.started(event.total_realizations, event.done_realizations)
            case Committed():
                self._failed += event.failed
                progress.advanced(event.done_realizations, self._failed)
            case WorkerLost():
                progress.noted(
                    f"worker {event.worker} was lost ({event.reason}); its unfinished blocks are computed again"
                )
            case WorkerRetired():
                progress.noted(_retired_line(event))
            case BlockSkipped():
                progress.noted(
                    f"{skipped_words(event)} is left out: it ended {event.failures} workers ({event.reason})"
                )
            case DashboardOpened():
                progress.noted(f"dashboard: {event.address} (this machine only)")
            case Finished():
                progress.finished(self._failed)


def _start_line(event: Started) -> str:
    workers = counted(event.workers, "worker")
    if event.done_realizations == 0:
        return workers
    left = event.total_realizations - event.done_realizations
    return f"{workers}, resuming: {event.done_realizations:,} realizations are there, {left:,} to go"


def _retired_line(event: WorkerRetired) -> str:
    device = f" on GPU {event.device}" if event.device is not None else ""
    return (
        f"worker {event.worker}{device} is given up: {event.failures} times in a row it ended and had finished nothing "
        f"({event.reason}); the others go on without it"
    )


def skipped_words(event: BlockSkipped) -> str:
    """Which block was left out."""
    last = event.first + event.count - 1
    return f"block {event.block} of point {event.point} (realizations {event.first} to {last})"


@contextmanager
def run_progress() -> Iterator[Listener]:
    """The listener that suits stderr and -q, its bar taken down at the end whatever happens."""
    if click.get_current_context().meta.get(QUIET, False):
        yield Listener(None)
    elif is_terminal(sys.stderr):
        with _bar() as bar:
            yield Listener(BarProgress(bar))
    else:
        yield Listener(PlainProgress())


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    return Progress(
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[failed]}", style="red"),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
    )
