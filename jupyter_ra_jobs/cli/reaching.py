"""The server that a command line means, and the runs and sweeps there."""

import argparse
import os
import re
import sys
from pathlib import Path

# httpx brings a command of its own, whose libraries (rich, click) would be half of our start-up time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

from jupyter_ra_jobs.cells.bars import tell  # noqa: E402
from jupyter_ra_jobs.client import Client, ids  # noqa: E402
from jupyter_ra_jobs.errors import BadInput  # noqa: E402
from jupyter_ra_jobs.models import Run, Sweep  # noqa: E402

_PATIENCE = 5.0
"""Seconds for which somebody at a terminal likes to wait for a server that restarts."""


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
        return Client(url, token or os.environ.get("RA_JOBS_TOKEN"), patience=patience, tell=tell)
    return Client(patience=patience, tell=tell)


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
    return ids.find(server, word, "`jupyter ra-jobs list --all` shows what there is")


def find_run(server: Client, word: str) -> Run:
    """The run of this id, or the one that alone begins so."""
    record = find(server, word)
    if isinstance(record, Sweep):
        raise BadInput(
            f"{record.id} is a sweep; name one of its runs: `jupyter ra-jobs list --sweep {record.id}`"
        )
    return record
