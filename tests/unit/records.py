"""Records to store, complete but for what a test is about."""

import secrets
import time
from typing import Any

from jupyter_ra_jobs.models import Run, Sweep
from jupyter_ra_jobs.states import RunStatus


def make_run(**fields: Any) -> Run:
    """A `ready` run, with these fields."""
    nothing = dict.fromkeys(Run.__struct_fields__)
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


def make_sweep(**fields: Any) -> Sweep:
    """A draft of a sweep, with these fields."""
    nothing = dict.fromkeys(Sweep.__struct_fields__)
    needed = {
        "id": secrets.token_hex(6),
        "name": "a sweep",
        "base_command": "true",
        "workdir": "/somewhere",
        "parameters": {},
        "run_ids": [],
        "status": "draft",
        "created_at": time.time(),
        "is_wild": False,
    }
    return Sweep(**{**nothing, **needed, **fields})
