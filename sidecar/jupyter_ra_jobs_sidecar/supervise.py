"""Starts the command, keeps its output flowing, and sees it to its end."""

import contextlib
import os
import select
import signal
import time

from jupyter_ra_jobs_sidecar import procs, spec
from jupyter_ra_jobs_sidecar.capture import PaneCapture, PtyCapture
from jupyter_ra_jobs_sidecar.logs import RunLog, SidecarLog
from jupyter_ra_jobs_sidecar.report import Reporter
from jupyter_ra_jobs_sidecar.spool import Event, Spool, Taken
from jupyter_ra_jobs_sidecar.wandb import RunDirLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_DISK_RETRY = 0.5
_WATCH = 0.05
_LONGEST_SLEEP = 3600.0
"""Seconds; poll(2) takes no more than 24 days, and a time limit may be longer."""
_TMUX_DIES_WITHIN = 2.0
_TMUX_ANSWERS_WITHIN = 5.0
_DRAIN_WITHIN = 1.0
_SETTLE = 2.0
_KILLED = 128 + signal.SIGKILL
"""The exit code of a command that was killed, or of a shell whose last command was."""
_SETTLE_WITHOUT_SPOOL = 30.0
_MOST_WANDB_DIRS = 100
"""Paths that are looked at; the command may print lines without end."""


def main(run_dir: str) -> int:
    """Supervise the run in `run_dir`; returns the sidecar's own exit code, not the command's."""
    log = SidecarLog(run_dir)
    try:
        the_spec = spec.read(run_dir)
        spool = Spool(run_dir)
    except Taken:
        log("another sidecar has this run; nothing to do")
        return 0
    except (OSError, ValueError, TypeError) as problem:
        log(f"cannot start: {problem!r}")
        return 1
    try:
        supervisor = Supervisor(the_spec, run_dir, spool, log)
        supervisor.fork()
    except OSError as problem:  # no room for run.log, no terminal or process left: perhaps there is, later
        log(f"cannot start: {problem!r}")
        spool.give_back()
        return 1
    supervisor.run()
    return 0


