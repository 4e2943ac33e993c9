"""Files that callers give to runs: kept under the hash of their content, and copied into a run's folder.

`.agents/files/<sha256>` is there whole or not at all, and on the disk before anybody may count on it. A run
gets copies, each compared with its hash: it may change them, and nothing else does.
"""

import contextlib
import errno
import hashlib
import itertools
import logging
import os
import re
import shutil
import stat
import threading
import time
from asyncio import to_thread
from collections.abc import Iterator, Mapping
from pathlib import Path

from jupyter_ra_jobs.errors import BadInput, FileGone, NotFound, RaJobsError, TooLarge
from jupyter_ra_jobs.layout import Layout, disk_errors, make_folder, name_beside, remove_half_made
from jupyter_ra_jobs.logs import open_log
from jupyter_ra_jobs.models import StoredFile
from jupyter_ra_jobs.store import Store

UNNAMED_SECONDS = 24 * 3600.0
"""How long a file is kept that no run names: who uploaded it may be about to create one."""
_GONE = ".gone"
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_PART = 1 << 20
_SLICE = 100


class Files:
    """The files of one workdir."""

    def __init__(self, store: Store, layout: Layout, *, max_bytes: int, log: logging.Logger) -> None:
        self._store = store
        self._layout = layout
        self._max_bytes = max_bytes
        self._log = log

    @property
    def most(self) -> int:
        """How many bytes a file may have."""
        return self._max_bytes

    def look(self, sha256: str, size: int | None = None) -> StoredFile:
        """The file with this hash, which is kept for another day from now on. Blocks.

        NotFound when it is not there, or has not `size` bytes; TooLarge when such a one can't be put there.
        """
        path = self._layout.file(sha256)
        with contextlib.suppress(OSError):
            os.utime(path, follow_symlinks=False)
        found = _size(path)
        if found is not None and size in (None, found):
            return StoredFile(sha256=sha256, size=found)
        self.check_size(size or 0)
        raise NotFound(f"there is no file {sha256}; PUT its content here")

    def check_size(self, size: int) -> None:
        """Raise TooLarge for a file of so many bytes."""
        if size > self._max_bytes:
            raise TooLarge(
                f"a file of {size:,} bytes is more than {self._max_bytes:,} (RaJobsApp.max_file_bytes); "
                "put it where runs can read it, and give them its path"
            )

    def begin(self, sha256: str) -> "Upload":
        """Begin to take a file in. Blocks."""
        path = self._layout.file(sha256)
        with disk_errors(path):
            make_folder(path.parent)
            return Upload(path, sha256)

    def check(self, files: Mapping[str, str]) -> None:
        """Raise BadInput for a name of a file that can't be one, or a file that is not there.

        In the transaction that stores who names them, nobody takes them away any more.
        """
        for name in files:
            _check_name(name)
        for name, sha256 in files.items():
            if _size(self._layout.file(sha256)) is None:
                raise BadInput(
                    f"files.{name}: there is no file with the SHA-256 {sha256}; PUT its content to "
                    f"/files/{sha256} first"
                )

    def stage(self, run_id: str, files: Mapping[str, str]) -> "Staged":
        """Copy a run's files beside their place, unless it has them already. Blocks.

        FileGone when there is no such file any more, or it is not what its name says. StorageFull.
        """
        place = self._layout.files_of(run_id)
        remove_half_made(place)
        if not files or place.exists():
            return Staged(place, None)
        beside = name_beside(place)
        try:
            with disk_errors(beside):
                beside.mkdir(mode=0o700)
                for name, sha256 in files.items():
                    self._copy(name, sha256, beside / name)
                _to_disk(beside)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return Staged(place, beside)

    def _copy(self, name: str, sha256: str, to: Path) -> None:
        missing = f"file {name} (SHA-256 {sha256}) is gone; upload it again, or restore it from a backup"
        try:
            source = open_log(self._layout.file(sha256))
        except NotFound as problem:
            raise FileGone(missing) from problem
        if source is None:
            raise FileGone(missing)
        fd = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        content = hashlib.sha256()
        with source, os.fdopen(fd, "wb") as copy:
            while part := source.read(_PART):
                content.update(part)
                copy.write(part)
            copy.flush()
            os.fsync(copy.fileno())  # a power cut must not leave an empty one that is taken for whole
            damaged = content.hexdigest() != sha256
            if damaged:
                self._set_damaged_aside(sha256, os.fstat(source.fileno()))
        if damaged:
            raise FileGone(f"file {name} is damaged, it has not the SHA-256 {sha256}; upload it again")

    def _set_damaged_aside(self, sha256: str, damaged: os.stat_result) -> None:
        """So that who asks whether it is there uploads it."""
        path = self._layout.file(sha256)
        aside = path.with_name(sha256 + _GONE)
        with contextlib.suppress(OSError):
            path.rename(aside)
            if not os.path.samestat(aside.lstat(), damaged):  # just uploaded once more
                aside.rename(path)

    # -- cleaning ----------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """Take away what no run names and nobody has asked for since a day, and what killed servers left."""
        try:
            old = await to_thread(self._old)
            for some in _slices(old):
                moved = self._set_aside(some)
                await to_thread(_remove, moved)
        except (OSError, RaJobsError) as problem:  # the next start tries again
            self._log.warning("files that no run names could not be taken away: %s", problem)

    def _old(self) -> list[str]:
        """The hashes of old files, named or not; what is half-made goes at once."""
        old = list[str]()
        folder = self._layout.files
        with os.scandir(folder) as entries:
            for entry in entries:
                if _HASH.match(entry.name):
                    if _is_old(entry.stat(follow_symlinks=False)):
                        old.append(entry.name)
                elif entry.name.endswith(_GONE):
                    Path(entry.path).unlink(missing_ok=True)
                else:
                    remove_half_made(folder / entry.name.partition(".")[0])
        return old

    def _set_aside(self, hashes: list[str]) -> list[Path]:
        """Move those that nobody names, to be removed.

        In one transaction with the look at who names them, so that no run is created in between, by this
        server or another one.
        """
        moved = []
        with self._store.transaction():
            for sha256 in set(hashes) - self._store.named_files(hashes):
                path = self._layout.file(sha256)
                aside = path.with_name(sha256 + _GONE)
                with contextlib.suppress(FileNotFoundError):
                    path.rename(aside)
                    if _is_old(aside.lstat()):
                        moved.append(aside)
                    else:  # just uploaded once more
                        aside.rename(path)
        return moved


