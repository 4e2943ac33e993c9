"""Looks at folders that callers named. Their file system may hang, as that of a network does whose server is
away: then who asks is told so within seconds, and nobody else waits."""

import asyncio
import concurrent.futures
import os
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar

from jupyter_ra_jobs.errors import BadInput, RaJobsError, Unavailable

_PATIENCE = 3.0
"""Seconds; a file system answers in milliseconds."""
_LONGEST_VISIT = 15.0
"""Seconds; what is done in a folder is bounded, and takes less than one."""
_AT_ONCE = 16

P = ParamSpec("P")
T = TypeVar("T")


class Folders:
    """A look that hangs is left to itself, and no other is made at the same path: who asks is told at once.

    One for all who look, of one event loop.
    """

    def __init__(self) -> None:
        self._hanging: dict[Path, threading.Thread] = {}

    async def checked(self, base: Path, given: str) -> str:
        """The path of a folder, from `base` on; BadInput unless there is one that may be entered."""
        return await self._look(base / given, lambda _: _check(base, given), BadInput)

    async def real(self, path: Path) -> str:
        """Where the path leads, whatever is there; BadInput when its file system hangs."""
        return await self._look(path, os.path.realpath, BadInput)

    async def visit(self, path: Path, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What is to be done below this path, and blocks; Unavailable when its file system hangs.

        It may begin to hang in the midst of it. So no thread of a pool goes there: others would miss it.
        """
        await self._look(path, os.path.lexists, Unavailable)
        return await self._look(path, lambda _: work(*args, **kwargs), Unavailable, _LONGEST_VISIT)

    async def look_at_all(self, paths: Iterable[Path], look: Callable[[Path], T]) -> dict[Path, T]:
        """What there is to see at each, but for those that fail or hang."""
        found, left = dict[Path, T](), list(paths)
        for at in range(0, len(left), _AT_ONCE):
            some = left[at : at + _AT_ONCE]
            looks = (self._look(path, look, Unavailable) for path in some)
            for path, seen in zip(some, await asyncio.gather(*looks, return_exceptions=True), strict=True):
                if not isinstance(seen, BaseException):
                    found[path] = seen
                elif not isinstance(seen, OSError | RaJobsError):
                    raise seen
        return found

    async def _look(
        self,
        path: Path,
        look: Callable[[Path], T],
        error: type[RaJobsError],
        patience: float | None = None,
    ) -> T:
        self._hanging = {path: thread for path, thread in self._hanging.items() if thread.is_alive()}
        if path in self._hanging:
            raise _no_answer(path, error)
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()

        def work() -> None:
            try:
                answer.set_result(look(path))
            except Exception as problem:  # noqa: BLE001 - it is raised where it was asked for
                answer.set_exception(problem)

        # In no pool, where others would wait behind it; and the interpreter does not wait for it at its end.
        thread = threading.Thread(target=work, name="ra-jobs-folder", daemon=True)
        thread.start()
        waiting = asyncio.wrap_future(answer)
        done, _ = await asyncio.wait([waiting], timeout=_PATIENCE if patience is None else patience)
        if not done:
            self._hanging[path] = thread
            waiting.add_done_callback(asyncio.Future.exception)  # or it would be logged as never heard
            raise _no_answer(path, error)
        return waiting.result()


def _check(base: Path, given: str) -> str:
    try:
        path = base / Path(given).expanduser()
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, RuntimeError) as problem:  # RuntimeError: the home of ~nobody
        why = problem.strerror if isinstance(problem, OSError) else problem
        raise BadInput(f"workdir: there is no folder {given[:300]} ({why})") from problem
    if not is_folder:
        raise BadInput(f"workdir: {path} is not a folder")
    if not os.access(path, os.X_OK):
        raise BadInput(f"workdir: {path} may not be entered")
    return os.path.normpath(path)


def _no_answer(path: Path, error: type[RaJobsError]) -> RaJobsError:
    return error(f"workdir: {str(path)[:300]} does not answer: its file system hangs")
