"""`logs`: a run's output, byte for byte."""

import argparse
import contextlib
import os
import select
import stat
import threading

from jupyter_ra_jobs.cli import codes, completing, output, waiting
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.parsing import Parser, completed_by, count_or_none
from jupyter_ra_jobs.cli.reaching import client, find_run
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.models import LogMatch, Run

_FOUND = 100
_PAGE = 1000


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    completed_by(parser.add_argument("id", help="the run's, or how it begins"), completing.runs())
    parser.add_argument("-f", "--follow", action="store_true", help="go on to the run's end")
    parser.add_argument("-n", "--lines", type=count_or_none, metavar="N", help="the last ones alone")
    parser.add_argument("--search", metavar="TEXT", help="the lines that hold it, small or capital")
    parser.add_argument("--regex", action="store_true", help="TEXT is a regular expression")


def call(args: argparse.Namespace) -> int:
    """Print it."""
    if args.search is not None and args.follow:
        raise BadInput(
            "--search: looks through what is there; to follow and search, say logs -f ID | grep TEXT"
        )
    if args.regex and args.search is None:
        raise BadInput("--regex: is for --search")
    with client(args) as server:
        run = find_run(server, args.id)
        if args.search is not None:
            return _search(server, run, args)
        offset = 0 if args.lines is None else server.tail_offset(run.id, args.lines)
        if args.follow:
            _end_with_reader()
            parts = server.follow_bytes(run.id, offset=offset)
        else:
            parts = server.log_bytes(run.id, offset=offset)
        for part in parts:
            waiting.write_part(part)
    return codes.OK


def _search(server: Client, run: Run, args: argparse.Namespace) -> int:
    """Oldest first, as in the log; the exit code is grep's."""
    most = _FOUND if args.lines is None else args.lines
    found, before, complete = list[LogMatch](), None, False
    while len(found) < most and not complete:
        page = server.search_log(
            run.id, args.search, regex=args.regex, before=before, limit=min(most - len(found), _PAGE)
        )
        found += page.matches
        before, complete = page.next_before, page.complete or page.next_before is None
    for match in reversed(found):
        output.write(match.line.encode() + b"\n")
    if not found:
        say(f"no line of run {run.id} holds {args.search!r}")
        return codes.ERROR
    if not complete:
        say(f"the last {len(found)} lines; -n says how many")
    return codes.OK


def _end_with_reader() -> None:
    """As soon as nobody reads our output any more; the run may be silent for hours."""

    def wait_for_its_end() -> None:
        watch = select.poll()
        watch.register(1, 0)  # errors are told unasked
        watch.poll()
        os._exit(codes.READER_GONE)

    with contextlib.suppress(OSError):
        mode = os.fstat(1).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            threading.Thread(target=wait_for_its_end, daemon=True).start()
