"""Ids of runs and sweeps, of which the beginning will do."""

import contextlib
import re

from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.errors import BadInput, NotFound
from jupyter_ra_jobs.models import Run, Sweep

WHOLE, LEAST = 12, 4
_SHOWN = 5


def find(server: Client, word: str, advice: str) -> Run | Sweep:
    """The run or sweep of this id, or the one that alone begins so.

    Raises NotFound with `advice` where to look, BadInput for what begins several.
    """
    if not isinstance(word, str) or not word:
        raise BadInput(
            f"an id is a string of twelve hex digits, of which the first {LEAST} may do, not {word!r:.100}"
        )
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", word):  # of the earlier server, ids of any form were taken over
        for ask in (server.run, server.sweep):
            with contextlib.suppress(NotFound):
                return ask(word)
    if not re.fullmatch(rf"[0-9a-f]{{{LEAST},{WHOLE}}}", word):
        raise NotFound(
            f"{word!r:.100} is no id: it has {WHOLE} hex digits, of which the first {LEAST} may do"
        )
    found: list[Run | Sweep] = [*server.runs(id_prefix=word, archived=True, limit=_SHOWN + 1)]
    found += server.sweeps(id_prefix=word, limit=_SHOWN + 1)
    found = [record for record in found if record.id.startswith(word)]  # an older server gives others
    if len(found) > 1:
        shown = ", ".join(f"{kind(record)} {record.id} ({record.name})" for record in found[:_SHOWN])
        more = " and more" if len(found) > _SHOWN else ""
        raise BadInput(f"{word} may be any of {shown}{more}; write more of the id")
    if not found:
        raise NotFound(f"there is no run and no sweep {word}; {advice}")
    return found[0]


def kind(record: Run | Sweep) -> str:
    """What it is, in a word."""
    return "run" if isinstance(record, Run) else "sweep"
