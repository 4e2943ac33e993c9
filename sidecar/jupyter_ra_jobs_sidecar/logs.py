"""A run's two logs: run.log, which stays within its limit, and sidecar.log."""

import contextlib
import errno
import fcntl
import json
import math
import os
import time
from collections.abc import Callable

from jupyter_ra_jobs_sidecar import spec
from jupyter_ra_jobs_sidecar.disk import create_again, sync_folder

Story = Callable[[str], None]

_BLOCK = 4096
_LONGEST_STEP = 16 << 20
_BEYOND = 1 << 30
_NO_LIMIT = float("inf")
_LOOK = 1.0
"""Seconds between two looks whether run.log still has its name."""
_PUNCH_HOLE = 0x01 | 0x02
"""FALLOC_FL_KEEP_SIZE, which must go with it, and FALLOC_FL_PUNCH_HOLE: linux/falloc.h."""


class SidecarLog:
    """sidecar.log: the sidecar's own story, its traceback included should it crash."""

    def __init__(self, run_dir: str) -> None:
        path = os.path.join(run_dir, spec.SIDECAR_LOG)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError:  # nor for the sake of this shall it not begin
            self._fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(self._fd, 2)

    def __call__(self, message: str) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        with contextlib.suppress(OSError):  # a full disk must not end the run for the sake of this
            os.write(self._fd, f"{stamp}.{int(now % 1 * 1000):03d}Z {message}\n".encode())


class RunLog:
    """run.log: the command's output, byte for byte; of more than `limit` bytes (0: no limit), its two ends.

    The first eighth stays, and the end. What lies between, the gap, is given back to the disk and reads as
    zeros; size and offsets stay. The file `run.log.gap` says where the gap is, and says so before anything
    goes: whoever looks there after reading takes no zeros for output.
    """

    def __init__(self, run_dir: str, limit: int, story: Story) -> None:
        self._path = os.path.join(run_dir, spec.LOG)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o600)
        self._story = story
        self._limit = limit
        self._start = max(_BLOCK, _whole_blocks(limit // 8))
        self._end = self._start
        """Where the gap ends; so far it is empty."""
        self._step = min(_LONGEST_STEP, max(_BLOCK, _whole_blocks(limit // 16)))
        self._tail = max(_BLOCK, limit - self._start - self._step)
        self._room: float = limit or _NO_LIMIT
        """How many bytes may come before we look whether some must go."""
        self._in_trouble = False
        self._look_at = time.monotonic() + _LOOK
        """When to look next whether somebody has removed the file."""

    def append(self, output: memoryview) -> int:
        """Write what the disk takes at once; returns how much that was. OSError when it takes nothing."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK
            self._see_to_its_name()
        taken = os.write(self._fd, output)
        self._room -= taken
        if self._room <= 0:
            self._make_room()
        return taken

    def tell_waiting(self, waits: bool) -> None:
        """Tell other processes whether output waits for room on the disk: see `is_waiting`."""
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, (fcntl.LOCK_EX if waits else fcntl.LOCK_UN) | fcntl.LOCK_NB)

    def finish(self) -> None:
        """Bring it to the disk: a run on record as ended has its bytes there."""
        with contextlib.suppress(OSError):
            os.fdatasync(self._fd)
        self._see_to_its_name()

    def _see_to_its_name(self) -> None:
        """Put the file back if somebody has removed it; while that fails, it is written without a name."""
        try:
            if os.fstat(self._fd).st_nlink == 0:
                self._story("run.log was removed while we wrote it; putting it back")
                self._put_back()
        except OSError as problem:
            self._story(f"run.log could not be put back: {problem}")
            self._look_at = math.inf  # it may be large, and what fails now is tried once more at the end

    def _make_room(self) -> None:
        """Let the gap grow. Whatever goes wrong here, the output goes on."""
        size = os.fstat(self._fd).st_size
        if self._end == self._start and not self._can_punch(size):
            self._room = _NO_LIMIT
            return
        was = self._end if self._end <= size else self._start  # somebody has cut the log, and its gap with it
        end = max(was, _whole_blocks(size - self._tail))
        try:
            self._tell_gap(end)
            if end > self._start:
                punch(self._fd, self._start, end)
        except OSError as problem:
            if not self._in_trouble:
                self._story(f"run.log grows beyond its limit for now: {problem}")
            self._in_trouble = True
            self._room = self._step
        else:
            self._room = max(self._step, self._limit - (size - (end - self._start)))

    def _can_punch(self, size: int) -> bool:
        try:
            punch(self._fd, size + _BEYOND, size + _BEYOND + _BLOCK)  # where nothing is
        except (OSError, ImportError, AttributeError) as problem:  # the last two of a Python without ctypes
            self._story(f"run.log grows beyond its limit: its middle can't be given back here ({problem})")
            return False
        if not self._in_trouble:
            self._story(f"run.log has reached its limit of {self._limit:,} bytes: its middle goes")
        return True

    def _tell_gap(self, end: int) -> None:
        """Write down where the gap is."""
        beside = f"{self._path}{spec.GAP}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, json.dumps({"start": self._start, "end": end}).encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(beside, self._path + spec.GAP)
        sync_folder(os.path.dirname(self._path))  # or a power cut could leave the hole without its record
        self._end = end

    def _put_back(self) -> None:
        """The file has lost its name, not yet its bytes: all of them are there again before the name is."""
        beside = f"{self._path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        again = create_again(beside, os.O_APPEND)
        try:
            if self._end > self._start:
                self._tell_gap(self._end)
            self._copy(again)
            if os.path.lexists(self._path):
                raise FileExistsError(errno.EEXIST, "something else is there", self._path)
            os.rename(beside, self._path)
        except OSError:
            os.close(again)
            raise
        finally:
            with contextlib.suppress(OSError):
                os.unlink(beside)
        sync_folder(os.path.dirname(self._path))
        os.dup2(again, self._fd, inheritable=False)
        os.close(again)

    def _copy(self, again: int) -> None:
        kept = os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            for at, end in ((0, self._start), (self._end, os.fstat(kept).st_size)):
                if self._start < at < end:
                    os.ftruncate(again, at)  # over the gap
                while at < end and (part := os.pread(kept, min(1 << 20, end - at), at)):
                    at += len(part)
                    rest = memoryview(part)
                    while rest:
                        rest = rest[os.write(again, rest) :]
        finally:
            os.close(kept)
        os.fsync(again)


def is_waiting(run_dir: str) -> bool:
    """Whether another process has output for run.log that the disk does not take."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # whatever the command put there
    try:
        fd = os.open(os.path.join(run_dir, spec.LOG), flags)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def _whole_blocks(size: int) -> int:
    return size // _BLOCK * _BLOCK


def punch(fd: int, start: int, end: int) -> None:
    """Give these bytes of a file back to the disk: they read as zeros from then on, and all others stay.

    Raises OSError where the file system can't, and ImportError or AttributeError where this Python can't.
    """
    import ctypes  # 10 ms, so not before a log has reached its limit

    libc = ctypes.CDLL(None, use_errno=True)
    fallocate = getattr(libc, "fallocate64", None) or libc.fallocate  # musl has 64 bits under the one name
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    while fallocate(fd, _PUNCH_HOLE, start, end - start):
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
