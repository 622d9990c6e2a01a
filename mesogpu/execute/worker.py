"""A worker process: `python -m mesogpu.execute.worker`, started by a run and by nothing else.

It reads one line of JSON from standard input: where the scheduler is, with the certificate and key to talk to it.
Standard input then stays open and silent; when it ends, the driver is gone or done with us, and so are we.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import shutil
import signal
import sys
import threading
from typing import Any

_PR_SET_PDEATHSIG = 1
_DEATH_TIMEOUT = 60


def main() -> None:
    """Serve one run as its worker, to its end."""
    # A terminal's Ctrl-C and the end of a batch job go to all processes; the driver alone decides.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parent = os.getppid()
    _die_with_parent()
    import distributed  # noqa: F401  while the driver still starts its scheduler

    # What reaches the output explains a death: not drowned in what dask tells of every start.
    logging.getLogger("distributed").setLevel(logging.ERROR)
    logging.getLogger("distributed.diskutils").setLevel(logging.CRITICAL)

    contact = json.loads(sys.stdin.buffer.readline() or b"null")
    if contact is None or parent != contact["driver"] or os.getppid() != parent:
        return
    threading.Thread(target=_exit_with_driver, daemon=True).start()

    import asyncio

    from mesogpu.execute.remote import keep_ledger

    keep_ledger(contact["ledger"])
    asyncio.run(_serve(contact))


async def _serve(contact: dict[str, Any]) -> None:
    import dask
    from distributed import Worker
    from distributed.security import Security

    from mesogpu.execute.remote import DASK_SETTINGS

    class SilentWorker(Worker):
        """A worker without the HTTP server that dask opens even when no dashboard is asked for."""

        def start_http_server(self, *_arguments: Any, **_options: Any) -> None:
            pass

    dask.config.set(DASK_SETTINGS | {"temporary-directory": contact["scratch"]})
    worker = await SilentWorker(
        contact["scheduler"],
        name=contact["name"],
        host="127.0.0.1",
        nthreads=1,
        memory_limit=0,
        dashboard=False,
        death_timeout=_DEATH_TIMEOUT,
        security=Security(require_encryption=True, **contact["security"]),  # type: ignore[no-untyped-call]
    )
    # dask wants a directory to start in and never uses it here: gone now, none is left behind by a kill.
    shutil.rmtree(contact["scratch"], ignore_errors=True)
    await worker.finished()


def _die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_with_driver() -> None:
    os.read(
        sys.stdin.fileno(), 1
    )  # unbuffered: a lock held here would turn any other end of this process into an abort
    os._exit(0)  # from any thread, in the middle of any block: nothing here is worth saving


if __name__ == "__main__":
    main()
