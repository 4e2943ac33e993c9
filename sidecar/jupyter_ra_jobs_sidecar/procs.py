"""Processes named beyond doubt, and the end of a run's process tree. Linux: all of it is proc(5).

A pid alone is no name: the kernel gives it to another process once its owner is gone. A pid with its
start time (clock ticks since boot, so no clock setting moves it) is one, within one boot.
"""

import os
import signal
import time

TYPE_CHECKING = False  # typing.TYPE_CHECKING costs an import
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RUN_ID_VARIABLE = "RA_RUN_ID"
"""Carried by each process of a run, however it forks: what finds the ones that left the tree."""

SIGNALS = {int(number): number.name for number in signal.Signals}
_FIND_EVERY = 0.1
_EXEC_WITHIN = 1.0
_LISTINGS = 10
_UNKILLABLE_AFTER = 10.0


class Process:
    """One line of the process table."""

    __slots__ = ("parent", "pid", "session", "start")

    def __init__(self, pid: int, parent: int, session: int, start: int) -> None:
        self.pid = pid
        self.parent = parent
        self.session = session
        self.start = start


def boot_id() -> str:
    """Another one after each boot, so that pids of an earlier boot are known for what they are."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def oom_kills() -> int:
    """How many processes of this machine the kernel has killed, since boot, for want of memory."""
    try:
        with open("/proc/vmstat", "rb") as file:
            for line in file:
                if line.startswith(b"oom_kill "):
                    return int(line.split()[1])
    except OSError:  # a sandbox that hides it
        pass
    return 0


def look(pid: int) -> Process | None:
    """The process with this pid, or None: gone, or a zombie, which is as good as gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, field 2, may hold spaces and parentheses: count from its end.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:  # gone, or hidden from us (hidepid), and then no business of ours
        return None
    if not fields or fields[0] == b"X" or (fields[0] == b"Z" and int(fields[17]) <= 1):
        return None  # a zombie that has threads left is one whose main thread alone has ended
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def is_alive(pid: int, start: int) -> bool:
    """Whether the very process that started at `start` still runs (in this boot)."""
    process = look(pid)
    return process is not None and process.start == start


def name_myself() -> dict[str, object]:
    """This process, named beyond doubt, to be written down for others: see `still_lives`."""
    me = look(os.getpid())
    assert me is not None
    return {"pid": me.pid, "pid_start": me.start, "boot_id": boot_id()}


def still_lives(name: "Mapping[str, object]") -> bool:
    """Whether the process that somebody wrote down by its `name_myself` runs, here and now.

    One of another machine, or of a container with pids of its own, can't be seen from here: it does not.
    """
    pid, start = name.get("pid"), name.get("pid_start")
    if not isinstance(pid, int) or not isinstance(start, int):
        return False
    return is_alive(pid, start) and name.get("boot_id") == boot_id()


def send(pid: int, start: int, number: int) -> bool:
    """Signal the process if it is still the same one; False when it is gone or not ours to signal."""
    try:
        handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        return False
    except OSError:  # a kernel or sandbox without pidfd
        handle = None
    try:
        if not is_alive(pid, start):
            return False
        if handle is None:
            os.kill(pid, number)
        else:
            # Held by the handle, the pid cannot have changed hands since the look at its start time.
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if handle is not None:
            os.close(handle)
    return True


