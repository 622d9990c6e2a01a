"""The one exception tree. Every message says what, where, which value, which bound, and the remedy."""

from __future__ import annotations


class MesogpuError(Exception):
    """Anything that mesogpu refuses or cannot do; the message is meant for the user as it stands.

    exit_code : process exit status that the command line returns for it
    """

    exit_code = 70


class ConfigError(MesogpuError):
    """An experiment that cannot be run as written; one line a problem."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PhysicsError(MesogpuError):
    """A request that physics or the numerical method does not allow, such as a lead mode at its band edge."""

    exit_code = 2


class PlanError(MesogpuError):
    """An experiment too large for the limits, the memory or the disk."""

    exit_code = 5


class StoreError(MesogpuError):
    """A results file that cannot be used for what was asked: of another experiment, not ours, not there."""

    exit_code = 2


class DamagedFileError(StoreError):
    """A results file whose bytes are not what was committed."""

    exit_code = 3


class EnvironmentFault(MesogpuError):
    """What this machine refuses: a full disk, a lock held elsewhere, a missing library or driver."""

    exit_code = 5


class BackendUnavailable(EnvironmentFault):
    """A backend that cannot run on this machine or in this version."""


class WorkersLost(EnvironmentFault):
    """Worker processes that keep dying; what they committed stays committed."""


class Interrupted(MesogpuError):
    """The user stopped the run; everything committed is kept and the run can be resumed."""

    exit_code = 130
