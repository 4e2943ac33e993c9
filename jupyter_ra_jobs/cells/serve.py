"""`ra.serve()`: a server for a workdir, started from a cell, that outlives the cell and the kernel."""

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from io import BufferedWriter
from pathlib import Path

import msgspec
from jupyter_ra_jobs_sidecar import procs

from jupyter_ra_jobs.cells import session, surroundings
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.client.address import Address, server_of
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.errors import BadInput, Conflict, Forbidden, NoServer, RaJobsError, TimedOut

# Nothing of the workdir is imported in the place of a library, as `-m` would from the current folder.
# The lock is held by it alone, not by what it starts.
_PROGRAM = (
    "import os, sys; sys.path[:] = [place for place in sys.path if place]; "
    "os.set_inheritable({lock}, False); "
    "from jupyter_ra_jobs.app import main; main()  # ra.serve()"
)
_MARK = "main()  # ra.serve()"
_LOG = "serve.log"
_LARGEST_LOG = 10_000_000
_SHOWN_LINES, _SHOWN_BYTES = 20, 10_000
_LOOK = 0.05
_END_SECONDS = 30.0

_started: list["subprocess.Popen[bytes]"] = []
"""Those that this process started: their ends are collected, and nobody warns of them."""


class Server:
    """A server that `ra.serve()` started or found: where it is, and its end."""

    def __init__(self, address: Address) -> None:
        self._address = address

    @property
    def url(self) -> str:
        """Where its routes are; its token is told nobody."""
        return self._address.url

    @property
    def workdir(self) -> Path:
        """The folder whose runs it has."""
        return Path(self._address.workdir or ".")

    @property
    def log(self) -> Path:
        """What it says, if `ra.serve()` started it."""
        return _log_of(self.workdir)

    def is_running(self) -> bool:
        """Whether it still is."""
        return not self._address.is_gone()

    def stop(self) -> None:
        """End it, and wait for that; its runs go on.

        Raises Conflict for one that `ra.serve()` did not start: whoever did may need it.
        """
        pid, start = self._address.pid or 0, self._address.pid_start or 0
        if self.is_running() and not _is_served(pid):
            raise Conflict(f"the server of {self.workdir} was not started by ra.serve(); end it where it was")
        procs.send(pid, start, signal.SIGTERM)
        until = time.monotonic() + _END_SECONDS
        while self.is_running():
            if time.monotonic() > until:
                raise TimedOut(
                    f"the server of {self.workdir} has not ended in {_END_SECONDS:g} s (pid {pid})"
                )
            time.sleep(_LOOK)
        _collect()
        session.disconnect(self._address)

    def __repr__(self) -> str:
        state = "" if self.is_running() else ", ended"
        return f"<ra.serve: {self.url}, workdir {self.workdir}{state}>"


def serve(
    workdir: str | os.PathLike[str] = ".", *, options: Sequence[str] = (), timeout: float = 60.0
) -> Server:
    """The server of a workdir, which `ra` uses from now on; started in the background if none runs there.

    It listens on a free port of this machine's loopback alone, asks for a token, which `ra` knows, and goes
    on when this kernel ends: `stop()` ends it. What it says is in `.agents/serve.log` of the workdir.
    `options` are further ones of `jupyter ra-jobs`, as `["--RaJobsApp.max_running=2"]`; a server that runs
    already keeps its own: raises Conflict if it was started without one of these. Raises BadInput for a
    workdir that is none, NoServer with the last lines of the log if it does not start, as with options that
    are wrong, or not within `timeout` seconds.
    """
    folder = _checked_folder(workdir)
    arguments = _checked_options(options)
    with _lock_of(folder) as lock:
        found = _wait_for_others(lock, folder, time.monotonic() + timeout) or server_of(folder)
        if found is None:
            found = _start(folder, arguments, timeout, lock)
        elif missing := [each for each in arguments if each not in _words_of(found.pid or 0)]:
            raise Conflict(
                f"a server runs in {folder} already, without {' '.join(missing)}; to have it so, end "
                f"that one (its runs go on), by ra.serve({str(folder)!r}).stop() if ra.serve() has started it"
            )
    session.connect(workdir=folder)
    return Server(found)


