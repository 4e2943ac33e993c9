"""Calls of tmux that end: a tmux server that does not answer holds up one client of ours, and nobody else."""

import concurrent.futures
import os
import subprocess
import threading
from collections.abc import Callable
from typing import NamedTuple

import libtmux
from jupyter_ra_jobs_sidecar import procs
from libtmux.exc import LibTmuxException

from jupyter_ra_jobs.errors import Unavailable
from jupyter_ra_jobs.executors.base import SERVER_SECRETS

_PATIENCE = 3.0
"""Seconds; tmux answers in milliseconds. Who ends the server waits so long too."""


class Answer(NamedTuple):
    """What tmux said, line by line."""

    stdout: list[str]
    stderr: list[str]


class TmuxCalls:
    """Every call raises Unavailable when tmux can't be called, or does not answer within seconds.

    One that hangs is left to itself, since nobody can take it back: tmux may carry it out once it goes on.
    Until then no other call is made, so that none pile up.
    """

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._server = libtmux.Server(socket_name=socket)
        self._hanging: threading.Thread | None = None

    def check(self) -> None:
        """Raise Unavailable while a call hangs."""
        hanging = self._hanging
        if hanging is not None and hanging.is_alive():
            raise Unavailable(
                "tmux does not answer: it is stopped, or hangs; continue it, or kill its server"
            )

    def __call__(self, *arguments: str) -> Answer:
        """`tmux -L socket arguments…`, by libtmux."""

        def call() -> Answer:
            done = self._server.cmd(*arguments)
            return Answer(done.stdout, done.stderr)

        return self._bounded(call)

    def starting_server(self, *arguments: str) -> Answer:
        """The same; a tmux server that it starts, and each window there, gets none of our secrets.

        libtmux hands on all of our environment, which everybody who may read the process then sees.
        """
        kept_back = {*SERVER_SECRETS, procs.RUN_ID_VARIABLE}  # ours may be that of the run that started us

        def call() -> Answer:
            done = subprocess.run(
                ["tmux", "-L", self._socket, *arguments],
                env={name: value for name, value in os.environ.items() if name not in kept_back},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                check=False,
            )
            return Answer(done.stdout.splitlines(), done.stderr.splitlines())

        return self._bounded(call)

    def _bounded(self, call: Callable[[], Answer]) -> Answer:
        self.check()
        answer: concurrent.futures.Future[Answer] = concurrent.futures.Future()

        def work() -> None:
            try:
                answer.set_result(call())
            except (LibTmuxException, OSError) as problem:
                answer.set_exception(problem)

        # A thread that the interpreter does not wait for at its end.
        thread = threading.Thread(target=work, name="ra-jobs-tmux", daemon=True)
        thread.start()
        try:
            return answer.result(_PATIENCE)
        except concurrent.futures.TimeoutError:
            self._hanging = thread
            self.check()
            return answer.result()  # it came at the last moment
        except (LibTmuxException, OSError) as problem:
            raise Unavailable(f"tmux could not be called: {problem or type(problem).__name__}") from problem
