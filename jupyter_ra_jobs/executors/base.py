"""What the server asks of an executor. Another one (Slurm, say) is one more file beside `tmux.py`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from jupyter_ra_jobs.models import SidecarIdentity

SERVER_SECRETS = ("JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JUPYTER_TOKEN")
"""Variables of the Jupyter server that log in to it. No run gets them, unless its creator gives them."""


class Handle(Struct, frozen=True, kw_only=True):
    """The executor's name for a run's sidecar, in the run's own fields."""

    tmux_window: str | None
    attach_command: str | None


class Executor(Protocol):
    """Every method blocks (a fork, a scan of the process table): call them in a thread, all but `handle`."""

    def check(self) -> str:
        """A word on what is used, such as "tmux 3.3a"; raises Unavailable when it is missing, or hangs."""

    def handle(self, run_id: str) -> Handle:
        """What the run's sidecar will be called."""

    def attach(self, run_id: str) -> list[str]:
        """The arguments of a process that, in a terminal, is the run's window, and ends with it.

        To end that process does nothing to the run. Raises Conflict when that is gone, Unavailable.
        """

    def launch(self, run_id: str, run_dir: Path) -> str | None:
        """Start a sidecar on a run dir that holds its spec; returns its tmux pane.

        Raises Unavailable, after which it may start still when the executor hangs. Launching the same run dir
        twice is harmless: the second sidecar finds the spool taken.
        """

    def alive(self, runs: Sequence[tuple[str, SidecarIdentity | None]]) -> set[str]:
        """Which of these runs still have a sidecar; without an identity, which may yet get one."""

    def command_lives(self, sidecar: SidecarIdentity) -> bool:
        """Whether the command has not ended yet; how it did, its sidecar alone knows until it is on disk."""

    def stop(self, run_id: str, sidecar: SidecarIdentity) -> None:
        """Ask a sidecar to stop its run. It reports when that is done."""

    def end(self, run_id: str, sidecar: SidecarIdentity | None) -> None:
        """End what is left of a run whose sidecar is lost; returns when nothing is, or nothing helps."""
