"""The server that a command line means, and the runs and sweeps there."""

import argparse
import os
import re
import sys
from pathlib import Path

# httpx brings a command of its own, whose libraries (rich, click) would be half of our start-up time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

from jupyter_ra_jobs.client import Client  # noqa: E402
from jupyter_ra_jobs.errors import BadInput, NotFound  # noqa: E402
from jupyter_ra_jobs.models import Run, Sweep  # noqa: E402

_PATIENCE = 5.0
"""Seconds for which somebody at a terminal likes to wait for a server that restarts."""
_WHOLE, _LEAST = 12, 4
_SHOWN = 5


def client(args: argparse.Namespace, patience: float = _PATIENCE) -> Client:
    """A client for the server that the options name, or the surroundings do."""
    url = args.url or os.environ.get("RA_JOBS_URL")
    if args.url and re.search(r"[?&]token=", args.url):
        raise BadInput(
            "--url: leave the token out, others see it there (ps); say --token-file, or RA_JOBS_TOKEN"
        )
    token = None if args.token_file is None else _token(Path(args.token_file))
    if token is not None and not url:
        raise BadInput(
            "--token-file: is for --url or RA_JOBS_URL; a server that is found by its workdir has its own"
        )
    if args.url or token is not None:
        return Client(url, token or os.environ.get("RA_JOBS_TOKEN"), patience=patience)
    return Client(patience=patience)


def _token(file: Path) -> str:
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"--token-file: {problem}") from problem
    if not token or not token.isprintable() or not token.isascii():
        raise BadInput(f"--token-file: {file} does not hold a token: one line of plain characters")
    return token


def find(server: Client, word: str) -> Run | Sweep:
    """The run or sweep of this id, or the one that alone begins so."""
    if not re.fullmatch(rf"[0-9a-f]{{{_LEAST},{_WHOLE}}}", word):
        raise NotFound(f"{word!r} is no id: it has {_WHOLE} hex digits, of which the first {_LEAST} may do")
    if len(word) == _WHOLE:
        try:
            return server.run(word)
        except NotFound:
            found: list[Run | Sweep] = [*server.sweeps(id_prefix=word, limit=1)]
    else:
        found = [*server.runs(id_prefix=word, archived=True, limit=_SHOWN + 1)]
        found += server.sweeps(id_prefix=word, limit=_SHOWN + 1)
    found = [record for record in found if record.id.startswith(word)]  # an older server gives others
    if len(found) > 1:
        shown = ", ".join(f"{kind(record)} {record.id} ({record.name})" for record in found[:_SHOWN])
        more = " and more" if len(found) > _SHOWN else ""
        raise BadInput(f"{word} may be any of {shown}{more}; write more of the id")
    if not found:
        raise NotFound(
            f"there is no run and no sweep {word}; `jupyter ra-jobs list --all` shows what there is"
        )
    return found[0]


def find_run(server: Client, word: str) -> Run:
    """The run of this id, or the one that alone begins so."""
    record = find(server, word)
    if isinstance(record, Sweep):
        raise BadInput(
            f"{record.id} is a sweep; name one of its runs: `jupyter ra-jobs list --sweep {record.id}`"
        )
    return record


def kind(record: Run | Sweep) -> str:
    """What it is, in a word."""
    return "run" if isinstance(record, Run) else "sweep"
