"""What is uploaded: a file of this machine, or bytes. All of it blocks."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jupyter_ra_jobs.errors import BadInput

_PART = 1 << 20


class Content:
    """A file by its path, or bytes; a file is read as it is needed, never held."""

    def __init__(self, given: "bytes | bytearray | memoryview | str | os.PathLike[str]") -> None:
        if not isinstance(given, bytes | bytearray | memoryview | str | os.PathLike):
            raise BadInput(f"a file is given by its path, or as bytes, not as {type(given).__name__}")
        self._bytes = None if isinstance(given, str | os.PathLike) else bytes(given)
        self._path = Path(given).expanduser() if isinstance(given, str | os.PathLike) else Path()
        self.size = 0
        """In bytes, once `digest` was called."""

    def digest(self) -> str:
        """The SHA-256 of it. Raises BadInput for what can't be read."""
        found, self.size = hashlib.sha256(), 0
        for part in self._read():
            found.update(part)
            self.size += len(part)
        return found.hexdigest()

    def parts(self) -> Iterator[bytes]:
        """All of it, from its beginning; BadInput if it has not its size any more."""
        left = self.size
        for part in self._read():
            left -= len(part)
            if left < 0:
                break
            yield part
        if left:
            raise BadInput(f"{self._path} was changed while it was sent; wait until it is written")

    def _read(self) -> Iterator[bytes]:
        if self._bytes is not None:
            yield from (self._bytes[at : at + _PART] for at in range(0, len(self._bytes), _PART))
            return
        try:
            # Not a fifo: to open one would wait for a writer.
            if not stat.S_ISREG(self._path.stat().st_mode):
                what = "a folder; pack it into one file" if self._path.is_dir() else "no regular file"
                raise BadInput(f"{self._path} is {what}")
            with self._path.open("rb") as file:
                while part := file.read(_PART):
                    yield part
        except OSError as problem:
            raise BadInput(f"{self._path} can't be read: {problem.strerror}") from problem
