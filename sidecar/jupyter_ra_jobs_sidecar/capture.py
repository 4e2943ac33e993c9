"""How the command's output gets into run.log: through a pty of our own, or through tmux's pipe-pane."""

import os
import select
import signal
import termios
import time
from collections.abc import Callable

from jupyter_ra_jobs_sidecar import spec
from jupyter_ra_jobs_sidecar.logs import RunLog, SidecarLog, Story, is_waiting
from jupyter_ra_jobs_sidecar.terminal import Pty, Window

Hear = Callable[[bytes], None]
_DRAIN_WITHIN = 10.0
_DRAIN_LOOK = 0.02
_DISK_RETRY = 0.5


def end_mark(run_id: str) -> bytes:
    """Tells the pipe that all was said: a terminal command that no terminal knows, so nothing shows."""
    return f"\x1b]ra-jobs;end;{run_id}\x07".encode()


class PtyCapture:
    """The default: the command has a pty of ours, and we copy it to the log and to the window.

    Byte-exact, and independent of tmux: with its server gone, we go on without a window. `hear` is given
    all output as it comes.
    """

    needs_window = False

    def __init__(self, log: RunLog, hear: Hear, story: Story) -> None:
        self._log = log
        self._hear = hear
        self._story = story
        self._window = Window.open()
        self._pty = Pty(self._window.size() if self._window else (24, 80))
        self._unwritten = memoryview(b"")
        self._said_that_it_waits = False
        self.open = True
        """Whether more output may come."""

    def become_terminal(self) -> None:
        """In the child: a session of its own with our pty as its terminal, as under nohup.

        The kernel hangs up on a session whose leader ends, here the shell: what the shell left behind
        (the tee of `exec > >(tee log)`, say) would die of that with output still to write.
        """
        self._pty.control()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def interests(self) -> dict[int, int]:
        """What to poll for, file descriptor to event mask."""
        wanted: dict[int, int] = {}
        if self.open and not self._unwritten:
            wanted[self._pty.master] = select.POLLIN
        if self._pty.typing:
            wanted[self._pty.master] = wanted.get(self._pty.master, 0) | select.POLLOUT
        if self._window is not None:
            if not self._pty.full:
                wanted[self._window.keys_fd] = select.POLLIN
            if self._window.behind:
                wanted[self._window.screen_fd] = select.POLLOUT
        return wanted

    @property
    def held_up(self) -> bool:
        """Whether output waits for room on the disk."""
        return bool(self._unwritten)

    def pump(self) -> int:
        """Move what can be moved, without waiting; returns how many bytes of output came."""
        came = 0
        if self._unwritten:
            self._write()
        if self.open and not self._unwritten:
            output, ended = self._pty.read()
            self.open = not ended
            came = len(output)
            if output:
                self._unwritten = memoryview(output)
                self._write()
                self._with_window(lambda window: window.show(output, self._pty.translates_output()))
                self._hear(output)
        self._with_window(lambda window: window.flush())
        if self._pty.full:
            self._pty.type(b"")
        else:
            self._with_window(lambda window: self._pty.type(window.keys()))
        return came

    def _write(self) -> None:
        """Append to run.log. While the disk takes nothing we read nothing, so the command waits: slow
        is better than lost. It goes on by itself once there is room."""
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[self._log.append(self._unwritten) :]
            self._said_that_it_waits = False
        except OSError as problem:
            if not self._said_that_it_waits:
                self._story(f"run.log takes nothing: {problem}; the output waits")
            self._said_that_it_waits = True

    def resize(self) -> None:
        """The window has another size: so has the command's terminal."""
        if self._window is not None:
            self._pty.resize(self._window.size())

    def lose_window(self) -> None:
        """Go on without the window."""
        if self._window is None:
            return
        self._window = None
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    @property
    def has_window(self) -> bool:
        """Whether there is a window still."""
        return self._window is not None

    def command_ended(self) -> None:
        """From now on the output ends when nobody else holds the command's side of the pty."""
        self._pty.let_go()

    def finish(self) -> None:
        """Nothing more will come."""
        self._log.finish()

    def _with_window(self, act: Callable[[Window], None]) -> None:
        if self._window is None:
            return
        try:
            act(self._window)
        except (OSError, termios.error):
            self.lose_window()


class PaneCapture:
    """The command runs on the tmux pane itself, and tmux pipes what the pane shows into `Pipe`.

    Newlines become \\r\\n, and the command dies with the tmux server: choose it where a second pty is
    in the way. Its use here differs from a bare pipe-pane in that the end is awaited.
    """

    open = False
    held_up = False
    has_window = True
    needs_window = True

    def __init__(self, run_dir: str, run_id: str, story: Story) -> None:
        self._run_dir = run_dir
        self._done = os.path.join(run_dir, spec.PIPE_DONE)
        self._mark = end_mark(run_id)
        self._story = story

    def become_terminal(self) -> None:
        """In the child: a process group of its own, in the foreground of the pane's terminal."""
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.dup2(1, 2)  # ours is sidecar.log

    def interests(self) -> dict[int, int]:
        """Nothing: tmux does the work."""
        return {}

    def pump(self) -> int:
        """Nothing to move."""
        return 0

    def resize(self) -> None:
        """The kernel told the command already."""

    def lose_window(self) -> None:
        """The command has lost its terminal too: what it writes from now on is lost."""
        self.has_window = False

    def command_ended(self) -> None:
        """The pane's terminal stays ours."""

    def finish(self) -> None:
        """Wait until the pipe has read up to our mark, or died, or took too long though the disk has room."""
        until = time.monotonic() + _DRAIN_WITHIN
        try:
            os.tcsetpgrp(0, os.getpgrp())
            os.write(1, self._mark)
        except OSError as problem:  # the pane is gone, and with it what it held
            self._story(f"the pane took no end mark: {problem}")
            return
        while not os.path.exists(self._done):
            if time.monotonic() > until:
                if not is_waiting(self._run_dir):
                    self._story("the pipe did not confirm the end of the output")
                    return
                self._story("the pipe waits for room on the disk, and we for the pipe")
                until = time.monotonic() + _DRAIN_WITHIN
            time.sleep(_DRAIN_LOOK)


def pipe(run_dir: str) -> None:
    """The other end of pipe-pane: standard input to run.log, up to the end mark."""
    the_spec = spec.read(run_dir)
    mark = end_mark(the_spec.run_id)
    story = SidecarLog(run_dir)
    log = RunLog(run_dir, the_spec.max_log_bytes, story)
    held = b""
    while part := os.read(0, 65536):
        held += part
        found = held.find(mark)
        # What could be the beginning of the mark stays until we know.
        ready = found if found >= 0 else max(0, len(held) - len(mark) + 1) if b"\x1b" in held else len(held)
        _append_all(log, held[:ready], story)
        held = held[ready:]
        if found >= 0:
            held = b""
            break
    _append_all(log, held, story)
    log.finish()
    os.close(os.open(os.path.join(run_dir, spec.PIPE_DONE), os.O_WRONLY | os.O_CREAT, 0o600))


def _append_all(log: RunLog, output: bytes, story: Story) -> None:
    """Write it however long the disk takes nothing; tmux keeps what comes meanwhile."""
    rest, waited = memoryview(output), False
    while rest:
        try:
            rest = rest[log.append(rest) :]
        except OSError as problem:
            if not waited:
                story(f"run.log takes nothing: {problem}; the output waits")
            waited = True
            log.tell_waiting(True)  # each time: the file may be another one meanwhile
            time.sleep(_DISK_RETRY)
    if waited:
        log.tell_waiting(False)
