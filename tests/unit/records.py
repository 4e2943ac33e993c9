"""Records to store, complete but for what a test is about."""

import secrets
import time
from typing import Any

from msgspec import structs

from jupyter_ra_jobs.models import Run, StoredSweep
from jupyter_ra_jobs.states import RunStatus


def make_run(**fields: Any) -> Run:
    """A `ready` run, with these fields."""
    nothing = {field.name: None for field in structs.fields(Run) if field.required}
    needed = {
        "id": secrets.token_hex(6),
        "name": "a run",
        "command": "true",
        "workdir": "/somewhere",
        "status": RunStatus.READY,
        "is_archived": False,
        "created_at": time.time(),
        "tags": [],
    }
    return Run(**{**nothing, **needed, **fields})


def make_sweep(**fields: Any) -> StoredSweep:
    """A sweep, with these fields."""
    needed = {
        "id": secrets.token_hex(6),
        "name": "a sweep",
        "base_command": "true",
        "workdir": "/somewhere",
        "parameters": {},
        "created_at": time.time(),
    }
    return StoredSweep(**{**needed, **fields})
