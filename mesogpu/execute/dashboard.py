"""dask's dashboard: on loopback only, and only where it is asked for.

Other users of this machine can look at it; nothing can be changed through it.
"""

from __future__ import annotations

import importlib.util
import socket

from mesogpu.errors import EnvironmentFault

_HOST, _PORT = "127.0.0.1", 8787

SETTINGS = {
    "distributed.scheduler.http.routes": ["distributed.http.scheduler.info", "distributed.http.statics"],
    # None but its own, as localhost; by default the pages of any web site could read it through the browser.
    "distributed.scheduler.dashboard.bokeh-application.allow_websocket_origin": [],
}


def require_dashboard() -> None:
    """Make sure that a dashboard can be served.

    raises : EnvironmentFault where bokeh is missing
    """
    if importlib.util.find_spec("bokeh") is None:
        raise EnvironmentFault(
            "dashboard: needs bokeh, which is not installed; pip install 'mesogpu[dashboard]', or leave out --dashboard"
        )


def free_address() -> str:
    """Where to serve it: dask's usual port, or any other (0) where that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, _PORT))
        except OSError:
            return f"{_HOST}:0"
    return f"{_HOST}:{_PORT}"
