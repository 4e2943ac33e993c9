"""Sidecars as the processes of tmux windows: `session:ra-job-<id>`."""

import re
import secrets
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jupyter_ra_jobs_sidecar
from jupyter_ra_jobs_sidecar import procs

from jupyter_ra_jobs.errors import Conflict, Unavailable
from jupyter_ra_jobs.executors.base import Handle
from jupyter_ra_jobs.executors.tmux_calls import TmuxCalls
from jupyter_ra_jobs.models import SidecarIdentity

_OLDEST_TMUX = (3, 2)
_TRIES = 5
_WINDOW_PREFIX = "ra-job-"
_SIDECAR = [sys.executable, "-I", "-S", str(Path(jupyter_ra_jobs_sidecar.__file__).parent)]
_HOME = ["sh", "-c", "echo 'Each active run has a window here, ra-job-<its id>.'; exec tail -f /dev/null"]
# What tmux says when there is no session to add a window to, its server just leaving included.
_NO_SESSION = re.compile(
    "no server running|error connecting|can't find session|server exited|lost server|no current"
)


class TmuxExecutor:
    """Runs sidecars in windows of one tmux session, under whatever ~/.tmux.conf there is.

    `socket` is a name as `tmux -L` takes it; empty means the user's default server, also from inside
    an outer tmux on another socket.
    """

    def __init__(self, *, socket: str, session: str, capture: str, terminate_grace: float) -> None:
        self._socket = socket
        self._session = session
        self._capture = capture
        self._terminate_grace = terminate_grace
        self._tmux = TmuxCalls(socket or "default")
        self._version: str | None = None

    def check(self) -> str:
        """The tmux in use; raises Unavailable when there is none, one too old, or one that hangs."""
        self._tmux.check()
        if shutil.which("tmux") is None:
            raise Unavailable("tmux is not installed; install it (apt install tmux) and try again")
        if self._version is None:
            words = self._tmux("-V").stdout
            version = words[0].removeprefix("tmux ") if words else "unknown"
            numbers = re.search(r"(\d+)\.(\d+)", version)
            if numbers and tuple(map(int, numbers.groups())) < _OLDEST_TMUX:
                raise Unavailable(f"tmux {version} is too old; 3.2 or newer is needed")
            self._version = f"tmux {version}"
        return self._version

    def handle(self, run_id: str) -> Handle:
        """The run's window."""
        window = _WINDOW_PREFIX + run_id
        socket = f"-L {shlex.quote(self._socket)} " if self._socket else ""
        target = shlex.quote(f"{self._session}:{window}")
        return Handle(tmux_window=window, attach_command=f"tmux {socket}attach -t {target}")

    def attach(self, run_id: str) -> list[str]:
        """A session of its own that holds this window alone.

        Who attaches to ours would be shown another run's window once this one closes, and type into that.
        """
        source = f"={self._session}:={_WINDOW_PREFIX}{run_id}"
        if not self._tmux("list-panes", "-t", source).stdout:
            raise Conflict(f"the window of run {run_id} is gone")
        view = f"{self._session}-view-{secrets.token_hex(4)}"
        # It takes the place of the window that a new session begins with; should it close meanwhile, that one
        # ends by itself. `-N`: no server is started that would have our environment.
        command = ["tmux", "-N", "-L", self._socket or "default", "new-session", "-s", view, "sleep 1"]
        options = {"status": "off", "detach-on-destroy": "on", "destroy-unattached": "on"}
        for option, value in options.items():
            command += [";", "set-option", "-t", f"={view}:", option, value]
        return [*command, ";", "link-window", "-k", "-s", source, "-t", f"={view}:^"]

    def launch(self, run_id: str, run_dir: Path) -> str:
        """Open the run's window with the sidecar as its process; returns the pane's id."""
        self.check()
        window = _WINDOW_PREFIX + run_id
        # What a user's configuration may say that would end or keep windows at the wrong time is set
        # right within the same tmux command: the sidecar cannot be gone before it is through.
        mark = f"{procs.RUN_ID_VARIABLE}={run_id}"  # the tmux server may bear that of the run that started it
        in_window = ["-n", window, "-e", mark, "-P", "-F", "#{pane_id}", *_SIDECAR, str(run_dir)]
        for option in ("remain-on-exit", "allow-rename"):
            in_window += [";", "set-option", "-w", "-t", f"={self._session}:={window}", option, "off"]
        if self._capture == "pipe-pane":
            pipe = "exec " + shlex.join([*_SIDECAR, "--pipe", str(run_dir)])
            in_window += [";", "pipe-pane", "-t", f"={self._session}:={window}", _unexpanded(pipe)]
        for attempt in range(_TRIES):
            answer = self._tmux("new-window", "-d", "-t", f"={self._session}:", *in_window)
            # A pane id means that the window was opened, whatever else tmux complains about.
            if answer.stdout and answer.stdout[0].startswith("%"):
                return answer.stdout[0]
            said = " ".join(answer.stderr)
            if not _NO_SESSION.search(said):
                break
            said = self._open_session() or said
            time.sleep(0.02 * 2**attempt if attempt else 0)  # a server on its way out, maybe
        raise Unavailable(f"tmux opened no window: {said or 'it gave no reason'}")

    def _open_session(self) -> str:
        """Open the session, with a window that stays; returns what tmux complained about.

        Without that one, to kill the window of the only run would end the tmux server, and a sidecar
        could not tell that somebody stops its run.
        """
        keep = [";", "set-option", "-t", f"={self._session}:", "destroy-unattached", "off"]
        keep += [";", "set-option", "-s", "exit-unattached", "off"]
        opened = self._tmux.starting_server(
            "new-session", "-d", "-s", self._session, "-n", "home", *_HOME, *keep
        )
        return " ".join(opened.stderr)

    def alive(self, runs: Sequence[tuple[str, SidecarIdentity | None]]) -> set[str]:
        """By their processes where they are known, else by the windows of the session."""
        boot = procs.boot_id()
        living: set[str] = set()
        unknown: set[str] = set()
        for run_id, sidecar in runs:
            if sidecar is None:
                unknown.add(run_id)
            elif sidecar.boot_id == boot and procs.is_alive(sidecar.pid, sidecar.pid_start):
                living.add(run_id)
        if unknown:
            try:
                panes = self._tmux("list-panes", "-s", "-t", f"={self._session}:", "-F", "#{window_name}")
            except Unavailable:
                return living | unknown  # nobody can tell: no reason to give them up, nor to start them
            living |= unknown & {name.removeprefix(_WINDOW_PREFIX) for name in panes.stdout}
        return living

    def command_lives(self, sidecar: SidecarIdentity) -> bool:
        """By its pid and start time."""
        return sidecar.boot_id == procs.boot_id() and procs.is_alive(sidecar.pgid, sidecar.pgid_start)

    def stop(self, run_id: str, sidecar: SidecarIdentity) -> None:
        """SIGTERM to the sidecar; one that is suspended is continued, since it could not hear it."""
        if sidecar.boot_id == procs.boot_id():
            procs.send(sidecar.pid, sidecar.pid_start, signal.SIGTERM)
            procs.send(sidecar.pid, sidecar.pid_start, signal.SIGCONT)

    def end(self, run_id: str, sidecar: SidecarIdentity | None) -> None:
        """The sidecar itself first, should it live and be deaf; then the run's processes."""
        since, session = 0, -1
        if sidecar is not None:
            if sidecar.boot_id != procs.boot_id():
                return
            since = sidecar.pgid_start
            if procs.is_alive(sidecar.pgid, sidecar.pgid_start):  # else the number may be another's session
                session = sidecar.pgid
            procs.send(sidecar.pid, sidecar.pid_start, signal.SIGKILL)
        ladder = procs.Ladder(run_id, session, since, procs.end_rungs(self._terminate_grace))
        while not ladder.poll():
            time.sleep(0.05)


def _unexpanded(text: str) -> str:
    """As pipe-pane needs it, which expands formats and strftime's signs in its command."""
    return text.replace("#", "##").replace("%", "%%")