class Staged:
    """Copies of a run's files, beside their place if there are any."""

    def __init__(self, place: Path, beside: Path | None) -> None:
        self._place = place
        self._beside = beside

    def publish(self) -> None:
        """Put them in their place, whole."""
        if self._beside is None:
            return
        try:
            self._beside.rename(self._place)
        except OSError as problem:
            if problem.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            self.discard()  # another launch has put them there: the run may be at work with them

    def discard(self) -> None:
        """Take them away."""
        if self._beside is not None:
            shutil.rmtree(self._beside, ignore_errors=True)


class Upload:
    """A file on its way in. Its methods block, and may be called by several threads."""

    def __init__(self, path: Path, sha256: str) -> None:
        self._path = path
        self._sha256 = sha256
        self._content = hashlib.sha256()
        self._lock = threading.Lock()
        self._size = 0
        self._beside = name_beside(path)
        self._file = os.fdopen(
            os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        )

    def write(self, part: bytes) -> None:
        """Add to it; raises StorageFull."""
        with self._lock, disk_errors(self._path):
            if not self._file.closed:  # discarded, since who sent it has gone
                self._content.update(part)
                self._size += len(part)
                self._file.write(part)

    def finish(self) -> StoredFile:
        """Put it in its place, on the disk. BadInput when it is not what was announced; StorageFull."""
        with self._lock, disk_errors(self._path):
            if self._file.closed:
                raise BadInput("the connection was closed before the file was whole; send it again")
            found = self._content.hexdigest()
            if found != self._sha256:
                raise BadInput(f"the content has the SHA-256 {found}, not {self._sha256}; send it again")
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._beside.replace(self._path)
            _to_disk(self._path.parent)
        return StoredFile(sha256=self._sha256, size=self._size)

    def discard(self) -> None:
        """Take away what is not in its place."""
        with self._lock:
            with contextlib.suppress(OSError):  # what was not written yet finds no room
                self._file.close()
            self._beside.unlink(missing_ok=True)


def _check_name(name: str) -> None:
    if not name or len(name.encode()) > 255 or name.startswith(".") or "/" in name or not name.isprintable():
        raise BadInput(
            f"files: {name[:100]!r} is no plain file name: 1 to 255 bytes, no slash, no dot in front, "
            "no control characters"
        )


def _size(path: Path) -> int | None:
    """Of a regular file; None when there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _is_old(status: os.stat_result) -> bool:
    return status.st_mtime < time.time() - UNNAMED_SECONDS


def _to_disk(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _slices(names: list[str]) -> Iterator[list[str]]:
    left = iter(names)
    while some := list(itertools.islice(left, _SLICE)):
        yield some
