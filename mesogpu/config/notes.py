"""What a user should know of a valid experiment before it runs."""

from __future__ import annotations

from mesogpu.config.experiment import Experiment


def notes(experiment: Experiment) -> list[str]:
    """Sentences about choices that are allowed and rarely meant; mostly none."""
    return [_NO_WARMUP] if experiment.bars and 0 in _warmups(experiment, experiment.bars.warmup) else []


_NO_WARMUP = (
    "lyapunov.warmup is 0: the exponents then count the first slices, which depend on the frame that every bar starts "
    "from. That is a bias of the order of 1 / lyapunov.slices that no error bar shows; a warm-up of 1000 removes it."
)


def _warmups(experiment: Experiment, written: int) -> list[float]:
    """The swept warm-ups, or the one that is written."""
    axes = (axis for axis in experiment.sweep if "lyapunov.warmup" in axis.paths)
    swept = [row[axis.paths.index("lyapunov.warmup")] for axis in axes for row in axis.values]
    return swept or [written]
