"""Where things lie under a workdir, and with which rights; files that are put in their place whole."""

import errno
import glob
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_ra_jobs_sidecar import procs, spec

from jupyter_ra_jobs.errors import Conflict, RaJobsError, StorageFull

METRICS = "metrics.jsonl"
"""The file of a run dir that takes the metrics which callers send, and the run itself (`ra.log_metrics`)."""
LONGEST_ROW = 65_536
"""Bytes of a row in there."""


class Layout:
    """The `.agents` folder of one workdir: folders 0700, files 0600."""

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir
        self.data = workdir / ".agents"
        self.runs = self.data / "runs"
        self.files = self.data / "files"
        self.database = self.data / "jobs.db"
        self.server_file = self.data / "server.json"
        self.jobs_json = self.data / "jobs.json"

    def create(self) -> None:
        """Make the folders, but for that of the runs where a store is already: see `create_runs`.

        Raises StorageFull where that can't be, RaJobsError where the store was lost.
        """
        with disk_errors(self.data):
            for folder in (self.data, self.files):
                _make_private_folder(folder)
            if not self._has_store():
                self.create_runs(0)
                self._refuse_lost_store()
            self.database.touch(mode=0o600)  # SQLite would give it the umask's rights
            for file in self.data.glob("jobs.db*"):
                _make_private(file, 0o600)

    def create_runs(self, active: int) -> None:
        """Make the folder of all runs, of which the store knows so many that are `active`.

        Raises RaJobsError where it is away from under them: in an empty one they would be taken for lost.
        """
        if active and not self.runs.exists():
            raise RaJobsError(
                f"{self.runs} is gone, with what the {active:,} active runs have to say: put it back, or "
                "mount it; to go on without it, and take them for lost, make an empty folder there"
            )
        with disk_errors(self.data):
            _make_private_folder(self.runs)

    def _has_store(self) -> bool:
        if self.database.exists() and not self.database.is_file():
            raise RaJobsError(f"{self.database} is no file; move it away, and put the run database back")
        return self.database.exists() and self.database.stat().st_size > 0

    def _refuse_lost_store(self) -> None:
        """A new store in the place of one that was lost would be taken for the truth."""
        wal = self.database.with_name(self.database.name + "-wal")
        if not (wal.exists() and wal.stat().st_size) and not self._has_begun_runs():
            return
        raise RaJobsError(
            f"{self.database} is gone, or empty, but there are runs in {self.runs}: put it back, or restore "
            f"a backup (docs/operations.md); to begin anew, move {self.data} away"
        )

    def _has_begun_runs(self) -> bool:
        # Of the earlier server, which had no store, there may be folders too; none with a spec of ours.
        with os.scandir(self.runs) as entries:
            return any(Path(entry.path, spec.FILE).exists() for entry in entries)

    def run_dir(self, run_id: str) -> Path:
        """A run's folder."""
        return self.runs / run_id

    def log(self, run_id: str) -> Path:
        """The command's output."""
        return self.runs / run_id / spec.LOG

    def sidecar_log(self, run_id: str) -> Path:
        """The sidecar's own story."""
        return self.runs / run_id / spec.SIDECAR_LOG

    def spool(self, run_id: str) -> Path:
        """The run's events."""
        return self.runs / run_id / spec.SPOOL

    def artifacts(self, run_id: str) -> Path:
        """What the command keeps."""
        return self.runs / run_id / "artifacts"

    def file(self, sha256: str) -> Path:
        """A file that was uploaded, by the hash of its content."""
        return self.files / sha256

    def files_of(self, run_id: str) -> Path:
        """A run's copies of the files that it was given."""
        return self.runs / run_id / "files"

    def found(self, run_id: str) -> Path:
        """The record of what the run left behind."""
        return self.runs / run_id / "found.json"

    def responses(self, run_id: str) -> Path:
        """Where the answers to a run's alerts are put."""
        return self.runs / run_id / "alerts"

    def metrics(self, run_id: str) -> Path:
        """What callers said of the run's metrics."""
        return self.runs / run_id / METRICS

    def server(self) -> dict[str, Any] | None:
        """What server.json says; None when there is none that can be read."""
        return read_object(self.server_file)

    def other_server(self) -> dict[str, Any] | None:
        """What another server than this process, one that lives, says of itself."""
        said = self.server()
        return said if said and said.get("pid") != os.getpid() and procs.still_lives(said) else None

    def write_server_file(self, where: dict[str, Any]) -> None:
        """Tell the sidecars where the server is now."""
        put_object(self.server_file, where)


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None when there is none that can be read."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def put_object(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object to a file, mode 0600, whole or not at all. Raises StorageFull."""
    with disk_errors(path):
        remove_half_made(path)
        write_private(path, json.dumps(content).encode()).replace(path)


def make_folder(folder: Path) -> None:
    """Make it, and its parents, unless it is there; others may be taking it away at this moment."""
    while True:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return
        except FileExistsError:  # when it was asked for; pathlib looks what it is a moment later
            if os.path.lexists(folder) and not folder.is_dir():
                raise


def _make_private_folder(folder: Path) -> None:
    make_folder(folder)
    _make_private(folder, 0o700)  # the earlier server left it as the umask had it


def _make_private(path: Path, mode: int) -> None:
    """Take what others may do; whoever can write here could have commands run as us."""
    if {path.lstat().st_uid, path.stat().st_uid} != {os.geteuid()}:  # of a link, and of where it leads
        raise RaJobsError(f"{path} belongs to somebody else; use another workdir, or chown it")
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def write_private(path: Path, content: bytes) -> Path:
    """Write a file beside `path`, mode 0600, to be put in its place by os.replace; returns it.

    Until then nothing of `path` has changed, and a full disk has shown itself.
    """
    beside = name_beside(path)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def name_beside(path: Path) -> Path:
    """A path beside `path` for what is to be put in its place, which `remove_half_made` knows."""
    me = procs.look(os.getpid())
    assert me is not None
    return path.with_name(f"{path.name}.{me.pid}.{me.start}.{os.urandom(4).hex()}")


def remove_half_made(path: Path) -> None:
    """Take away what was left beside `path`, under a name of `name_beside`, by processes that were killed."""
    for beside in path.parent.glob(f"{glob.escape(path.name)}.*.*.*"):
        pid, start = beside.name.removeprefix(f"{path.name}.").split(".")[:2]
        if pid.isdecimal() and start.isdecimal() and not procs.is_alive(int(pid), int(start)):
            if beside.is_dir() and not beside.is_symlink():
                shutil.rmtree(beside, ignore_errors=True)
            else:
                beside.unlink(missing_ok=True)


def append_private(path: Path, lines: bytes) -> None:
    """Append whole lines to a file, mode 0600, all or none; its folder is made. Conflict if it is no file.

    Several may append at once. Where the file ends in half a line, each of them may end it: readers skip the
    empty lines that come of it.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    make_folder(path.parent)
    try:
        fd = os.open(path, flags, 0o600)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise Conflict(f"{path.name} is not a regular file") from problem
        raise
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Conflict(f"{path.name} is not a regular file")
        if status.st_size and os.pread(fd, 1, status.st_size - 1) != b"\n":
            lines = b"\n" + lines  # somebody left half a line there
        written = os.write(fd, lines)
        if written < len(lines):
            if os.fstat(fd).st_size == status.st_size + written:  # else another has appended since
                os.ftruncate(fd, status.st_size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A disk that takes nothing, in our words."""
    try:
        yield
    except OSError as problem:
        raise StorageFull(f"cannot write {path}: {problem.strerror}") from problem
