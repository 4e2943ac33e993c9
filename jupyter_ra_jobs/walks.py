"""Bounded looks through folders: breadth first, and what was left out is said.

A workdir may hold a million files. A walk looks at so many entries, so deep, for so long, and no further;
each folder gets its turn, so that one with a million pictures does not hide the checkpoints beside it.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from jupyter_ra_jobs.folders import Folders

MOST_ENTRIES = 20_000
DEEPEST = 12
"""Levels below the root."""
LONGEST = 0.5
"""Seconds."""
YOUNG = 2.0
"""Seconds for which a walk's answer is good enough for an active run."""
BOUNDS = ("entries", "time", "depth", "names")
"""What a walk may say of why it left something out."""

_TURN = 1_000  # entries of a folder before the next folder has its turn
_LONGEST_PATH = 1_000  # characters below the root
_SKIPPED = {"__pycache__", "node_modules"}
_OF_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")


class File(NamedTuple):
    """A file that a walk came by, or, where those are asked for, a link."""

    path: str
    size: int
    modified_at: float
    is_link: bool


class Walk(NamedTuple):
    """What a walk found, and which of the `BOUNDS` it met.

    `began` is the monotonic clock's.
    """

    files: list[File]
    left_out: frozenset[str]
    entries: int
    began: float


def walk(root: str, wanted: Callable[[str], bool] | None = None) -> Walk:
    """Look through `root`, a real path: if a link has come into it, there is nothing. Blocks.

    No folder is entered through a link.

    Without `wanted`: every file and every link. With it: the files of which it says so by their path below
    `root`; hidden folders, virtual environments and other people's packages are left alone.
    """
    began = time.monotonic()
    files: list[File] = []
    left_out: set[str] = set()
    looked = 0
    folders = deque([(0, _entries(root))] if os.path.realpath(root) == root else [])
    while folders:
        depth, entries = folders.popleft()
        before = looked
        for entry in islice(entries, _TURN):
            if looked == MOST_ENTRIES or time.monotonic() - began > LONGEST:
                left_out.add("entries" if looked == MOST_ENTRIES else "time")
                return Walk(files, frozenset(left_out), looked, began)
            looked += 1
            with suppress(OSError):  # it went while we looked
                if entry.is_dir(follow_symlinks=False):
                    if wanted is not None and _is_left_alone(entry):
                        continue
                    if depth < DEEPEST:
                        folders.append((depth + 1, _entries(entry.path)))
                    else:
                        left_out.add("depth")
                elif _is_wanted(entry, root, wanted):
                    if _is_bad_name(entry.path[len(root) :]):
                        left_out.add("names")
                        continue
                    seen = entry.stat(follow_symlinks=False)
                    files.append(File(entry.path, seen.st_size, seen.st_mtime, entry.is_symlink()))
        if looked - before == _TURN:
            folders.append((depth, entries))
    return Walk(files, frozenset(left_out), looked, began)


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    """What is in a folder, one after the other; nothing where it can't be read."""
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries


def _is_wanted(entry: "os.DirEntry[str]", root: str, wanted: Callable[[str], bool] | None) -> bool:
    if wanted is None:
        return entry.is_symlink() or entry.is_file(follow_symlinks=False)
    return wanted(entry.path[len(root) :].lstrip("/")) and entry.is_file(follow_symlinks=False)


def _is_left_alone(entry: "os.DirEntry[str]") -> bool:
    return (
        entry.name.startswith(".")
        or entry.name in _SKIPPED
        or any(os.path.lexists(f"{entry.path}/{name}") for name in _OF_ENVIRONMENTS)
    )


def _is_bad_name(path: str) -> bool:
    """Whether it can't be said in JSON, or not shortly."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return True
    return len(path) > _LONGEST_PATH


class Walks:
    """Walks shared by all who want to know of the same folder, one at a time for each. Of one event loop."""

    def __init__(self, wanted: Callable[[str], bool], folders: Folders) -> None:
        self._wanted = wanted
        self._folders = folders
        self._under_way: dict[str, asyncio.Task[Walk]] = {}
        self._done: dict[str, Walk] = {}

    async def of(self, root: str, since: float) -> Walk:
        """A walk through `root` that began at `since` (monotonic) or later, or as good a one.

        Raises Unavailable while its file system hangs.
        """
        while True:
            done = self._done.get(root)
            if done is not None and done.began >= since:
                return done
            task = self._under_way.get(root)
            if task is None:
                task = asyncio.get_running_loop().create_task(self._walk(root))
                self._under_way[root] = task
            found = await asyncio.shield(task)  # who gives up waiting leaves it to the others
            if found.began >= since:
                return found

    async def _walk(self, root: str) -> Walk:
        try:
            done = self._done[root] = await self._folders.visit(Path(root), walk, root, self._wanted)
        finally:
            del self._under_way[root]
        asyncio.get_running_loop().call_later(YOUNG, self._forget, root, done)
        return done

    def _forget(self, root: str, done: Walk) -> None:
        if self._done.get(root) is done:
            del self._done[root]
