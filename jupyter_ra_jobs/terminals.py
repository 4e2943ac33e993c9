"""Jupyter's own terminals, on the windows of runs."""

import asyncio
import secrets
from typing import Any, Protocol

from jupyter_ra_jobs.errors import Busy, Conflict
from jupyter_ra_jobs.executors.base import SERVER_SECRETS, Executor
from jupyter_ra_jobs.states import TERMINAL
from jupyter_ra_jobs.store import Store

_MOST = 50
_OURS = "ra_"  # begins the names of our terminals


class Manager(Protocol):
    """What we need of Jupyter's terminal manager."""

    terminals: dict[str, Any]
    """By their names, the oldest first; the `clients` of each are the pages that show it."""

    def create(self, **options: Any) -> dict[str, Any]:
        """A terminal with a process in it."""

    async def terminate(self, name: str, force: bool = False) -> None:
        """End its process."""


class Terminals:
    """Opens a terminal in which a run's window is, for a person who watches it or answers it."""

    def __init__(self, store: Store, executor: Executor) -> None:
        self._store = store
        self._executor = executor

    async def command(self, run_id: str) -> list[str]:
        """The arguments of a process that is the run's window. Raises NotFound, Conflict, Unavailable."""
        run = self._store.run(run_id)
        if run.status in TERMINAL:
            raise Conflict(f"run {run_id} has ended ({run.status}), and its window is gone")
        if run.tmux_window is None:
            raise Conflict(f"run {run_id} is {run.status}: it has no window before it starts")
        return await asyncio.to_thread(self._executor.attach, run_id)

    async def open(self, run_id: str, command: list[str], manager: Manager) -> str:
        """Start this process in a terminal of Jupyter's; its name. Raises Busy.

        What a browser leaves when it crashes, a terminal that no page shows, is there until it is in the way.
        """
        ours = [name for name in manager.terminals if name.startswith(_OURS)]
        if len(ours) >= _MOST:
            left = [name for name in ours if not manager.terminals[name].clients]
            if not left:
                raise Busy(
                    f"{_MOST} terminals on runs are watched, and more may not be at once: detach from one"
                )
            await manager.terminate(left[0], force=True)
        # Inside of tmux the server has TMUX set, and tmux would refuse to nest.
        without = dict.fromkeys(["TMUX", "TMUX_PANE", *SERVER_SECRETS])
        name = f"{_OURS}{run_id}_{secrets.token_hex(4)}"
        manager.create(name=name, shell_command=command, extra_env=without)
        return name