def of_run(run_id: str, session: int, since: int, known: dict[int, int]) -> dict[int, int]:
    """The living processes of a run, pid to start time.

    A process belongs to it when it carries the run's id in its environment (double forks and setsid
    do not shake that off), is of the command's session, is one of those `known` from an earlier look,
    or descends from one that belongs and carries no other run's id: a run may have started a tmux or
    Jupyter server that now serves other runs. Nothing older than `since`, the start of the command, and
    never the caller.
    """
    name_of_mark = f"{RUN_ID_VARIABLE}=".encode()
    mark = name_of_mark + run_id.encode()
    unmarked: dict[int, Process] = {}
    found: dict[int, int] = {}
    for pid in _all_pids():
        process = look(pid)
        if process is None or process.start < since or pid == os.getpid():
            continue
        marks = [word for word in _environment(process.pid) if word.startswith(name_of_mark)]
        if mark in marks or process.session == session or known.get(process.pid) == process.start:
            found[process.pid] = process.start
        elif not marks:
            unmarked[process.pid] = process
    grown = True
    while grown:
        children = {pid: p.start for pid, p in unmarked.items() if p.parent in found and pid not in found}
        found.update(children)
        grown = bool(children)
    return found


def _all_pids() -> "Iterator[int]":
    """Also those that begin meanwhile: one may leave its child to us and be gone before it is looked at."""
    told: set[str] = set()
    for _ in range(_LISTINGS):
        names = {name for name in os.listdir("/proc") if name.isdigit()} - told
        if not names:
            return
        yield from sorted(map(int, names))
        told |= names


def _environment(pid: int) -> list[bytes]:
    """What a process was started with. In the middle of an exec it has none for a moment: that passes."""
    until = time.monotonic() + _EXEC_WITHIN
    place: tuple[bytes, ...] | None = None
    try:
        while True:
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read()
            if environment or time.monotonic() > until:
                return environment.split(b"\0")
            before, place = place, _place_of_environment(pid)
            if place is None:
                time.sleep(0.001)
            elif place == before:  # the same program on both sides of an empty look: then it is empty
                return []
    except OSError:  # gone meanwhile, or another user's
        return []


def _place_of_environment(pid: int) -> "tuple[bytes, ...] | None":
    """Where its memory holds it (proc(5)): each program's is elsewhere. None in the middle of an exec.

    It has memory then, and no place in it for an environment, not even for an empty one.
    """
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return None if fields[20] != b"0" and fields[48] == b"0" else tuple(fields[47:49])


class Ladder:
    """Ends a run's processes, rung by rung: a signal, then some seconds in which to comply.

    Nothing here waits: call `poll` until it says that it is done, with something useful between.
    """

    def __init__(self, run_id: str, session: int, since: int, rungs: list[tuple[int, float]]) -> None:
        self._who = (run_id, session, since)
        self._rungs = list(rungs)
        self._signalled: dict[int, int] = {}
        self._number = 0
        self._until = 0.0
        self._again = 0.0
        self.left: dict[int, int] = {}
        """Who was alive at the last look."""

    def poll(self) -> bool:
        """True when no process is left, or when none of the rungs could end the last ones."""
        now = time.monotonic()
        if now < self._again:
            return False
        self._again = now + _FIND_EVERY
        # One that has lost its parent, and never had the mark, would not be found a second time.
        self.left = of_run(*self._who, self.left)
        if not self.left:
            return True
        if now >= self._until:
            if not self._rungs:
                return True
            self._number, grace = self._rungs.pop(0)
            self._until = now + grace
            self._signalled = {}
        # The oldest first: a shell whose child alone was interrupted would go on to its next command.
        for pid, start in sorted(self.left.items(), key=lambda each: each[::-1]):
            if self._signalled.get(pid) != start:
                self._signalled[pid] = start
                send(pid, start, self._number)
                if self._number == signal.SIGTERM:
                    send(pid, start, signal.SIGCONT)  # one that is suspended could not hear it
        return False


def stop_rungs(interrupt_grace: float, terminate_grace: float) -> list[tuple[int, float]]:
    """How a run is stopped: as Ctrl-C would, then as kill would, then without asking."""
    return [(int(signal.SIGINT), interrupt_grace), *end_rungs(terminate_grace)]


def end_rungs(terminate_grace: float) -> list[tuple[int, float]]:
    """How what a run left behind is ended."""
    return [(int(signal.SIGTERM), terminate_grace), (int(signal.SIGKILL), _UNKILLABLE_AFTER)]
