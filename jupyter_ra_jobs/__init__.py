"""Run and watch experiments from Jupyter: commands in tmux windows, seen to their end."""

import importlib
from typing import TYPE_CHECKING, Any

from jupyter_ra_jobs._version import __version__

if TYPE_CHECKING:
    from jupyter_ra_jobs.cells.functions import map as map  # noqa: A004 - as ra.map
    from jupyter_ra_jobs.cells.functions import options, submit
    from jupyter_ra_jobs.cells.outputs import Artifact, Metrics
    from jupyter_ra_jobs.cells.panel import panel
    from jupyter_ra_jobs.cells.runs import Run
    from jupyter_ra_jobs.cells.serve import serve
    from jupyter_ra_jobs.cells.session import connect, get, run, runs, sweep, sweeps
    from jupyter_ra_jobs.cells.sweeps import Sweep
    from jupyter_ra_jobs.client import AsyncClient, Client
    from jupyter_ra_jobs.errors import NoResult
    from jupyter_ra_jobs.within import log_metrics

__all__ = [
    "Artifact",
    "AsyncClient",
    "Client",
    "Metrics",
    "NoResult",
    "Run",
    "Sweep",
    "__version__",
    "connect",
    "get",
    "log_metrics",
    "options",
    "panel",
    "run",
    "runs",
    "serve",
    "submit",
    "sweep",
    "sweeps",
]

_HOMES = {
    **dict.fromkeys(["Artifact", "Metrics"], "cells.outputs"),
    **dict.fromkeys(["map", "options", "submit"], "cells.functions"),
    **dict.fromkeys(["connect", "get", "run", "runs", "sweep", "sweeps"], "cells.session"),
    **dict.fromkeys(["AsyncClient", "Client"], "client"),
    **dict.fromkeys(["NoResult"], "errors"),
    "Run": "cells.runs",
    "Sweep": "cells.sweeps",
    "panel": "cells.panel",
    "serve": "cells.serve",
    "log_metrics": "within",
}


def __getattr__(name: str) -> Any:
    """Imported when first used: a server needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "map"]  # which `import *` would put in the place of Python's own


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext jupyter_ra_jobs`: the magics `%run_job`, `%runs`, `%sweeps`, `%logs`, `%stop_job`."""
    from jupyter_ra_jobs.cells import magics  # IPython is there only in a kernel

    magics.load(ipython)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where jupyter_server finds the extension."""
    from jupyter_ra_jobs.app import RaJobsApp  # a kernel imports this package too, without jupyter_server

    return [{"module": "jupyter_ra_jobs.app", "app": RaJobsApp}]
