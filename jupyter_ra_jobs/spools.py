"""The sidecars' spools, read on from where they were left, a piece at a time.

The run's command can write there too. So a line that is no event is passed over, however long it is, and
what a piece costs is bounded, whatever lies there.
"""

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.logs import open_log
from jupyter_ra_jobs.models import Report
from jupyter_ra_jobs.states import TERMINAL, RunStatus

MOST_BYTES = 1 << 20  # of a piece; no event comes near
MOST_EVENTS = 128  # of a piece, which the event loop applies in one go; more than any sidecar writes
REPORTABLE = TERMINAL | {RunStatus.RUNNING}
"""What a sidecar says of its run."""


class Piece(NamedTuple):
    """What was read of one spool in one go."""

    run_id: str
    wanted: int
    """The offset from which it was to be read."""
    offset: int
    """The one from which to go on."""
    events: list[Report]
    strange: int
    """How many lines are no events."""
    more: bool
    """Whether there may be more to read at once."""


def read_on(wanted: Iterable[tuple[str, Path, int]]) -> tuple[list[Piece], dict[str, OSError]]:
    """A piece of each spool from its offset, of those that have something; and why others could not be read.

    Blocks.
    """
    pieces: list[Piece] = []
    unread: dict[str, OSError] = {}
    for run_id, path, offset in wanted:
        try:
            piece = _read_piece(run_id, path, offset)
        except OSError as problem:
            unread[run_id] = problem
        else:
            pieces += [piece] if piece is not None else []
    return pieces, unread


def _read_piece(run_id: str, path: Path, wanted: int) -> Piece | None:
    try:
        file = open_log(path)
    except NotFound:  # the run has put something else there
        return None
    if file is None:  # its sidecar has not begun; or all is away
        path.parent.parent.stat()
        return None
    with file:
        data = os.pread(file.fileno(), MOST_BYTES, wanted)
    whole = data.rfind(b"\n") + 1
    if not whole and len(data) == MOST_BYTES:
        whole = len(data)  # no end of it in sight, and no event: its end will come, or not
    events, strange, end = list[Report](), 0, 0
    for line in io.BytesIO(data[:whole]):
        end += len(line)
        if (event := _event(line)) is not None:
            events.append(event)
            if len(events) == MOST_EVENTS:
                break
        elif line != b"\n":
            strange += 1
    if not end:
        return None
    more = end < whole or len(data) == MOST_BYTES
    return Piece(run_id, wanted, wanted + end, events, strange, more)


def _event(line: bytes) -> Report | None:
    if not line.startswith(b"{"):
        return None
    try:
        event = msgspec.json.decode(line, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if event.seq is not None and event.status in REPORTABLE else None
