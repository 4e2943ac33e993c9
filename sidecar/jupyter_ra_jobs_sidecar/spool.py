"""The spool, events.jsonl: what happened to the run, a JSON object a line. It is the truth.

Each event holds `seq` (1, 2, …), `time`, `status` and what belongs to that status.
"""

import errno
import json
import os
import time

from jupyter_ra_jobs_sidecar.disk import create_again, sync_folder
from jupyter_ra_jobs_sidecar.spec import SPOOL

Event = dict[str, object]


class Taken(Exception):
    """The run has a spool: another sidecar has it, or had it. A run never starts twice."""


class Spool:
    """The one writer of a run's events."""

    def __init__(self, run_dir: str) -> None:
        self._path = os.path.join(run_dir, SPOOL)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self._fd = os.open(self._path, flags, 0o600)
        except FileExistsError:
            raise Taken(self._path) from None
        self._began = (time.time(), time.monotonic())
        self._has_lasting_name = False
        self._seq = 0
        self._unwritten: list[bytes] = []

    def add(self, status: str, **details: object) -> Event:
        """Append an event; it is on disk after the next `sync` that returns True."""
        self._seq += 1
        event: Event = {"seq": self._seq, "time": self._time(), "status": status, **details}
        self._unwritten.append(json.dumps(event).encode() + b"\n")
        self._write()
        return event

    def _time(self) -> float:
        """Now; if the clock was set back meanwhile, as if it had not been: a run lasts as long as it did."""
        began, ticks = self._began
        return max(time.time(), began + time.monotonic() - ticks)

    def sync(self) -> bool:
        """Bring every event to the disk; False while the disk takes nothing (call again later).

        A spool that was removed is put back, unless its folder's folder is gone too.
        """
        if not self._write():
            return False
        try:
            os.fsync(self._fd)
            if os.fstat(self._fd).st_nlink == 0:
                self._put_back()
        except OSError:
            return False
        if not self._has_lasting_name:
            run_dir = os.path.dirname(self._path)
            sync_folder(run_dir)  # run.log is there by now
            sync_folder(os.path.dirname(run_dir))
            self._has_lasting_name = True
        return True

    def give_back(self) -> None:
        """Nothing was begun: another sidecar may try."""
        os.unlink(self._path)

    def _put_back(self) -> None:
        kept = os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            events = os.pread(kept, os.fstat(kept).st_size, 0)
        finally:
            os.close(kept)
        try:
            again = create_again(self._path, os.O_APPEND)
        except (FileExistsError, FileNotFoundError):  # somebody else's now; or all was removed for good
            return
        if os.write(again, events) < len(events):
            os.unlink(self._path)
            os.close(again)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(again)
        os.dup2(again, self._fd, inheritable=False)
        os.close(again)
        self._has_lasting_name = False

    def _write(self) -> bool:
        while self._unwritten:
            line = self._unwritten[0]
            size = os.fstat(self._fd).st_size
            try:
                # The command can write there too: half a line of its own must not spoil ours.
                if size and os.pread(self._fd, 1, size - 1) != b"\n":
                    line = b"\n" + line
                written = os.write(self._fd, line)
            except OSError:  # full, most likely: the caller asks again
                return False
            if written < len(line):
                os.ftruncate(self._fd, size)  # half an event is none
                return False
            del self._unwritten[0]
        return True
