"""`run`: one command."""

import argparse
import shlex

from jupyter_ra_jobs.cli import codes, making, waiting
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.parsing import Parser
from jupyter_ra_jobs.cli.reaching import client
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.client.names import name_of
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.models import NewRun, Run


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    parser.usage = "%(prog)s [options] 'command' | %(prog)s [options] -- command word …"
    parser.advice = "options of the command itself go behind --"
    parser.add_argument("command", nargs="+", help="one word: as a shell takes it; several: quoted for it")
    making.add_options(parser)
    parser.add_argument("--notes")
    add_ends(parser)


def add_ends(parser: Parser) -> None:
    """How long the program stays."""
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--wait", action="store_true", help="until it has ended, and exit with its exit code")
    ends.add_argument("--follow", action="store_true", help="print its output to its end, then as --wait")


def call(args: argparse.Namespace) -> int:
    """Make the run."""
    check_ends(args)
    command = args.command[0] if len(args.command) == 1 else shlex.join(args.command)
    if not command.strip():
        raise BadInput("the command is empty")
    with client(args) as server:
        new = NewRun(
            name=name_of(command) if args.name is None else args.name,
            command=command,
            notes=args.notes,
            **making.options(server, args),
        )
        with making.perhaps_made("run", "jupyter ra-jobs list"):
            run = server.create_run(new)
        return made(server, run, args)


def check_ends(args: argparse.Namespace) -> None:
    """Raises BadInput for what never ends."""
    if args.no_start and (args.wait or args.follow):
        raise BadInput("--no-start: what was not started has no end to wait for")


def made(server: Client, run: Run, args: argparse.Namespace) -> int:
    """Tell the new run's id, and stay as long as the options say."""
    if args.follow:
        say(f"run {run.id}")  # stdout is for its output
        return waiting.follow(server, run)
    print(run.id, flush=True)
    return waiting.wait(server, run) if args.wait else codes.OK