class Supervisor:
    """One command from its start to its last byte, in one loop over poll(2)."""

    def __init__(self, the_spec: spec.Spec, run_dir: str, spool: Spool, log: SidecarLog) -> None:
        self._spec = the_spec
        self._spool = spool
        self._log = log
        self._capture: PtyCapture | PaneCapture = (
            PaneCapture(run_dir, the_spec.run_id, log)
            if the_spec.capture == "pipe-pane"
            else PtyCapture(RunLog(run_dir, the_spec.max_log_bytes, log), self._hear, log)
        )
        self._reporter: Reporter | None = None
        self._wandb_lines = RunDirLines()
        self._wandb_dir = ""
        self._wandb_dirs = 0
        """How many were looked at."""
        self._pid = 0
        self._pid_start = 0
        self._session = 0
        self._oom_kills = procs.oom_kills()
        self._exit: int | None = None
        """What waitpid said, once it did."""
        self._reason: str | None = None
        """Why we end the command: `stop`, or why it has failed; None while nothing asks for it."""
        self._ladder: procs.Ladder | None = None
        self._tmux = _tmux_server()
        self._tmux_socket = os.environ.get("TMUX", "").split(",")[0]
        self._had_window = self._capture.has_window
        self._window_lost_at: float | None = None
        self._signals_read, self._signals_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._pending_signals: set[int] = set()
        self._gate, self._errors = -1, -1
        """What the command waits at before it begins, and what tells why it could not."""

    def fork(self) -> None:
        """Have a process that is to become the command; raises OSError, and then nothing was begun."""
        self._hear_signals()
        gate, self._gate = os.pipe2(os.O_CLOEXEC)
        self._errors, errors = os.pipe2(os.O_CLOEXEC)
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._gate)
                self._become_command(gate)
            except (OSError, ValueError) as problem:
                os.write(errors, str(problem).encode(errors="replace"))
            finally:
                os._exit(127)
        os.close(gate)
        os.close(errors)

    def run(self) -> None:
        """The whole life of the run, after `fork`; returns when its end is on disk or at the server."""
        running, start_error = self._start()
        self._reporter = reporter = Reporter(self._spec, self._log)
        if start_error is None:
            reporter.tell(running)
            self._loop()
            self._capture.finish()
            self._note_wandb_dirs(self._wandb_lines.end())
        status, details = self._end(start_error)
        event = self._spool.add(status, **details)
        self._log(f"the run ended: {event}")
        synced = self._spool.sync()
        reporter.tell(event)
        while not synced:
            # The end must be known somewhere before we go: on disk, or at the server.
            if reporter.settle(_SETTLE_WITHOUT_SPOOL):
                return
            time.sleep(_DISK_RETRY)
            synced = self._spool.sync()
        reporter.settle(_SETTLE)

    # -- the start ---------------------------------------------------------------------------------

    def _start(self) -> tuple[Event, str | None]:
        """Put `running` on the spool, then let the command go; the event, and what went wrong."""
        child, me = procs.look(self._pid), procs.look(os.getpid())
        assert child is not None
        assert me is not None
        self._pid_start = child.start
        self._session = self._pid if isinstance(self._capture, PtyCapture) else me.session
        self._log(f"sidecar {me.pid} runs the command as {child.pid}")
        running = self._spool.add(
            "running",
            tmux_pane=os.environ.get("TMUX_PANE"),
            sidecar={
                "pid": me.pid,
                "pid_start": me.start,
                "pgid": child.pid,
                "pgid_start": child.start,
                "boot_id": procs.boot_id(),
            },
        )
        self._spool.sync()  # before it begins: after a power cut it must not be begun again
        with contextlib.suppress(BrokenPipeError):  # it was killed already; waitpid tells of it
            os.write(self._gate, b"!")
        os.close(self._gate)
        with open(self._errors, "rb") as errors:  # ends when the command's exec closes it
            error = errors.read().decode()
        if not error:
            return running, None
        os.waitpid(self._pid, 0)
        return running, f"could not start: {error}"

    def _become_command(self, gate: int) -> None:
        """In the child: take the terminal, wait to be let go, then be the shell."""
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError):
                signal.signal(number, signal.SIG_DFL)  # SIGPIPE above all: Python ignores it
        self._capture.become_terminal()
        if not os.read(gate, 1):
            os._exit(127)  # the sidecar died before it could say that we run: then we don't
        os.umask(self._spec.umask)
        os.chdir(self._spec.workdir)
        env = dict(self._spec.env)
        for name in ("TERM", "TMUX", "TMUX_PANE"):  # facts of the terminal that it gets
            if name in os.environ:
                env.setdefault(name, os.environ[name])
        env["PWD"] = self._spec.workdir
        # `--`: a command may begin with a dash.
        os.execvpe(self._spec.shell, [self._spec.shell, "-c", "--", self._spec.command], env)  # noqa: S606

    # -- the loop ----------------------------------------------------------------------------------

    def _loop(self) -> None:
        """Until the command has ended, what it left behind too, and the last byte is in the log."""
        deadline = time.monotonic() + self._spec.timeout if self._spec.timeout else None
        leftovers_until: float | None = None
        while True:
            self._wait(deadline)
            self._handle_signals()
            self._capture.pump()
            if self._exit is None:
                if deadline is not None and time.monotonic() >= deadline:
                    self._end_command(f"time limit of {self._spec.timeout:g} seconds reached")
                if self._ladder is not None:
                    self._ladder.poll()
                continue
            # What the command left behind may still write; it gets a moment, then it is ended.
            if leftovers_until is None:
                leftovers_until = time.monotonic() + self._spec.leftover_grace
            if not self._leftovers_ended(leftovers_until):
                continue
            # Somebody whom we don't know as one of the run may hold the terminal: it gets the same moment.
            if self._capture.open and time.monotonic() < leftovers_until:
                continue
            if self._drain():
                if self._capture.open:
                    self._log("somebody holds the terminal still; what they write from now on is not kept")
                return

    def _wait(self, deadline: float | None) -> None:
        """Sleep until something can be done."""
        timeout: float | None = None
        if deadline is not None and self._exit is None and self._reason is None:
            timeout = max(0.0, deadline - time.monotonic())
        if self._capture.held_up:
            timeout = _DISK_RETRY
        if self._ladder is not None or self._window_lost_at is not None or self._exit is not None:
            timeout = min(_WATCH, timeout) if timeout is not None else _WATCH
        poll = select.poll()
        poll.register(self._signals_read, select.POLLIN)
        for fd, events in self._capture.interests().items():
            poll.register(fd, events)
        poll.poll(None if timeout is None else min(timeout, _LONGEST_SLEEP) * 1000)
        with contextlib.suppress(BlockingIOError):
            os.read(self._signals_read, 512)

    def _drain(self) -> bool:
        """Read what is left in the terminal; True when all of it is in the log.

        Somebody whom we may not end can hold the terminal open: then what came until now is all.
        """
        until = time.monotonic() + _DRAIN_WITHIN
        while self._capture.open and not self._capture.held_up and time.monotonic() < until:
            if not self._capture.pump() and self._capture.open:
                break
        return not self._capture.held_up

    def _hear(self, output: bytes) -> None:
        """The capture hands us what the command wrote."""
        self._note_wandb_dirs(self._wandb_lines.feed(output))

    def _note_wandb_dirs(self, paths: list[str]) -> None:
        """Report each folder that the command names as W&B's and that is there; so the last one counts."""
        for path in paths:
            folder = os.path.normpath(os.path.join(self._spec.workdir, path))
            if folder == self._wandb_dir or self._wandb_dirs == _MOST_WANDB_DIRS:
                continue
            self._wandb_dirs += 1
            if os.path.isdir(folder):
                self._wandb_dir = folder
                event = self._spool.add("running", wandb_dir=folder)
                self._spool.sync()
                if self._reporter is not None:
                    self._reporter.tell(event)

    # -- signals -----------------------------------------------------------------------------------

    def _hear_signals(self) -> None:
        signal.set_wakeup_fd(self._signals_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGWINCH, signal.SIGCHLD):
            signal.signal(number, self._note_signal)
        for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)

    def _note_signal(self, number: int, frame: "FrameType | None") -> None:
        self._pending_signals.add(number)

    def _handle_signals(self) -> None:
        self._reap()  # first: a command that has ended by itself cannot be stopped any more
        pending, self._pending_signals = self._pending_signals, set()
        if signal.SIGWINCH in pending:
            self._capture.resize()
        if signal.SIGHUP in pending:
            self._capture.lose_window()
        if self._had_window and not self._capture.has_window:
            self._had_window = False
            self._window_lost_at = time.monotonic()
        if pending & {signal.SIGTERM, signal.SIGINT}:
            self._end_command("stop")
        if self._window_lost_at is not None:
            self._judge_lost_window()

    def _reap(self) -> None:
        if self._exit is not None:
            return
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._exit = os.waitstatus_to_exitcode(status)
            self._capture.command_ended()

    def _judge_lost_window(self) -> None:
        """tmux died: carry on without a window. tmux lives: somebody killed the window, and means it."""
        assert self._window_lost_at is not None
        if self._tmux is None or not procs.is_alive(*self._tmux):
            self._window_lost_at = None
            if self._capture.needs_window:
                self._end_command("the tmux server died, and the run's terminal with it")
            else:
                self._log("the tmux server is gone; the run goes on without a window")
        elif time.monotonic() - self._window_lost_at > _TMUX_DIES_WITHIN:
            if _has_sessions(self._tmux_socket):
                self._window_lost_at = None
                self._log("the window was killed")
                self._end_command("stop")
            else:  # it is on its way out, held up by a client perhaps
                self._window_lost_at = time.monotonic()

    # -- the end -----------------------------------------------------------------------------------

    def _end_command(self, reason: str) -> None:
        if self._reason is not None or self._exit is not None:
            return
        self._reason = reason
        self._log(f"ending the command: {reason}")
        self._ladder = self._new_ladder(
            procs.stop_rungs(self._spec.interrupt_grace, self._spec.terminate_grace)
        )

    def _leftovers_ended(self, grace_until: float) -> bool:
        """Whether none of the run's processes is left; those that outstay their grace are ended."""
        if self._ladder is None:
            left = procs.of_run(self._spec.run_id, self._session, self._pid_start, {})
            if not left:
                return True
            if time.monotonic() < grace_until:
                return False
            self._log(f"ending what the command left behind: {sorted(left)}")
            self._ladder = self._new_ladder(procs.end_rungs(self._spec.terminate_grace))
        ended = self._ladder.poll()
        if ended and self._ladder.left:
            self._log(f"could not end {sorted(self._ladder.left)}")
        return ended

    def _new_ladder(self, rungs: list[tuple[int, float]]) -> procs.Ladder:
        return procs.Ladder(self._spec.run_id, self._session, self._pid_start, rungs)

    def _end(self, start_error: str | None) -> tuple[str, dict[str, str | int | None]]:
        """The final status, and what the event says beside it."""
        if start_error is not None:
            return "failed", {"exit_code": None, "error": start_error}
        assert self._exit is not None
        killed_by = procs.SIGNALS.get(-self._exit, f"signal {-self._exit}") if self._exit < 0 else None
        exit_code = 128 - self._exit if self._exit < 0 else self._exit
        error: str | None = None
        if self._reason == "stop":
            status = "stopped"
        elif self._reason is not None:
            status, error = "failed", self._reason
        elif exit_code == 0:
            status = "finished"
        else:
            status, error = "failed", f"killed by {killed_by}" if killed_by else f"exit code {exit_code}"
            if exit_code == _KILLED and procs.oom_kills() > self._oom_kills:
                error += "; the kernel killed processes meanwhile, since memory ran out"
        return status, {"exit_code": exit_code, "signal": killed_by, "error": error}


def _tmux_server() -> tuple[int, int] | None:
    """The tmux server that holds our window, as pid and start time; None when it is gone already."""
    # Not the parent's pid: a server that died while we started has left us to another parent.
    named = os.environ.get("TMUX", "").split(",")
    if len(named) != 3 or not named[1].isdigit():
        return None
    server = procs.look(int(named[1]))
    return (server.pid, server.start) if server is not None else None


def _has_sessions(socket: str) -> bool:
    """Whether the tmux server on this socket still serves; one that is ending has no sessions."""
    import subprocess  # needed once in a run's life, if at all

    try:
        asked = subprocess.run(
            ["tmux", "-S", socket, "list-sessions"],
            capture_output=True,
            timeout=_TMUX_ANSWERS_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and bool(asked.stdout)
