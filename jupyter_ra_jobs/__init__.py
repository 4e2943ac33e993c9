"""Run and watch experiments from Jupyter: commands in tmux windows, seen to their end."""

from typing import Any

from jupyter_ra_jobs._version import __version__

__all__ = ["__version__"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where jupyter_server finds the extension."""
    from jupyter_ra_jobs.app import RaJobsApp  # a kernel imports this package too, without jupyter_server

    return [{"module": "jupyter_ra_jobs.app", "app": RaJobsApp}]
