"""`wait`: until an end."""

import argparse

from jupyter_ra_jobs.cli import completing, waiting
from jupyter_ra_jobs.cli.parsing import Parser, completed_by, seconds
from jupyter_ra_jobs.cli.reaching import client, find


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    completed_by(
        parser.add_argument("id", help="of a run or sweep, or how it begins"),
        completing.both(*completing.WAITING),
    )
    parser.add_argument(
        "--timeout", type=seconds, metavar="TIME", help="wait no longer than 90, 30m, 2h; then exit with 1"
    )


def call(args: argparse.Namespace) -> int:
    """Wait; the exit code is the run's."""
    with client(args) as server:
        return waiting.wait(server, find(server, args.id), args.timeout)
