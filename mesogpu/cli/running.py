"""`mesogpu run`: from a YAML file to results, table and figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesogpu.cli.exit_codes import INCOMPLETE, TOO_MANY_FAILED
from mesogpu.cli.options import backend_option, config_argument, overrides_option, verbosity, workers_option
from mesogpu.cli.progress import Listener, run_progress, skipped_words
from mesogpu.cli.quantities import counted, ensemble
from mesogpu.cli.render import emit, narrate, tell
from mesogpu.errors import Interrupted

if TYPE_CHECKING:
    from mesogpu.execute import BlockSkipped
    from mesogpu.store import Progress


_NAMED = 5
"""Skipped blocks, at most, that the verdict names one by one."""


@click.command()
@config_argument
@click.option(
    "-o",
    "out",
    metavar="OUT.h5",
    type=click.Path(dir_okay=False, readable=False, path_type=Path),
    help="Results file. [default: NAME.h5 in the current folder]",
)
@backend_option
@workers_option
@overrides_option
@click.option("--grow", is_flag=True, help="Let OUT.h5 take up new sweep points; what it has is kept.")
@click.option(
    "--mixed",
    is_flag=True,
    help="Let OUT.h5 hold blocks of two backends or machine types, whose last bits differ; each block is marked.",
)
@click.option(
    "--dashboard",
    is_flag=True,
    help="Serve dask's dashboard while it runs, for this machine only; needs pip install 'mesogpu[dashboard]'.",
)
@verbosity
def run(config: Path, out: Path | None, overrides: tuple[str, ...], **options: Any) -> int:
    """Compute the ensemble of CONFIG into OUT.h5, or go on with it.

    The same command resumes an interrupted run, and with more realizations it extends a finished one.
    Ends with the statistics, theory beside them, and a figure OUT.png.
    """
    try:
        path, listener = _compute(config, out, overrides, options)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what is committed is kept, the same command goes on from there") from None
    from mesogpu.store import read_progress

    progress = read_progress(path)
    if listener.complete_before:
        narrate(f"{path} was complete already, nothing was left to compute")
    if progress.done:
        _show(path)
    return _verdict(path, progress, listener.skipped)


def _compute(
    config: Path, out: Path | None, overrides: tuple[str, ...], options: dict[str, Any]
) -> tuple[Path, Listener]:
    """The results file, and who listened to the run.

    options : of `api.run`: backend, workers, grow, mixed, dashboard
    """
    from mesogpu.config.load import load_experiment

    experiment = load_experiment(config, overrides)
    from mesogpu import api
    from mesogpu.backends.select import choice_reason
    from mesogpu.config.notes import notes

    path = api.results_path(experiment, out)
    engine = choice_reason(options["backend"])
    narrate("\n".join([ensemble(experiment), *notes(experiment), engine, f"results go to {path}"]))
    with run_progress() as listener:
        api.run(experiment, path, listen=listener, **options)
    return path, listener


def _show(path: Path) -> None:
    from mesogpu.cli.results import show_results

    narrate("")
    figure = path.with_suffix(".png")
    show_results(path, figure, brief=True)
    emit(f"\nFigure: {figure}")
    narrate(
        f"\nGo on:  mesogpu report {path}\n        mesogpu analyze {path} --json"
        f"\n        mesogpu plot {path} -o {path.with_suffix('.pdf')}"
        f"\n        python -c 'import mesogpu; print(mesogpu.open_results(\"{path}\"))'"
    )


def _verdict(path: Path, progress: Progress, skipped: list[BlockSkipped]) -> int:
    from mesogpu.plan.limits import MAX_FAILED_FRACTION

    if skipped:
        named = [f"{skipped_words(event)}: {event.reason}" for event in skipped[:_NAMED]]
        more = [f"and {len(skipped) - _NAMED} more"] * (len(skipped) > _NAMED)
        tell(
            f"mesogpu: error: {path} is incomplete: {counted(len(skipped), 'block')} left out, because every worker "
            f"that tried it ended:\n  " + "\n  ".join([*named, *more]) + "\n"
            f"{path}.log.jsonl names them all; the same command tries them again"
        )
    if progress.failed > MAX_FAILED_FRACTION * progress.total:
        tell(
            f"mesogpu: error: {progress.failed:,} of {progress.total:,} realizations failed their certificate, "
            f"more than {MAX_FAILED_FRACTION:.0%}: do not trust this ensemble; `status` in {path} has each reason"
        )
    if skipped or progress.failed > MAX_FAILED_FRACTION * progress.total:
        return TOO_MANY_FAILED
    if not progress.complete:
        tell(f"mesogpu: {path} is incomplete; the same command goes on with it")
        return INCOMPLETE
    return 0
