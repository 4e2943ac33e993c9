"""Tells whoever watches that the store has changed. What changed, the store itself says."""

import asyncio
import contextlib


class Changes:
    """A bell that any number of watchers wait for. It holds nothing, so a slow one costs nothing."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.closed = False

    def ring(self) -> None:
        """Something changed: everybody who waits goes and looks."""
        self._rung.set()
        self._rung = asyncio.Event()

    def close(self) -> None:
        """Nobody shall wait any more."""
        self.closed = True
        self.ring()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next ring; False when none came in time."""
        if self.closed:
            return True
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
            return True
        return False

    async def settle(self, seconds: float) -> None:
        """Let a burst of changes pass, so that it is looked at once."""
        if not self.closed:
            await asyncio.sleep(seconds)
