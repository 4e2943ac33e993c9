"""What a page shows live in the place of a snapshot: told by ids alone, so that it needs no kernel."""

import contextlib
import os
import sys
from typing import Any, Literal

from jupyter_ra_jobs.client import Client

MIME = "application/vnd.jupyter-ra-jobs+json"
"""Ours, which the extension for JupyterLab and Notebook shows (widget/src/lab/output.ts)."""


def is_pages_server(client: Client) -> bool:
    """Whether the client's server is the one that started this kernel: its pages have our extension.

    Raises NoServer.
    """
    return os.environ.get("JPY_PARENT_PID") == str(client.address.pid)


def card(view: Literal["run", "sweep"], id: str, client: Client, html: str) -> dict[str, Any]:  # noqa: A002 - what it is called everywhere
    """Of a MIME bundle, what makes it live.

    A widget for other front ends, VS Code's for one. Not where ours is sure to be shown: elsewhere, a widget
    whose model is gone hides the snapshot.
    """
    told = {"view": view, "id": id}
    bundle: dict[str, Any] = {MIME: told}
    with contextlib.suppress(Exception):  # what is shown never raises
        if _has_front_end() and not is_pages_server(client):
            from jupyter_ra_jobs_widget import Panel  # takes a moment to load

            bundle.update(Panel(told, client, html)._repr_mimebundle_()[0])
    return bundle


def _has_front_end() -> bool:
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None
