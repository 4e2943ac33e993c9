"""`ra.panel()`: all runs and sweeps, in a cell's output."""

from typing import TYPE_CHECKING

from jupyter_ra_jobs.cells import session
from jupyter_ra_jobs.cells.runs import Run
from jupyter_ra_jobs.cells.sweeps import Sweep
from jupyter_ra_jobs.errors import BadInput

if TYPE_CHECKING:
    from jupyter_ra_jobs_widget import Panel

_LOWEST, _HIGHEST = 200, 4_000


def panel(*, run: Run | str | None = None, sweep: Sweep | str | None = None, height: int = 560) -> "Panel":
    """The panel with all runs and sweeps, live, also while the kernel is busy; `height` in pixels.

    It begins with a run or a sweep if one is given, or its id. Raises NoServer.
    """
    from jupyter_ra_jobs_widget import Panel  # takes a moment to load

    if run is not None and sweep is not None:
        raise BadInput("run and sweep: the panel begins with one of them")
    if not isinstance(height, int) or not _LOWEST <= height <= _HIGHEST:
        raise BadInput(f"height: must be {_LOWEST} to {_HIGHEST:,} pixels, not {height!r:.100}")
    address = ""
    for kind, given in (("run", run), ("sweep", sweep)):
        if given is not None:
            if not isinstance(given, Run | Sweep | str):
                raise BadInput(f"{kind}: must be a {kind} or its id, not {given!r:.100}")
            address = f"#/{kind}s/{given if isinstance(given, str) else given.id}"
    return Panel({"view": "panel", "address": address, "height": height}, session.client())
