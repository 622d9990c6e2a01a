"""dask's dashboard: on loopback only, and only where it is asked for.

Other users of this machine can look at it; nothing can be changed through it.
"""

from __future__ import annotations

import importlib.util

from mesogpu.errors import EnvironmentFault

ADDRESS = "127.0.0.1:8787"
"""dask takes a free port where this one is in use."""

SETTINGS = {
    "distributed.scheduler.http.routes": ["distributed.http.scheduler.info", "distributed.http.statics"],
    # By default the pages of any web site could read it through the browser.
    "distributed.scheduler.dashboard.bokeh-application.allow_websocket_origin": ["127.0.0.1:*", "localhost:*"],
}


def require_dashboard() -> None:
    """Make sure that a dashboard can be served.

    raises : EnvironmentFault where bokeh is missing
    """
    if importlib.util.find_spec("bokeh") is None:
        raise EnvironmentFault(
            "dashboard: needs bokeh, which is not installed; pip install 'mesogpu[dashboard]', or leave out --dashboard"
        )
