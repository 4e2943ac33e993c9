"""A Jupyter server extension for `bench/loop.py`: `GET /loop-watch` tells the loop's longest step."""

import asyncio
import gc
import time
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web


class Longest:
    """The longest step of the loop, by the clock and by the processor's time of its thread, in seconds;
    and the longest collection of garbage, in whichever thread."""

    def __init__(self) -> None:
        self.wall = self.cpu = self.gc = 0.0
        self._gc_began = 0.0
        gc.callbacks.append(self._collecting)
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return run(handle)
            finally:
                step = time.perf_counter() - wall
                if step > self.wall:
                    self.wall, self.cpu = step, time.thread_time() - cpu

        asyncio.Handle._run = timed  # type: ignore[method-assign]

    def _collecting(self, phase: str, _: object) -> None:
        if phase == "start":
            self._gc_began = time.perf_counter()
        else:
            self.gc = max(self.gc, time.perf_counter() - self._gc_began)

    def take(self) -> dict[str, float]:
        """What was the longest; the next one counts from here."""
        taken = {"wall": self.wall, "cpu": self.cpu, "gc": self.gc}
        self.wall = self.cpu = self.gc = 0.0
        return taken


class WatchHandler(APIHandler):
    """What was the longest."""

    def initialize(self, longest: Longest) -> None:
        """Which."""
        self.longest = longest

    @web.authenticated
    async def get(self) -> None:
        """As JSON, and begin anew."""
        await self.finish(self.longest.take())


def _load_jupyter_server_extension(app: Any) -> None:
    """Begin to watch."""
    app.web_app.add_handlers(".*", [("/loop-watch", WatchHandler, {"longest": Longest()})])


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """As Jupyter asks for it."""
    return [{"module": "loop_watch"}]
