"""`list`: the newest runs or sweeps, as a table or as JSON."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, get_args

import msgspec

from jupyter_ra_jobs.cli import codes, completing, output
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.parsing import Parser, completed_by, count
from jupyter_ra_jobs.cli.reaching import client, find
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.models import Run, Sweep, SweepStatus
from jupyter_ra_jobs.states import TERMINAL, RunStatus

_PAGE = 1000
_LONG = 1 << 20
_NO_END = 1 << 20  # columns, where no terminal says how wide it is


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    parser.add_argument(
        "what", nargs="?", choices=["runs", "sweeps"], default="runs", help="runs unless said"
    )
    parser.add_argument("--json", action="store_true", help="an array of records, as the HTTP API has them")
    status = parser.add_argument("--status", help="of this status alone, or of several with commas between")
    completed_by(status, completing.statuses)
    sweep = parser.add_argument("--sweep", metavar="ID", help="of this sweep alone")
    completed_by(sweep, completing.sweeps())
    parser.add_argument("--search", metavar="TEXT", help="with this in name or command, small or capital")
    parser.add_argument("--all", action="store_true", help="the archived ones too")
    parser.add_argument("--limit", type=count, default=50, metavar="N", help="not more; 50 unless said")


def call(args: argparse.Namespace) -> int:
    """Show them."""
    statuses = _checked(args)
    with client(args) as server:
        ask = _runs if args.what == "runs" else _sweeps
        found: Sequence[Any] = ask(server, args, statuses)
    shown = found[: args.limit]
    if args.json:
        output.write(msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n")
        return codes.OK
    if not shown:
        say(f"there are no {args.what}{' like that' if statuses or args.search or args.sweep else ''}")
        return codes.OK
    heads, row, flexible = _FORMS[args.what]
    lines = output.table(heads, [row(record) for record in shown], output.columns() or _NO_END, flexible)
    if output.colours():
        width = lines[0].index(heads[1])  # an id is as wide as any
        for at, record in enumerate(shown, start=1):
            status = str(record.status)
            lines[at] = lines[at][:width] + output.status(status) + lines[at][width + len(status) :]
    output.write("".join(line + "\n" for line in lines).encode())
    if len(found) > len(shown) and sys.stderr.isatty():
        say(f"the newest {args.limit:,}; --limit shows more")
    return codes.OK


def _checked(args: argparse.Namespace) -> list[str]:
    possible = list(RunStatus) if args.what == "runs" else get_args(SweepStatus)
    words = [word.strip() for word in args.status.split(",")] if args.status is not None else []
    for word in words:
        if word not in possible:
            raise BadInput(f"--status: {word!r} is none of {args.what}, which are {', '.join(possible)}")
    if args.what == "sweeps" and (args.sweep or args.all):
        raise BadInput(f"{'--sweep' if args.sweep else '--all'}: is for runs; sweeps are shown all")
    return words


def _runs(server: Client, args: argparse.Namespace, statuses: list[str]) -> list[Run]:
    """One more than asked for, if there are more. A page that is short is the last one, or a heavy one."""
    sweep = find(server, args.sweep).id if args.sweep else None
    found = list[Run]()
    while (left := args.limit + 1 - len(found)) > 0:
        page = server.runs(
            status=statuses or None,
            sweep_id=sweep,
            q=args.search,
            archived=args.all,
            limit=min(left, _PAGE),
            before=found[-1].id if found else None,
        )
        found += page
        if len(page) < min(left, _PAGE) and sum(len(run.command) for run in page) < _LONG:
            break
    return found


def _sweeps(server: Client, args: argparse.Namespace, statuses: list[str]) -> list[Sweep]:
    """The server lists the newest thousand; what is asked beyond that is asked here."""
    asked = _PAGE if statuses or args.search else min(args.limit + 1, _PAGE)
    wanted = (args.search or "").lower()
    return [
        sweep
        for sweep in server.sweeps(limit=asked)
        if (not statuses or sweep.status in statuses)
        and (wanted in sweep.name.lower() or wanted in sweep.base_command.lower())
    ]


def _run_row(run: Run) -> list[str]:
    spent = "" if run.started_at is None else output.length(_spent(run))
    done = "" if run.progress is None else f"{run.progress:.0f}%"
    return [run.id, run.status, run.name, done, spent, _left(run), output.age(run.created_at)]


def _spent(run: Run) -> float:
    assert run.started_at is not None
    return (run.ended_at or time.time()) - run.started_at


def _left(run: Run) -> str:
    """As long as it would take at the pace so far."""
    if run.status in TERMINAL or run.started_at is None or not run.progress or run.progress >= 100:
        return ""
    return output.length(_spent(run) * (100 - run.progress) / run.progress)


def _sweep_row(sweep: Sweep) -> list[str]:
    counts = sweep.progress
    ended = counts.completed + counts.failed + counts.canceled
    spent = (
        ""
        if sweep.started_at is None
        else output.length((sweep.completed_at or time.time()) - sweep.started_at)
    )
    wrong = str(counts.failed) if counts.failed else ""
    return [
        sweep.id,
        sweep.status,
        sweep.name,
        f"{ended}/{counts.total}",
        wrong,
        str(counts.running or ""),
        spent,
        output.age(sweep.created_at),
    ]


_FORMS: dict[str, tuple[list[str], Callable[..., list[str]], int]] = {
    "runs": (["ID", "STATUS", "NAME", "DONE", "TIME", "LEFT", "AGE"], _run_row, 2),
    "sweeps": (["ID", "STATUS", "NAME", "DONE", "FAILED", "RUNNING", "TIME", "AGE"], _sweep_row, 2),
}
