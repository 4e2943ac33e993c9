"""Tells whoever watches that the store has changed. What changed, the store itself says."""

import asyncio
import contextlib


class Changes:
    """A bell that any number of watchers wait for. It holds nothing, so a slow one costs nothing."""

    def __init__(self) -> None:
        self.next = asyncio.Event()
        """Set by the next ring. Take it before you look: what changes while you are busy sets it too."""
        self.closed = False

    def ring(self) -> None:
        """Something changed: everybody who waits goes and looks."""
        self.next.set()
        if not self.closed:
            self.next = asyncio.Event()

    def close(self) -> None:
        """Nobody shall wait any more."""
        self.closed = True
        self.ring()


async def came(ring: asyncio.Event, seconds: float) -> bool:
    """Wait for a ring; False when it did not come in time."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(ring.wait(), seconds)
    return ring.is_set()
