"""Getting a plan's outstanding blocks computed and committed: in this process, or on worker processes of this machine.

Knows no physics. dask is imported only when more than one worker is asked for; what opens results files, only by the
driver (`into_file`): each worker imports this package, and HDF5 and xarray would take it a second.
"""

from mesogpu.execute.cores import default_workers
from mesogpu.execute.dashboard import require_dashboard
from mesogpu.execute.devices import usual_workers
from mesogpu.execute.events import (
    BlockSkipped,
    Committed,
    DashboardOpened,
    Event,
    Finished,
    Listener,
    RunRecord,
    Started,
    WorkerLost,
    WorkerRetired,
)
from mesogpu.execute.run import execute

__all__ = [
    "BlockSkipped",
    "Committed",
    "DashboardOpened",
    "Event",
    "Finished",
    "Listener",
    "RunRecord",
    "Started",
    "WorkerLost",
    "WorkerRetired",
    "default_workers",
    "execute",
    "require_dashboard",
    "usual_workers",
]
