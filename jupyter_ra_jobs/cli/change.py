"""`start`, `queue`, `stop`, `retry`, `archive`: something is done to each of the runs that are named."""

import argparse

from jupyter_ra_jobs.cli import codes, completing
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.parsing import Parser, completed_by, count
from jupyter_ra_jobs.cli.reaching import client, find, find_run
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.client.ids import kind
from jupyter_ra_jobs.errors import BadInput, NoServer, RaJobsError
from jupyter_ra_jobs.models import Run, Sweep

_OFFERED = {
    "start": ["ready", "queued"],
    "queue": ["ready"],
    "stop": ["running", "launching", "queued"],
    "archive": ["finished", "failed", "stopped", "ready"],
}


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    sweeps_too = verb in ("start", "stop")
    what = "of sweeps" if verb == "retry" else "of runs or sweeps" if sweeps_too else "of runs"
    ids = parser.add_argument("ids", metavar="id", nargs="+", help=f"{what}, or how they begin")
    if verb == "retry":
        completed_by(ids, completing.sweeps())
        return
    offered = _OFFERED[verb]
    completed_by(ids, completing.both(*offered) if sweeps_too else completing.runs(*offered))
    if verb == "start":
        parser.add_argument("--parallel", type=count, metavar="N", help="of a sweep: so many runs at a time")
    if verb == "archive":
        parser.add_argument("--undo", action="store_true", help="show them again")


def call(args: argparse.Namespace) -> int:
    """Do it to each, also after one where it can't be done; the exit code is that of the first such one."""
    code = codes.OK
    with client(args) as server:
        for word in args.ids:
            try:
                record = _done(server, word, args)
            except NoServer:
                raise  # nor would the others be reached
            except RaJobsError as problem:
                say(f"jupyter ra-jobs {args.verb}: {problem}")
                code = code or codes.code_of(problem)
            else:
                print(f"{record.id} {_stands(record, args.verb)}", flush=True)
    return code


def _done(server: Client, word: str, args: argparse.Namespace) -> Run | Sweep:
    if args.verb == "archive":
        run = find_run(server, word)
        return server.unarchive_run(run.id) if args.undo else server.archive_run(run.id)
    if args.verb == "queue":
        return server.queue_run(find_run(server, word).id)
    record = find(server, word)
    if args.verb == "retry":
        if isinstance(record, Run):
            raise BadInput(f"{record.id} is a run; `jupyter ra-jobs rerun {record.id}` runs it again")
        return server.retry_sweep(record.id)
    if args.verb == "stop":
        return server.stop_run(record.id) if isinstance(record, Run) else server.stop_sweep(record.id)
    if isinstance(record, Run):
        return server.start_run(record.id)
    server.start_sweep(record.id, parallel=args.parallel or record.parallel or 1)
    return server.sweep(record.id)


def _stands(record: Run | Sweep, verb: str) -> str:
    if isinstance(record, Run):
        if record.stop_requested_at is not None and record.ended_at is None:
            return "stopping"
        return f"{record.status}, archived" if record.is_archived else record.status
    status = "stopping" if verb == "stop" and record.status == "running" else record.status
    return f"{kind(record)} {status}"
