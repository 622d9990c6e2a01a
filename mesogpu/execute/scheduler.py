"""dask's scheduler, here in the driver's process.

A port on a shared machine is open to its other users, and whoever speaks to a dask scheduler executes code: all
connections use TLS with a key made for this run alone, and there is no dashboard unless one is asked for.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mesogpu.errors import EnvironmentFault
from mesogpu.execute import dashboard as dashboards
from mesogpu.execute.remote import DASK_SETTINGS, LOG_LENGTH, run_task
from mesogpu.execute.tasks import Compute, Task
from mesogpu.plan import BlockResult

_CLOSING_SECONDS = 3.0
_JOINING_SECONDS = 0.05
_NEVER = 10**9


class SchedulerThread:
    """dask's scheduler and a client of it, on an event loop in a thread of their own.

    So neither a caller's running event loop (a notebook) nor Ctrl-C, which reaches the main thread only, disturbs them.

    dashboard : whether dask's dashboard is served
    """

    def __init__(self, *, dashboard: bool = False) -> None:
        self._with_dashboard = dashboard
        self._submitted = 0
        self._contact: concurrent.futures.Future[dict[str, Any]] = concurrent.futures.Future()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mesogpu-scheduler", daemon=True)
        self._thread.start()

    def contact(self) -> dict[str, Any]:
        """What a worker needs to join: the address, and the certificate and key that every connection must show.

        raises : EnvironmentFault where no scheduler can be started
        """
        return self._contact.result()

    def dashboard(self) -> str:
        """URL of the dashboard; there is one after `contact`, where it was asked for."""
        return f"http://localhost:{self._scheduler.http_server.port}/status"

    def submit(
        self, task: Task, compute: Compute, worker: str | None = None
    ) -> concurrent.futures.Future[list[BlockResult]]:
        """Have a task computed by some worker, again if that one dies.

        worker : name of the only one that may do so, waited for where it is still starting; any if None
        """
        return asyncio.run_coroutine_threadsafe(self._follow(task, compute, worker), self._loop)

    def close(self) -> None:
        """Stop, without waiting for what is still being computed."""
        self._closing.set()
        if self._contact.done() and self._contact.exception() is None:
            with suppress(RuntimeError):  # its loop is closed: it ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_CLOSING_SECONDS)

    async def _follow(self, task: Task, compute: Compute, worker: str | None) -> list[BlockResult]:
        while worker is not None and worker not in self._scheduler.aliases:
            await asyncio.sleep(_JOINING_SECONDS)  # dask would take a name that it does not know for that of a machine
        self._submitted += 1
        future = self._client.submit(
            run_task,
            task.number,
            compute,
            task.blocks,
            key=f"blocks-{self._submitted}",
            pure=False,
            workers=None if worker is None else [worker],
            priority=0 if worker is None else 1,
        )
        try:
            results: list[BlockResult] = await future
        finally:
            future.release()
        return results

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (OSError, ImportError) as error:
            fault = EnvironmentFault(f"workers: cannot start dask's scheduler on 127.0.0.1: {error}; use workers = 1")
            fault.__cause__ = error
            self._fail(fault)
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        if not self._contact.done():
            self._contact.set_exception(error)

    async def _serve(self) -> None:
        import dask
        from distributed import Client
        from distributed.security import Security

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        security = Security.temporary()  # type: ignore[no-untyped-call]
        with _quiet(), dask.config.set({LOG_LENGTH: DASK_SETTINGS[LOG_LENGTH]}):  # read by every new connection
            async with (
                _scheduler(security, self._with_dashboard) as self._scheduler,
                Client(  # type: ignore[no-untyped-call]
                    self._scheduler.address, security=security, asynchronous=True, set_as_default=False
                ) as self._client,
            ):
                key = {name: getattr(security, name) for name in ("tls_ca_file", "tls_worker_cert", "tls_worker_key")}
                self._contact.set_result({"scheduler": self._scheduler.address, "security": key})
                if not self._closing.is_set():  # asked for while it was starting, before there was anything to stop
                    await self._stop.wait()


def _scheduler(security: Any, dashboard: bool) -> Any:
    import dask
    from distributed import Scheduler

    class SilentScheduler(Scheduler):
        """A scheduler without the HTTP server that dask opens even when no dashboard is asked for."""

        def start_http_server(self, *_arguments: Any, **_options: Any) -> None:
            pass

    scratch = tempfile.mkdtemp(prefix="mesogpu-scheduler-")
    served = dashboards.SETTINGS if dashboard else {}
    with dask.config.set(DASK_SETTINGS | served | {"temporary-directory": scratch}):
        # Deaths are counted here, task by task; dask would also blame those that only waited on the dead worker.
        scheduler = (Scheduler if dashboard else SilentScheduler)(
            host="127.0.0.1",
            port=0,
            protocol="tls",
            security=security,
            dashboard=dashboard,
            dashboard_address=dashboards.free_address() if dashboard else None,
            allowed_failures=_NEVER,
        )
    shutil.rmtree(scratch, ignore_errors=True)
    return scheduler


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence dask's loggers: what a user needs to know, events and errors say."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in {"distributed", *names}}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
