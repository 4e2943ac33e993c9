"""What it takes that a file is there after a power cut, or after somebody has removed it."""

import contextlib
import os


def sync_folder(path: str) -> None:
    """Bring a folder's entries to the disk: a file of its own is not there until its name is."""
    with contextlib.suppress(OSError):  # some file systems can't, and need not
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def create_again(path: str, flags: int = 0) -> int:
    """A file in the place of one that was removed, its folder too if that is gone.

    Raises OSError: FileExistsError when something else is there, FileNotFoundError when the folder's own
    folder is gone, for then all was removed for good.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(os.path.dirname(path), 0o700)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | flags, 0o600)
