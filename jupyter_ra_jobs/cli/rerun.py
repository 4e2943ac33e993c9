"""`rerun`: the same again."""

import argparse

from jupyter_ra_jobs.cli import completing, making
from jupyter_ra_jobs.cli.parsing import Parser, completed_by
from jupyter_ra_jobs.cli.reaching import client, find_run
from jupyter_ra_jobs.cli.run import add_ends, check_ends, made
from jupyter_ra_jobs.models import RerunOptions


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    completed_by(parser.add_argument("id", help="the run's, or how it begins"), completing.runs())
    parser.add_argument("--command", help="another one, in the same surroundings")
    parser.add_argument("--no-start", action="store_true", help="make it, and leave the start to `start`")
    add_ends(parser)


def call(args: argparse.Namespace) -> int:
    """Make the new run."""
    check_ends(args)
    with client(args) as server:
        options = RerunOptions(command=args.command, auto_start=not args.no_start)
        run = find_run(server, args.id)
        with making.perhaps_made("run", "jupyter ra-jobs list"):
            again = server.rerun(run.id, options)
        return made(server, again, args)
