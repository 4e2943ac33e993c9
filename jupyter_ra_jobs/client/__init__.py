"""The HTTP API for Python: `Client` waits, `AsyncClient` is awaited; both make the same calls."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_ra_jobs.client.address import Address as Address
    from jupyter_ra_jobs.client.awaiting import AsyncClient as AsyncClient
    from jupyter_ra_jobs.client.blocking import Client as Client

_HOMES = {"Address": "address", "AsyncClient": "awaiting", "Client": "blocking"}


def __getattr__(name: str) -> Any:
    """Imported when first used: a command line needs no asyncio."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