def _start(folder: Path, options: list[str], timeout: float, lock: int) -> Address:
    # A port that was free a moment ago; if it is not any more, Jupyter takes another one.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _PROGRAM.format(lock=lock), "--workdir", str(folder), "--no-browser"]
    command += ["--ServerApp.sock="]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", *options]
    if os.geteuid() == 0:
        command.append("--allow-root")
    # Not the token of the server that this kernel has; and one that Jupyter makes itself it would print.
    env = {**surroundings.environment(os.environ, {}), "JUPYTER_TOKEN": secrets.token_urlsafe(32)}
    _collect()
    with _opened_log(folder) as log:
        begin = log.tell()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],  # so that it is found by the next call if we are killed meanwhile
            start_new_session=True,  # an interrupt of the kernel, or its end, is not meant for it
        )
    _started.append(process)
    try:
        found = _wait(process, folder, time.monotonic() + timeout)
        _check_closed(found)
    except BaseException as problem:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if not isinstance(problem, RaJobsError):
            raise
        raise type(problem)(f"{problem}; {_last_words(folder, begin)}") from None
    return found


def _wait(process: "subprocess.Popen[bytes]", folder: Path, until: float) -> Address:
    """Where the server is, once it answers."""
    while True:
        found = server_of(folder)
        if found is not None and found.pid == process.pid and _answers(found):
            return found
        if process.poll() is not None:
            raise NoServer(f"the server of {folder} did not start: it ended with code {process.returncode}")
        if time.monotonic() > until:
            raise NoServer(f"the server of {folder} did not start in time; `timeout` gives it more seconds")
        time.sleep(_LOOK)


def _answers(address: Address) -> bool:
    with Client(address, patience=0) as client, contextlib.suppress(RaJobsError):
        client.glance(Calls.health)  # one that hangs does not answer
        return True
    return False


def _check_closed(address: Address) -> None:
    """A user's own configuration may have turned the login off, for a server of another kind."""
    with Client(msgspec.structs.replace(address, token=""), patience=0) as nobody:
        try:
            nobody.runs(limit=1)
        except Forbidden:
            return
    raise NoServer(
        "your Jupyter configuration lets everybody in without a token, so this server was ended again: "
        'take `token = ""` (of IdentityProvider or ServerApp) out of it'
    )


def _last_words(folder: Path, begin: int) -> str:
    log = _log_of(folder)
    with contextlib.suppress(OSError), log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(begin, size - _SHOWN_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-_SHOWN_LINES:]
        return f"the end of its log, {log}:\n" + "\n".join(lines)
    return f"its log, {log}, can't be read"


def _log_of(folder: Path) -> Path:
    return folder / ".agents" / _LOG


@contextlib.contextmanager
def _opened_log(folder: Path) -> Iterator[BufferedWriter]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(_log_of(folder), flags, 0o600), "ab") as log:
        if log.seek(0, os.SEEK_END) > _LARGEST_LOG:
            log.truncate(0)
            log.seek(0)
        yield log


@contextlib.contextmanager
def _lock_of(folder: Path) -> Iterator[int]:
    """What who starts a server here holds; makes `.agents`. Released at the end, by whomever it was taken."""
    data = folder / ".agents"
    try:
        data.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise BadInput(f"workdir: {data} can't be used: {problem.strerror}") from problem
    try:
        yield descriptor
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # the server has it too
        os.close(descriptor)


def _wait_for_others(lock: int, folder: Path, until: float) -> Address | None:
    """Take the lock; unless a server has it, whose starter was killed before it could answer: that server."""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return None
        found = server_of(folder)
        if found is not None and _is_served(found.pid or 0) and _answers(found):
            try:
                _check_closed(found)
            except NoServer:
                Server(found).stop()
                raise
            return found
        if time.monotonic() > until:
            raise NoServer(f"somebody else has been starting a server in {folder} all the time")
        time.sleep(_LOOK)


def _checked_folder(workdir: object) -> Path:
    if not isinstance(workdir, str | os.PathLike):
        raise BadInput(f"workdir: must be a path, not {workdir!r:.100}")
    try:
        folder = Path(workdir).expanduser().absolute()
    except (OSError, RuntimeError, TypeError) as problem:
        raise BadInput(f"workdir: {problem}") from problem
    if not folder.is_dir():
        raise BadInput(f"workdir: there is no folder {folder}; make it first")
    return folder


def _checked_options(options: Sequence[str]) -> list[str]:
    if isinstance(options, str) or not all(isinstance(option, str) for option in options):
        raise BadInput(f"options: must be a list of strings, not {options!r:.100}")
    for option in options:
        name = option.partition("=")[0]
        if not name.startswith("--"):
            raise BadInput(f"options: {name!r:.100} is no option; one looks like --RaJobsApp.max_running=2")
        if "token" in name.lower() or "password" in name.lower():
            raise BadInput(
                f"options: {name} would be seen by everybody in the list of processes; leave it out"
            )
    return list(options)


def _is_served(pid: int) -> bool:
    return any(word.endswith(_MARK) for word in _words_of(pid))


def _words_of(pid: int) -> list[str]:
    """The command line of a process; empty when it has gone."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
    except OSError:
        return []


def _collect() -> None:
    _started[:] = [process for process in _started if process.poll() is None]
