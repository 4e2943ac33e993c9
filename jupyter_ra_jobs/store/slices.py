"""Many runs, read a slice at a time: each takes some milliseconds, and others are let in between."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.store.runs import Store

_SLICE, _BYTES = 100, 1 << 20


async def in_slices(
    store: Store, before: int | None = None, limit: int | None = None, **filters: Any
) -> AsyncIterator[list[Run]]:
    """What `store.runs` finds, newest first, `limit` at most."""
    left = sys.maxsize if limit is None else limit
    while some := store.runs(limit=min(_SLICE, left), before=before, most_bytes=_BYTES, **filters):
        yield some
        left -= len(some)
        before = store.number(some[-1].id)
        await asyncio.sleep(0)
